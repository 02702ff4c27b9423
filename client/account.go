package client

import (
	"context"
	"strconv"
)

// UpdateMe changes the own profile; what is nil stays as it is.
func (c *Client) UpdateMe(ctx context.Context, change UpdateMeRequest) (User, error) {
	resp, err := c.UpdateMeWithResponse(ctx, change)
	if err != nil {
		return User{}, err
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON200)
}

// ChangePassword gives the account another password. This session goes on, all others end.
func (c *Client) ChangePassword(ctx context.Context, current, next string) error {
	resp, err := c.ChangePasswordWithResponse(ctx, ChangePasswordRequest{Current: current, New: next})
	if err != nil {
		return err
	}
	return Check(resp.HTTPResponse, resp.Body)
}

// Sessions gives all sessions of the account, the newest login first.
func (c *Client) Sessions(ctx context.Context) ([]OwnSession, error) {
	return pages(func(page *Page) ([]OwnSession, *string, error) {
		resp, err := c.ListSessionsWithResponse(ctx, &ListSessionsParams{Page: page})
		if err != nil {
			return nil, nil, err
		}
		list, err := value(resp.HTTPResponse, resp.Body, resp.JSON200)
		return list.Sessions, list.NextPage, err
	})
}

// EndSession ends one of the account's sessions. Where it is this client's own, its next call is refused.
func (c *Client) EndSession(ctx context.Context, id int64) error {
	resp, err := c.EndSessionWithResponse(ctx, strconv.FormatInt(id, 10))
	if err != nil {
		return err
	}
	return Check(resp.HTTPResponse, resp.Body)
}

// Block ends direct messages with a user, given by id or `@name`. Blocking again changes nothing.
func (c *Client) Block(ctx context.Context, user string) error {
	resp, err := c.PutBlockWithResponse(ctx, user)
	if err != nil {
		return err
	}
	return Check(resp.HTTPResponse, resp.Body)
}

// Unblock takes Block back; where there is no block, nothing changes.
func (c *Client) Unblock(ctx context.Context, user string) error {
	resp, err := c.DeleteBlockWithResponse(ctx, user)
	if err != nil {
		return err
	}
	return Check(resp.HTTPResponse, resp.Body)
}

// Blocks gives all whom the account blocks.
func (c *Client) Blocks(ctx context.Context) ([]Block, error) {
	return pages(func(page *Page) ([]Block, *string, error) {
		resp, err := c.ListBlocksWithResponse(ctx, &ListBlocksParams{Page: page})
		if err != nil {
			return nil, nil, err
		}
		list, err := value(resp.HTTPResponse, resp.Body, resp.JSON200)
		return list.Blocks, list.NextPage, err
	})
}

// pages gives what is on all pages of a list.
func pages[T any](read func(page *Page) (list []T, next *string, err error)) ([]T, error) {
	var all []T
	for page := (*Page)(nil); ; {
		list, next, err := read(page)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if next == nil {
			return all, nil
		}
		page = next
	}
}
