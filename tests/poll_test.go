package tests

import (
	"fmt"
	"testing"
	"time"

	"parley/tests/harness"
)

// polled is the answer of a long poll.
type polled struct {
	Events []harness.Event `json:"events"`
	Cursor int64           `json:"cursor"`
	More   bool            `json:"more"`
}

func poll(u *harness.User, with ...harness.With) polled {
	return harness.Into[polled](u.Get("/v1/events", with...).Want(200))
}

func TestPollWithoutWaiting(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		none := harness.Query("wait", "0")
		start := bob.Head()
		if p := poll(bob, none); len(p.Events) > 0 || p.More || p.Cursor != start {
			t.Errorf("from now: %+v", p)
		}
		var sent []int64
		for range 5 {
			sent = append(sent, ann.Send("lobby", "hi").ID)
		}
		hidden := ann.Room("tea", "private").ID + 1 // bob's position moves over what is not his
		at := start
		for i := 0; i < 5; i += 2 {
			p := poll(bob, none, harness.After(at), harness.Query("limit", "2"))
			want := sent[i:min(i+2, 5)]
			if len(p.Events) != len(want) || p.Events[0].ID != want[0] || p.Events[len(want)-1].ID != want[len(want)-1] {
				t.Fatalf("after %d: %+v, want %v", at, p, want)
			}
			if last := i == 4; p.More == last || !last && p.Cursor != want[1] || last && p.Cursor != hidden {
				t.Errorf("after %d: cursor %d, more %v", at, p.Cursor, p.More)
			}
			at = p.Cursor
		}
		if p := poll(bob, none, harness.After(at)); len(p.Events) > 0 || p.More || p.Cursor != at {
			t.Errorf("at the head: %+v", p)
		}
		if p := poll(bob, none, harness.After(0)); len(p.Events) != 5 {
			t.Errorf("from the beginning: %+v", p)
		}
	})
}

func TestPollWaits(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "private")
		start := bob.Head()
		answers := make(chan *harness.Answer, 2)
		for _, query := range []string{"", "&types=message.created&rooms=lobby"} {
			go func() {
				a, err := s.Try(t.Context(), "GET", "/v1/events?wait=60&after="+id(start)+query, bob.Bearer())
				if err != nil {
					t.Error(err)
				}
				answers <- a
			}()
		}
		ann.Send("tea", "not for bob")
		message := ann.Send("lobby", "hi").ID
		for range 2 {
			a := <-answers
			if a == nil {
				return
			}
			if p := harness.Into[polled](a.Want(200)); len(p.Events) != 1 || p.Events[0].ID != message || p.Cursor != message {
				t.Errorf("got %+v, want the message %d", p, message)
			}
		}
		// In vain: the position moves all the same.
		ann.Send("tea", "not for bob")
		end := ann.Head()
		began := time.Now()
		if p := poll(bob, harness.After(message), harness.Query("wait", "1")); len(p.Events) > 0 || p.Cursor != end || p.More {
			t.Errorf("got %+v, want nothing up to %d", p, end)
		}
		if took := time.Since(began); took < 900*time.Millisecond {
			t.Errorf("waited for %v only", took)
		}
	})
}

func TestPollRefusals(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	head := ann.Send("lobby", "hi").ID
	for _, after := range []string{id(head + 1), "9007199254740991"} {
		p := ann.Get("/v1/events", harness.Query("after", after), harness.Query("wait", "0")).Refused("cursor_expired")
		if *p.Cursor != head || *p.Oldest < 1 || *p.Oldest > head {
			t.Errorf("after %s: oldest %d, cursor %d, head %d", after, *p.Oldest, *p.Cursor, head)
		}
	}
	for _, tt := range []struct{ query, field string }{
		{"after=abc", "after"}, {"after=-1", "after"}, {"after=", "after"}, {"after=1.5", "after"}, {"after=9007199254740992", "after"},
		{"after=+1", "after"}, {"after=%00", "after"}, {"after=%ff", "after"},
		{"wait=61", "wait"}, {"wait=-1", "wait"}, {"wait=abc", "wait"}, {"wait=0.5", "wait"}, {"wait=", "wait"},
		{"limit=201&wait=0", "limit"},
	} {
		ann.Get("/v1/events?"+tt.query).Refused("validation_failed", tt.field)
	}
}

// At most 32 polls of a session wait, and the session's end is theirs too.
func TestPollLimit(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	head := ann.Head()
	answers := make(chan error, 32)
	for range 32 {
		go func() {
			for { // the probe below may take a place for a moment
				a, err := s.Try(t.Context(), "GET", "/v1/events?wait=60", ann.Bearer(), harness.After(head))
				if err == nil && a.Status == 429 {
					continue
				}
				if err == nil && a.Status != 200 {
					err = fmt.Errorf("%d: %s", a.Status, a.Body)
				}
				answers <- err
				return
			}
		}()
	}
	harness.Eventually(t, "a 33rd poll is refused", func() bool {
		a := ann.Get("/v1/events?wait=0").Want(200, 429)
		if a.Status == 429 {
			a.Refused("rate_limited")
		}
		return a.Status == 429
	})
	ann.Stream().Close() // a stream is no poll
	s.Login("ann").Get("/v1/events?wait=0").Want(200)
	ann.Post("/v1/logout", nil).Want(204)
	for range 32 {
		if err := <-answers; err != nil {
			t.Error(err)
		}
	}
	ann.Get("/v1/events?wait=0").Refused("unauthorized")
}
