package tail

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"parley/client"
)

// history prints the newest messages and gives the position to go on from. It is one position for all rooms: what was said
// since, while they are read one by one, is for the stream, in its order.
func (c *command) history(ctx context.Context) (after int64, err error) {
	var messages []client.Message
	joined, after, err := c.joined(ctx)
	if err != nil {
		return 0, err
	}
	add := func(id int64) error {
		page, err := c.page(ctx, id, after)
		if err != nil {
			return fmt.Errorf("read what was said: %w", err)
		}
		messages = newest(append(messages, page.Messages...), c.Last)
		return nil
	}
	if len(c.Room) > 0 {
		for _, id := range c.rooms.chosen {
			if err := add(id); err != nil {
				return 0, err
			}
		}
	} else {
		for _, room := range joined {
			if len(messages) == c.Last && room.LastMessage.ID < messages[0].ID {
				break // nor have the others something newer
			}
			if err := add(room.ID); err != nil {
				return 0, err
			}
		}
	}
	for _, m := range messages {
		if err := c.said(ctx, m, ""); err != nil {
			return 0, err
		}
	}
	return after, nil
}

// joined gives the rooms in which something was said, the newest first, and the position that this is true of.
func (c *command) joined(ctx context.Context) (joined []client.Room, cursor int64, err error) {
	err = c.account.Try(ctx, func(ctx context.Context) error {
		joined, cursor, err = c.account.Rooms(ctx)
		return err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("read the rooms: %w", err)
	}
	joined = slices.DeleteFunc(joined, func(r client.Room) bool { return r.LastMessage == nil })
	slices.SortFunc(joined, func(a, b client.Room) int { return cmp.Compare(b.LastMessage.ID, a.LastMessage.ID) })
	return joined, cursor, nil
}

// page reads the newest messages of a room up to a position.
func (c *command) page(ctx context.Context, room, upTo int64) (page client.MessageList, err error) {
	err = c.account.Try(ctx, func(ctx context.Context) error {
		resp, err := c.account.ListMessagesWithResponse(ctx, strconv.FormatInt(room, 10), &client.ListMessagesParams{Limit: &c.Last, Before: new(upTo + 1)})
		if err != nil {
			return err
		}
		if resp.JSON200 != nil {
			page = *resp.JSON200
			return nil
		}
		return client.Check(resp.HTTPResponse, resp.Body)
	})
	return page, err
}

// newest keeps the n newest messages, the oldest first.
func newest(messages []client.Message, n int) []client.Message {
	slices.SortFunc(messages, func(a, b client.Message) int { return cmp.Compare(a.ID, b.ID) })
	return messages[max(0, len(messages)-n):]
}
