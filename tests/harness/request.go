package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// patience is how long a test waits for what must come. It is no measure of speed.
const patience = 30 * time.Second

// With changes a request before it is sent.
type With func(r *http.Request)

// JSON is a body as JSON.
func JSON(v any) With {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return Raw("application/json", string(body))
}

// Form is a body as a form, of names and values in turn.
func Form(namesAndValues ...string) With {
	form := url.Values{}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		form.Add(namesAndValues[i], namesAndValues[i+1])
	}
	return Raw("application/x-www-form-urlencoded", form.Encode())
}

// Raw is a body as it stands; an empty type sends no Content-Type.
func Raw(contentType, body string) With {
	return func(r *http.Request) {
		r.Body = io.NopCloser(bytes.NewReader([]byte(body)))
		r.ContentLength = int64(len(body))
		if contentType != "" {
			r.Header.Set("Content-Type", contentType)
		}
	}
}

// Header sets a header.
func Header(name, value string) With {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// Query adds a parameter.
func Query(name, value string) With {
	return func(r *http.Request) {
		if r.URL.RawQuery != "" {
			r.URL.RawQuery += "&"
		}
		r.URL.RawQuery += url.QueryEscape(name) + "=" + url.QueryEscape(value)
	}
}

// Queries adds parameters as they stand.
func Queries(raw string) With {
	return func(r *http.Request) { r.URL.RawQuery = strings.TrimPrefix(r.URL.RawQuery+"&"+raw, "&") }
}

type fromKey struct{}

// From makes a request come from another address of the loopback network; see Elsewhere.
func From(address string) With {
	return func(r *http.Request) { *r = *r.WithContext(context.WithValue(r.Context(), fromKey{}, address)) }
}

// Elsewhere is a loopback address that is not the client's usual one. Where the machine has no second
// one, the test is skipped.
func Elsewhere(tb testing.TB) string {
	tb.Helper()
	const second = "127.0.0.2"
	l, err := net.Listen("tcp", second+":0")
	if err != nil {
		tb.Skipf("this machine has no %s: %v", second, err)
	}
	_ = l.Close()
	return second
}

// After is the parameter of streams, polls and histories.
func After(id int64) With { return Query("after", fmt.Sprint(id)) }

// Cookie sends the token as the session cookie instead of a bearer.
func Cookie(token string) With {
	return func(r *http.Request) {
		r.Header.Del("Authorization")
		r.Header.Set("Cookie", "parley_session="+token)
	}
}

// NewRequest makes a request to the path, which may have a query, as it stands.
func (s *Server) NewRequest(ctx context.Context, method, path string, with ...With) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.URL()+path, nil)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	for _, w := range with {
		w(req)
	}
	return req, nil
}

// Do makes one call and reads the answer to its end.
func (s *Server) Do(method, path string, with ...With) *Answer {
	s.tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.tb.Context()), 3*patience)
	defer cancel()
	a, err := s.try(ctx, method, path, with...)
	if err != nil {
		s.tb.Fatalf("%s %s: %v", method, path, err)
	}
	a.tb = s.tb
	return a
}

// Try is Do for other goroutines and for servers that may be gone: it gives the error.
func (s *Server) Try(ctx context.Context, method, path string, with ...With) (*Answer, error) {
	a, err := s.try(ctx, method, path, with...)
	if err != nil {
		return nil, err
	}
	a.tb = s.tb
	return a, nil
}

func (s *Server) try(ctx context.Context, method, path string, with ...With) (*Answer, error) {
	req, err := s.NewRequest(ctx, method, path, with...)
	if err != nil {
		return nil, err
	}
	resp, err := Client().Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	return &Answer{call: method + " " + path, Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// Soon is a context for what must not take long.
func Soon(tb testing.TB) (context.Context, context.CancelFunc) {
	return context.WithTimeout(tb.Context(), patience)
}

// Eventually asks until ok is true, and ends the test when it takes too long.
func Eventually(tb testing.TB, what string, ok func() bool) {
	tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(limit) {
			tb.Fatalf("it never came to be: %s", what)
		}
		<-tick.C
	}
}
