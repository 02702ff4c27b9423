package tests

import (
	"net/http"
	"testing"
	"time"

	"parley/client"
	"parley/internal/app"
	"parley/tests/harness"
)

func TestStreamHeaders(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		for media, st := range map[string]*harness.Stream{"text/event-stream": ann.Stream(), "application/x-ndjson": ann.NDJSON()} {
			for name, want := range map[string]string{
				"Content-Type": media, "Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Length": "",
				"Content-Encoding": "", "X-Content-Type-Options": "nosniff",
			} {
				if got := st.Header.Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", media, name, got, want)
				}
			}
		}
		poll := ann.Get("/v1/events?wait=0")
		if got := poll.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("the poll may be kept: %q", got)
		}
	})
}

func TestReady(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		head := ann.Send("lobby", "hi").ID
		for name, tt := range map[string]struct {
			with    []harness.With
			cursor  int64
			resumed bool
		}{
			"now":                {nil, head, false},
			"from the head":      {[]harness.With{harness.After(head)}, head, true},
			"from before":        {[]harness.With{harness.After(1)}, 1, true},
			"from the beginning": {[]harness.With{harness.After(0)}, 0, true},
			"by the header":      {[]harness.With{harness.Header("Last-Event-ID", "1")}, 1, true},
			"the header wins":    {[]harness.With{harness.Header("Last-Event-ID", id(head)), harness.After(0)}, head, true},
			"an empty header":    {[]harness.With{harness.Header("Last-Event-ID", ""), harness.After(1)}, 1, true},
		} {
			for _, open := range []func(...harness.With) *harness.Stream{ann.Stream, ann.NDJSON} {
				ready := open(tt.with...).Ready
				data := harness.DataOf[client.ReadyData](ready)
				if data.Cursor != tt.cursor || data.Resumed != tt.resumed || data.User.ID != ann.ID || data.User.Name != "ann" {
					t.Errorf("%s: ready has %+v", name, data)
				}
			}
		}
	})
}

// retry is jittered between half a second and two.
func TestRetry(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	seen := map[time.Duration]bool{}
	for range 20 {
		st := ann.Stream()
		if r := st.Ready.Retry; r < 500*time.Millisecond || r > 2*time.Second {
			t.Errorf("retry after %v", r)
		}
		seen[st.Ready.Retry] = true
		st.Close()
	}
	if len(seen) < 2 {
		t.Errorf("every stream comes back after %v", seen)
	}
}

// What happens comes at once and in order, to those who are there.
func TestLive(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "private")
		sse, lines := bob.Stream(), bob.NDJSON()
		ann.Send("tea", "not for bob")
		var sent []int64
		for range 5 {
			sent = append(sent, ann.Send("lobby", "hi").ID)
		}
		for _, st := range []*harness.Stream{sse, lines} {
			for _, want := range sent {
				if e := st.Next(); e.ID != want || e.Type != "message.created" {
					t.Errorf("got %s, want the message %d", e.JSON, want)
				}
			}
		}
	})
}

// A heartbeat says how far the quiet stream was examined; it can be resumed from.
func TestHeartbeat(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "private")
		for _, st := range []*harness.Stream{bob.Stream(), bob.NDJSON()} {
			head := ann.Send("tea", "not for bob").ID
			for {
				e := st.Any()
				if e.Type == "presence.changed" {
					continue
				}
				if e.Type != "heartbeat" {
					t.Fatalf("got %s", e.JSON)
				}
				if harness.DataOf[client.HeartbeatData](e).Cursor == head {
					break
				}
			}
		}
	}, harness.Tune(func(o *app.Options) { o.Heartbeat = 50 * time.Millisecond }))
}

// Resume by the last id seen, over and over: each event comes once.
func TestResume(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		start := bob.Head()
		var sent []int64
		for range 30 {
			sent = append(sent, ann.Send("lobby", "hi").ID)
		}
		at, got := start, []int64(nil)
		for i := 0; len(got) < len(sent); i++ {
			if i == 4 {
				s.Restart()
			}
			with := harness.After(at)
			if i%2 == 0 {
				with = harness.Header("Last-Event-ID", id(at))
			}
			open := bob.Stream
			if i%3 == 0 {
				open = bob.NDJSON
			}
			st := open(with)
			for range min(5, len(sent)-len(got)) {
				e := st.Next()
				got, at = append(got, e.ID), e.ID
			}
			st.Close()
		}
		for i := range sent {
			if got[i] != sent[i] {
				t.Fatalf("got %v, sent %v", got, sent)
			}
		}
	})
}

// after=0 is all that one may get: what is for everyone, from the own registration on.
func TestFromTheBeginning(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		ann.Send("lobby", "before bob")
		ann.Room("early", "public")
		bob := s.User("bob")
		want := []int64{ann.Send("lobby", "after bob").ID, ann.Room("late", "public").ID}
		end := ann.Send("lobby", "end").ID
		want = append(want, end)
		var got []int64
		for _, e := range bob.Stream(harness.After(0)).UntilID(end) {
			got = append(got, e.ID)
		}
		if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
			t.Errorf("bob got %v, want %v", got, want)
		}
		// To ann it is all hers, the lobby's own beginning apart.
		if events := ann.Events(0); len(events) == 0 || events[0].Text() != "before bob" {
			t.Errorf("ann got %v", events)
		}
	})
}

// A position that was never given out gets a reset and goes on; no error, at which an EventSource would
// give up.
func TestReset(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	head := ann.Send("lobby", "hi").ID
	for _, cursor := range []string{
		"abc", "-1", "+1", "1.0", "1e3", " 1", "0x1", "null", id(head + 1), "9007199254740991", "9007199254740992",
		"99999999999999999999999", "1,2", "٤", "\x00", "\xff", "%", "☃",
	} {
		streams := map[string]*harness.Stream{"after": ann.Stream(harness.Query("after", cursor)), "lines": ann.NDJSON(harness.Query("after", cursor))}
		if cursor != "\x00" && cursor != " 1" { // no header can be so
			streams["header"] = ann.Stream(harness.Header("Last-Event-ID", cursor), harness.After(1))
		}
		for how, st := range streams {
			ready := harness.DataOf[client.ReadyData](st.Ready)
			reset := st.Want("reset")[0]
			data := harness.DataOf[client.ResetData](reset)
			if data.Cursor != head || ready.Cursor != head || ready.Resumed || data.Oldest < 1 || data.Oldest > head {
				t.Errorf("%q by %s: ready %+v, reset %+v", cursor, how, ready, data)
			}
			if how != "lines" && reset.SSEID != id(head) {
				t.Errorf("%q by %s: the reset has the id %q", cursor, how, reset.SSEID)
			}
			st.Close()
		}
	}
	empty := ann.Stream(harness.Query("after", ""))
	empty.Want("reset")
	next := ann.Send("lobby", "on we go")
	if e := empty.Next(); e.ID != next.ID {
		t.Errorf("after the reset came %s", e.JSON)
	}
}

func TestStreamAccept(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	for path, media := range map[string]string{"/v1/events/stream": "text/event-stream", "/v1/events/ndjson": "application/x-ndjson"} {
		for _, accept := range []string{"application/json", "text/html", "image/*", media + ";q=0", media + "x"} {
			ann.Get(path, harness.Header("Accept", accept)).Refused("not_acceptable")
		}
		open := ann.Stream
		if media == "application/x-ndjson" {
			open = ann.NDJSON
		}
		for _, accept := range []string{"", "*/*", media, media[:4] + "*", "text/html, " + media + ";q=0.1", "text/html, */*;q=0.8"} {
			if accept == media[:4]+"*" {
				accept = map[bool]string{true: "text/*", false: "application/*"}[media == "text/event-stream"]
			}
			open(harness.Header("Accept", accept)).Close()
		}
		// A malformed cursor does not spare one the header.
		ann.Get(path, harness.Header("Accept", "text/html"), harness.Query("after", "abc")).Refused("not_acceptable")
	}
}

// At most 32 streams a session.
func TestStreamLimit(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		streams := make([]*harness.Stream, 0, 32)
		for i := range 32 {
			switch i % 3 {
			case 0:
				streams = append(streams, ann.Stream())
			case 1:
				streams = append(streams, ann.NDJSON())
			default:
				streams = append(streams, s.Stream(harness.Query("ticket", newTicket(ann).Ticket)))
			}
		}
		ann.Get("/v1/events/stream").Refused("rate_limited")
		ann.Get("/v1/events/ndjson").Refused("rate_limited")
		s.Do("GET", "/v1/events/stream", harness.Query("ticket", newTicket(ann).Ticket)).Refused("rate_limited")
		s.Login("ann").Stream() // another session
		bob.Stream()
		ann.Get("/v1/events?wait=0").Want(200) // a poll is no stream
		ann.Send("lobby", "hi")
		for _, st := range streams {
			st.Want("message.created")
		}
		streams[0].Close()
		harness.Eventually(t, "a stream is free again", func() bool {
			ctx, cancel := harness.Soon(t)
			defer cancel()
			req, err := s.NewRequest(ctx, http.MethodGet, "/v1/events/stream", ann.Bearer())
			if err != nil {
				t.Fatal(err)
			}
			resp, err := harness.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
		})
	})
}

// A stop of the server ends streams without a farewell: their clients come again.
func TestStreamsEndWithTheServer(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		last := ann.Send("lobby", "one").ID
		sse, lines := ann.Stream(), ann.NDJSON()
		s.Restart()
		for _, st := range []*harness.Stream{sse, lines} {
			if rest := st.End(); len(rest) > 0 {
				t.Errorf("the end was %v", rest)
			}
		}
		next := ann.Send("lobby", "two").ID
		if e := ann.Stream(harness.After(last)).Next(); e.ID != next {
			t.Errorf("after the restart came %s", e.JSON)
		}
	})
}
