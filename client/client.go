package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"
)

// Client makes calls to one server as one user. Make it by New.
type Client struct {
	*ClientWithResponses
	raw   *RawClient
	token atomic.Pointer[string]
}

// Option is a setting of New: WithToken, and every generated ClientOption (WithHTTPClient,
// WithBaseURL, WithRequestEditorFn).
type Option interface{ apply(c *Client) error }

func (o ClientOption) apply(c *Client) error { return o(c.raw) }

type tokenOption string

func (o tokenOption) apply(c *Client) error {
	c.SetToken(string(o))
	return nil
}

// WithToken authenticates every call with a session's token.
func WithToken(token string) Option { return tokenOption(token) }

// New makes a client of the server at baseURL (`http://127.0.0.1:8080`); it opens no connection.
// The HTTP client, http.DefaultClient's like unless WithHTTPClient gives another, should
// have no Timeout: that would cut every stream; use contexts.
func New(baseURL string, opts ...Option) (*Client, error) {
	if u, err := url.Parse(baseURL); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("make client: %q is no http or https URL", baseURL)
	}
	c := &Client{}
	raw, err := NewClient(baseURL, func(raw *RawClient) error {
		c.raw = raw
		for _, o := range opts {
			if err := o.apply(c); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("make client of %s: %w", baseURL, err)
	}
	raw.RequestEditors = append(raw.RequestEditors, c.authorize)
	c.ClientWithResponses = &ClientWithResponses{raw}
	return c, nil
}

// Token is the session's token, empty before a login.
func (c *Client) Token() string {
	if t := c.token.Load(); t != nil {
		return *t
	}
	return ""
}

// SetToken makes all calls from now on, reconnects of a running Events too, use the token; empty
// for none.
func (c *Client) SetToken(token string) { c.token.Store(&token) }

// authorize is the request editor that adds the token, unless the call brought its own.
func (c *Client) authorize(_ context.Context, req *http.Request) error {
	if token := c.Token(); token != "" && req.Header.Get("Authorization") == "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return nil
}
