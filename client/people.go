package client

import "context"

// Who gives everybody who is online, or with a room, given by id, name or `@name`, those of its members.
func (c *Client) Who(ctx context.Context, room string) ([]WhoUser, error) {
	limit := Limit(200)
	params := WhoParams{Limit: &limit}
	if room != "" {
		params.Room = &room
	}
	return pages(func(page *Page) ([]WhoUser, *string, error) {
		params.Page = page
		resp, err := c.WhoWithResponse(ctx, &params)
		if err != nil {
			return nil, nil, err
		}
		list, err := value(resp.HTTPResponse, resp.Body, resp.JSON200)
		return list.Users, list.NextPage, err
	})
}

// User gives one user, by id or `@name`.
func (c *Client) User(ctx context.Context, user string) (User, error) {
	resp, err := c.GetUserWithResponse(ctx, user)
	if err != nil {
		return User{}, err
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON200)
}

// Rename gives the account another name.
func (c *Client) Rename(ctx context.Context, name string) (User, error) {
	resp, err := c.RenameWithResponse(ctx, RenameRequest{Name: name})
	if err != nil {
		return User{}, err
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON200)
}
