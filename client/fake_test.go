package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// act is what the fake server does for one connection.
type act struct {
	status int // 0: 200
	header http.Header
	err    error // the connection fails
	steps  []step
}

// step is a piece of a body: text after a wait. The last one is followed by EOF unless it hangs.
type step struct {
	wait time.Duration
	text string
	hang bool
}

// fakeServer plays its acts in order, the last one again and again, inside the test's bubble
// of time, and notes what it was asked.
type fakeServer struct {
	mu     sync.Mutex
	acts   []act
	asked  []*http.Request
	at     []time.Time
	bodies []*fakeBody
}

func (s *fakeServer) Do(req *http.Request) (*http.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.acts[min(len(s.asked), len(s.acts)-1)]
	s.asked = append(s.asked, req)
	s.at = append(s.at, time.Now())
	if a.err != nil {
		return nil, a.err
	}
	header := a.header
	if header == nil {
		header = http.Header{"Content-Type": {"text/event-stream"}}
	}
	body := &fakeBody{ctx: req.Context(), steps: a.steps}
	s.bodies = append(s.bodies, body)
	return &http.Response{StatusCode: max(a.status, 200), Header: header, Body: body, Request: req}, nil
}

// cursors are the Last-Event-ID of each connection, "-" for none.
func (s *fakeServer) cursors() string {
	var all []string
	for _, r := range s.asked {
		id := r.Header.Get("Last-Event-ID")
		if id == "" {
			id = "-"
		}
		all = append(all, id)
	}
	return strings.Join(all, " ")
}

// waits are the times between connections.
func (s *fakeServer) waits() []time.Duration {
	var all []time.Duration
	for i := 1; i < len(s.at); i++ {
		all = append(all, s.at[i].Sub(s.at[i-1]))
	}
	return all
}

type fakeBody struct {
	ctx    context.Context
	steps  []step
	rest   string
	closed bool
}

func (b *fakeBody) Read(p []byte) (int, error) {
	for b.rest == "" {
		if len(b.steps) == 0 {
			return 0, io.EOF
		}
		s := b.steps[0]
		if s.hang {
			<-b.ctx.Done()
			return 0, b.ctx.Err()
		}
		if err := sleep(b.ctx, s.wait); err != nil {
			return 0, err
		}
		b.steps, b.rest = b.steps[1:], s.text
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

func (b *fakeBody) Close() error { b.closed = true; return nil }

// says is a body that comes at once and then ends.
func says(frames ...string) []step { return []step{{text: strings.Join(frames, "")}} }

// hangs is a body that comes at once and then is silent.
func hangs(frames ...string) []step { return append(says(frames...), step{hang: true}) }

const at = `"at":"2025-03-01T12:00:00.000Z"`

func ready(cursor int) string {
	return fmt.Sprintf("id: %d\ndata: {\"type\":\"ready\",%s,\"data\":{\"cursor\":%d}}\n\n", cursor, at, cursor)
}

func heartbeat(cursor int) string {
	return fmt.Sprintf("id: %d\ndata: {\"type\":\"heartbeat\",%s,\"data\":{\"cursor\":%d}}\n\n", cursor, at, cursor)
}

func reset(cursor int) string {
	return fmt.Sprintf("id: %d\ndata: {\"type\":\"reset\",%s,\"data\":{\"oldest\":1,\"cursor\":%d}}\n\n", cursor, at, cursor)
}

func message(id int) string {
	return fmt.Sprintf("id: %d\ndata: {\"id\":%d,\"type\":\"message.created\",%s,\"room_id\":1,\"data\":{\"message\":{\"id\":%d,\"text\":\"m\"}}}\n\n", id, id, at, id)
}

const ended = "data: {\"type\":\"session.ended\"," + at + ",\"data\":{\"reason\":\"kicked\",\"detail\":\"enough\"}}\n\n"

func problem(status int, code ErrorCode, header ...string) act {
	h := http.Header{"Content-Type": {"application/problem+json"}}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return act{status: status, header: h, steps: says(fmt.Sprintf(
		`{"type":"/problems/%s","title":"T","status":%d,"detail":"why","code":%q,"request_id":"r1"}`, code, status, code))}
}

// follow ranges over the fake's events until `until` of them came or the sequence ends. It gives
// the events in short, and the error.
func (s *fakeServer) follow(t *testing.T, opts EventsOptions, until int) (string, error) {
	t.Helper()
	c, err := New("http://parley.test", WithHTTPClient(s), WithToken("secret"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var last error
	for e, err := range c.Events(t.Context(), opts) {
		if err != nil {
			if last != nil {
				t.Errorf("a second error: %v after %v", err, last)
			}
			last = err
			continue
		}
		if last != nil {
			t.Errorf("the event %s came behind the error %v", e.Type, last)
		}
		got = append(got, fmt.Sprintf("%s@%d", e.Type, e.Cursor))
		if until--; until == 0 {
			break
		}
	}
	for i, b := range s.bodies {
		if !b.closed {
			t.Errorf("the body of connection %d is open", i)
		}
	}
	return strings.Join(got, " "), last
}

var errRefused = errors.New("connection refused")
