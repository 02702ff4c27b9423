package client

import (
	"context"
	"errors"
	"net/http"
)

// Register makes an account and goes on as it: the client takes the session's token.
func (c *Client) Register(ctx context.Context, name, password string) (Session, error) {
	resp, err := c.RegisterWithResponse(ctx, RegisterRequest{Name: name, Password: password})
	if err != nil {
		return Session{}, err
	}
	return c.opened(value(resp.HTTPResponse, resp.Body, resp.JSON201))
}

// Guest makes a guest and goes on as it. An empty name lets the server choose.
func (c *Client) Guest(ctx context.Context, name string) (Session, error) {
	body := GuestRequest{}
	if name != "" {
		body.Name = &name
	}
	resp, err := c.GuestWithResponse(ctx, body)
	if err != nil {
		return Session{}, err
	}
	return c.opened(value(resp.HTTPResponse, resp.Body, resp.JSON201))
}

// Login opens a session and goes on in it.
func (c *Client) Login(ctx context.Context, name, password string) (Session, error) {
	resp, err := c.LoginWithResponse(ctx, LoginRequest{Name: name, Password: password})
	if err != nil {
		return Session{}, err
	}
	return c.opened(value(resp.HTTPResponse, resp.Body, resp.JSON200))
}

// Logout ends the session on the server and drops the token here.
func (c *Client) Logout(ctx context.Context) error {
	resp, err := c.LogoutWithResponse(ctx)
	if err != nil {
		return err
	}
	if err := Check(resp.HTTPResponse, resp.Body); err != nil {
		return err
	}
	c.SetToken("")
	return nil
}

// Send sends a message; it is durable when Send has returned without an error. With a Nonce, Send may
// be repeated after any error without sending twice.
func (c *Client) Send(ctx context.Context, message SendRequest) (Message, error) {
	resp, err := c.SendWithResponse(ctx, message)
	if err != nil {
		return Message{}, err
	}
	if resp.JSON200 != nil { // the nonce's first message
		return *resp.JSON200, nil
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON201)
}

// Announce says something to everyone, as an admin. With a nonce, which may be empty, it may be repeated after any
// error.
func (c *Client) Announce(ctx context.Context, text, nonce string) (Message, error) {
	body := AnnounceRequest{Text: text}
	if nonce != "" {
		body.Nonce = &nonce
	}
	resp, err := c.AnnounceWithResponse(ctx, body)
	if err != nil {
		return Message{}, err
	}
	if resp.JSON200 != nil { // the nonce's first message
		return *resp.JSON200, nil
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON201)
}

// To makes a message's destination of a room's id, a channel's name or `@name`.
func To(ref string) *RoomRef {
	to := new(RoomRef)
	if err := to.FromRoomRef0(ref); err != nil { // a string always marshals
		return nil
	}
	return to
}

// opened takes the token of a new session.
func (c *Client) opened(s Session, err error) (Session, error) {
	if err == nil {
		c.SetToken(s.Token)
	}
	return s, err
}

// errNoAnswer is a success without the promised JSON, as a proxy may make it.
var errNoAnswer = errors.New("the answer is not of this API")

func value[T any](resp *http.Response, body []byte, v *T) (T, error) {
	if v != nil {
		return *v, nil
	}
	var none T
	if err := Check(resp, body); err != nil {
		return none, err
	}
	return none, errNoAnswer
}
