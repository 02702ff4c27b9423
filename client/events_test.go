package client

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestEventsResumeFromTheCursorOfEveryFrame(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		after   *int64
		acts    []act
		want    string
		cursors string
	}{
		{
			"after a message", nil,
			[]act{{steps: says(ready(10), message(11), message(12))}, {steps: hangs(ready(12), message(13))}},
			"ready@10 message.created@11 message.created@12 ready@12 message.created@13", "- 12",
		},
		{
			"after ready", nil,
			[]act{{steps: says(ready(10))}, {steps: hangs(ready(10), message(11))}},
			"ready@10 ready@10 message.created@11", "- 10",
		},
		{
			"after a heartbeat", new(int64(3)),
			[]act{{steps: says(ready(3), heartbeat(20))}, {steps: hangs(ready(20), message(21))}},
			"ready@3 heartbeat@20 ready@20 message.created@21", "3 20",
		},
		{
			"from the beginning", new(int64(0)),
			[]act{{steps: says(ready(0))}, {steps: hangs(ready(0), message(1))}},
			"ready@0 ready@0 message.created@1", "0 0",
		},
		{
			"after a reset, backwards too", new(int64(99)),
			[]act{{steps: says(ready(10), reset(10))}, {steps: hangs(ready(10), message(11))}},
			"ready@99 reset@10 ready@10 message.created@11", "99 10",
		},
		{
			"cut between ready and its reset, whose loss would hide a gap", new(int64(5)),
			[]act{{steps: says(ready(100))}, {steps: hangs(ready(100), reset(100), message(101))}},
			"ready@5 ready@5 reset@100 message.created@101", "5 5",
		},
		{
			"cut before the empty line", nil,
			[]act{
				{steps: says(ready(10), message(11)[:len(message(11))-1])},
				{steps: says(ready(10), "id: 11\n")},
				{steps: hangs(ready(10), message(11))},
			},
			"ready@10 ready@10 ready@10 message.created@11", "- 10 10",
		},
		{
			"cut inside the data", nil,
			[]act{{steps: says(ready(10), message(11)[:40])}, {steps: hangs(ready(10), message(11))}},
			"ready@10 ready@10 message.created@11", "- 10",
		},
		{
			"a frame that cannot be read", nil,
			[]act{
				{steps: says(ready(10), message(11), "id: 12\ndata: {\"id\":12,\n\n", message(13))},
				{steps: says(ready(11), "id: 12\ndata: 7\n\n")},
				{steps: says(ready(11), "id: 12\ndata: {\"id\":12}\n\n")},
				{steps: hangs(ready(11), message(12))},
			},
			"ready@10 message.created@11 ready@11 ready@11 ready@11 message.created@12", "- 11 11 11",
		},
		{
			"types that nobody knows yet", nil,
			[]act{{steps: says(ready(10), "id: 11\ndata: {\"id\":11,\"type\":\"poll.opened\","+at+",\"data\":{\"x\":1}}\n\n")}, {steps: hangs(message(12))}},
			"ready@10 poll.opened@11 message.created@12", "- 11",
		},
		{
			"ephemeral events and comments leave the cursor", nil,
			[]act{{steps: says(ready(10), ": hi\n\n", "data: {\"type\":\"typing\","+at+",\"room_id\":1,\"data\":{}}\n\n")}, {steps: hangs(message(11))}},
			"ready@10 typing@10 message.created@11", "- 10",
		},
		{
			"an answer that is no stream", new(int64(4)),
			[]act{{header: http.Header{"Content-Type": {"text/html"}}, steps: says(message(9))}, {steps: hangs(message(5))}},
			"message.created@5", "4 4",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{acts: tt.acts}
				got, err := s.follow(t, EventsOptions{After: tt.after}, countWords(tt.want))
				if err != nil || got != tt.want {
					t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
				}
				if s.cursors() != tt.cursors {
					t.Errorf("resumed from %s, want %s", s.cursors(), tt.cursors)
				}
			})
		})
	}
}

func TestEventsEnd(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		acts  []act
		want  string
		is    error
		tries int
	}{
		{"the session", []act{{steps: hangs(ready(10), ended)}}, "ready@10 session.ended@10", ErrSessionEnded, 1},
		{"401", []act{problem(401, ErrorCodeUnauthorized)}, "", ErrorCodeUnauthorized, 1},
		{"403", []act{problem(403, ErrorCodeBanned)}, "", ErrorCodeBanned, 1},
		{"422", []act{problem(422, ErrorCodeValidationFailed)}, "", ErrorCodeValidationFailed, 1},
		{
			"401 at a reconnect",
			[]act{{steps: says(ready(10))}, problem(503, ErrorCodeUnavailable), problem(401, ErrorCodeUnauthorized)},
			"ready@10", ErrorCodeUnauthorized, 3,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &fakeServer{acts: tt.acts}
				got, err := s.follow(t, EventsOptions{}, -1)
				if got != tt.want || !errors.Is(err, tt.is) || len(s.asked) != tt.tries {
					t.Errorf("got %q, %v after %d tries; want %q, %v after %d", got, err, len(s.asked), tt.want, tt.is, tt.tries)
				}
			})
		})
	}
}

func TestEventsAskForWhatIsWanted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{acts: []act{{steps: hangs(ready(1))}}}
		_, err := s.follow(t, EventsOptions{Rooms: []string{"lobby", "@ann"}, Types: []EventType{EventTypeTyping}}, 1)
		if err != nil {
			t.Fatal(err)
		}
		req := s.asked[0]
		q := req.URL.Query()
		if req.URL.Path != "/v1/events/stream" || q.Get("rooms") != "lobby,@ann" || q.Get("types") != "typing" {
			t.Errorf("asked for %s", req.URL)
		}
		if req.Header.Get("Authorization") != "Bearer secret" || req.Header.Get("Accept") != "text/event-stream" {
			t.Errorf("asked with %v", req.Header)
		}
	})
}

func TestEventsStopWithTheContext(t *testing.T) {
	t.Parallel()
	for name, acts := range map[string][]act{
		"while reading":    {{steps: hangs(ready(1))}},
		"while waiting":    {{steps: says(ready(1))}, {err: errRefused}},
		"while connecting": {{steps: []step{{wait: time.Hour}}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, err := New("http://parley.test", WithHTTPClient(&fakeServer{acts: acts}))
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				defer cancel()
				var last error
				for _, err := range c.Events(ctx, EventsOptions{}) {
					last = err
				}
				if !errors.Is(last, context.DeadlineExceeded) {
					t.Errorf("ended with %v", last)
				}
			})
		})
	}
}

func countWords(s string) int {
	n := 1
	for _, r := range s {
		if r == ' ' {
			n++
		}
	}
	return n
}
