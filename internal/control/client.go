package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"parley/models"
)

// Client makes the calls. Refusals are models.Errors, as the rules gave them.
type Client struct {
	http     http.Client
	operator string
}

// ErrNobody says that no server answers in the directory.
var ErrNobody = errors.New("no server answers")

// Dial finds the server that runs on the directory; ErrNobody where there is none. operator is the
// name of who asks.
func Dial(ctx context.Context, dir, operator string) (*Client, error) {
	probe, err := connect(ctx, dir)
	if err != nil {
		return nil, err
	}
	_ = probe.Close()
	return &Client{operator: operator, http: http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return connect(ctx, dir) },
	}}}, nil
}

// Direct is a Client whose calls h answers in this process.
func Direct(h http.Handler, operator string) *Client {
	return &Client{operator: operator, http: http.Client{Transport: direct{h}}}
}

// List gives a page of users.
func (c *Client) List(ctx context.Context, r ListRequest) (out ListAnswer, err error) {
	return out, c.call(ctx, pathList, r, &out)
}

// Role gives a user a role.
func (c *Client) Role(ctx context.Context, r RoleRequest) (out User, err error) {
	return out, c.call(ctx, pathRole, r, &out)
}

// Password gives a user a password.
func (c *Client) Password(ctx context.Context, r PasswordRequest) error {
	return c.call(ctx, pathPassword, r, nil)
}

// Kick ends a user's sessions.
func (c *Client) Kick(ctx context.Context, r KickRequest) error {
	return c.call(ctx, pathKick, r, nil)
}

// Ban bans a user.
func (c *Client) Ban(ctx context.Context, r BanRequest) (out Ban, err error) {
	return out, c.call(ctx, pathBan, r, &out)
}

// Unban lifts a user's ban.
func (c *Client) Unban(ctx context.Context, r UnbanRequest) error {
	return c.call(ctx, pathUnban, r, nil)
}

// call makes one call and decodes its answer into out, where that is not nil.
func (c *Client) call(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fmt.Errorf("encode the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://parley"+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("make the request: %w", err)
	}
	req.Header.Set(operatorHeader, c.operator)
	resp, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("read the server's answer: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		if out == nil {
			return nil
		}
		if err := json.Unmarshal(raw, out); err != nil {
			return fmt.Errorf("decode the server's answer: %w", err)
		}
		return nil
	case http.StatusUnprocessableEntity:
		var r refusal
		if err := json.Unmarshal(raw, &r); err != nil {
			return fmt.Errorf("decode the server's refusal: %w", err)
		}
		return &models.Error{Code: r.Code, Detail: r.Detail}
	case http.StatusNotFound:
		return errors.New("the running server is of another version, which does not know this command")
	default:
		return fmt.Errorf("the server answers %s", resp.Status)
	}
}

// direct is a RoundTripper without a network.
type direct struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	d.handler.ServeHTTP(w, r)
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Header: w.header, Body: io.NopCloser(&w.body), Request: r,
	}, nil
}

// recorder keeps what a handler writes.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) { w.status = status }

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }
