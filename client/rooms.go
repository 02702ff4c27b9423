package client

import "context"

// Rooms gives all rooms that the account is in, with what is unread in each, and the position in the log that the first
// page is true of: with more than 200 rooms the later pages may know of more.
func (c *Client) Rooms(ctx context.Context) (rooms []Room, cursor int64, err error) {
	limit := Limit(200)
	rooms, err = pages(func(page *Page) ([]Room, *string, error) {
		resp, err := c.ListRoomsWithResponse(ctx, &ListRoomsParams{Page: page, Limit: &limit})
		if err != nil {
			return nil, nil, err
		}
		list, err := value(resp.HTTPResponse, resp.Body, resp.JSON200)
		if page == nil {
			cursor = list.Cursor
		}
		return list.Rooms, list.NextPage, err
	})
	return rooms, cursor, err
}

// MarkRead says that the account has read the room, given by id, name or `@name`, up to a message. It never goes back.
func (c *Client) MarkRead(ctx context.Context, room string, messageID int64) error {
	resp, err := c.MarkReadWithResponse(ctx, room, MarkReadRequest{MessageID: messageID})
	if err != nil {
		return err
	}
	return Check(resp.HTTPResponse, resp.Body)
}

// Join makes the account a member of a channel, given by id or name; of who is one already it changes nothing.
func (c *Client) Join(ctx context.Context, room string) (Room, error) {
	resp, err := c.JoinRoomWithResponse(ctx, room)
	if err != nil {
		return Room{}, err
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON200)
}

// PublicRooms gives all public channels.
func (c *Client) PublicRooms(ctx context.Context) ([]Room, error) {
	limit, scope := Limit(200), RoomScopePublic
	return pages(func(page *Page) ([]Room, *string, error) {
		resp, err := c.ListRoomsWithResponse(ctx, &ListRoomsParams{Scope: &scope, Page: page, Limit: &limit})
		if err != nil {
			return nil, nil, err
		}
		list, err := value(resp.HTTPResponse, resp.Body, resp.JSON200)
		return list.Rooms, list.NextPage, err
	})
}

// Leave ends the account's membership of a channel, given by id or name.
func (c *Client) Leave(ctx context.Context, room string) error {
	resp, err := c.LeaveRoomWithResponse(ctx, room, LeaveRoomJSONRequestBody{})
	if err != nil {
		return err
	}
	return Check(resp.HTTPResponse, resp.Body)
}

// Typing tells the others in a room that the account is writing.
func (c *Client) Typing(ctx context.Context, room string) error {
	resp, err := c.StartTypingWithResponse(ctx, room)
	if err != nil {
		return err
	}
	return Check(resp.HTTPResponse, resp.Body)
}

// History gives at most limit messages of a room, the oldest first: those before an id, or where it is 0 the newest.
func (c *Client) History(ctx context.Context, room string, before int64, limit int) (MessageList, error) {
	params := &ListMessagesParams{Limit: &limit}
	if before > 0 {
		params.Before = &before
	}
	resp, err := c.ListMessagesWithResponse(ctx, room, params)
	if err != nil {
		return MessageList{}, err
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON200)
}
