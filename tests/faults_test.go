package tests

import (
	"testing"

	"parley/client"
	"parley/internal/app"
	"parley/tests/harness"
)

// Wherever the database fails, what was answered 503 is not there, nobody was told of it, and the next
// who comes is served.
func TestNothingHalfDone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "private")
		stream := bob.Stream()
		calls := map[string]func() *harness.Answer{
			"send":   func() *harness.Answer { return send(ann, map[string]any{"text": "lost", "nonce": "1"}) },
			"direct": func() *harness.Answer { return send(ann, map[string]any{"to": "@bob", "text": "lost"}) },
			"rename": func() *harness.Answer { return ann.Post("/v1/rename", map[string]any{"name": "lost"}) },
			"create": func() *harness.Answer { return ann.Post("/v1/rooms", map[string]any{"name": "lost"}) },
			"add":    func() *harness.Answer { return ann.Put("/v1/rooms/tea/members/@bob", nil) },
			"delete": func() *harness.Answer { return ann.Delete("/v1/rooms/tea") },
			"guest":  func() *harness.Answer { return s.Do("POST", "/v1/guest", harness.Form("name", "lost")) },
			"register": func() *harness.Answer {
				return s.Do("POST", "/v1/register", harness.Form("name", "lost", "password", harness.Password))
			},
			"logout": func() *harness.Answer { return ann.Post("/v1/logout", nil) },
		}
		check := unchanged(t, bob)
		for name, call := range calls {
			for _, ops := range [][]string{{harness.Begin}, {harness.Insert}, {harness.Commit}, {harness.Insert, harness.Commit}} {
				ann.Get("/v1/me").Want(200)
				s.Break(ops...)
				a := call()
				s.Mend()
				if a.Status != 503 {
					t.Errorf("%s with no %v: %d %s", name, ops, a.Status, a.Body)
				}
			}
		}
		check()
		// The nonce of what failed is free: a retry does it, once.
		first := harness.Into[client.Message](calls["send"]().Want(201))
		if again := harness.Into[client.Message](calls["send"]().Want(200)); again.ID != first.ID {
			t.Errorf("sent %d and %d", first.ID, again.ID)
		}
		if got := stream.UntilID(first.ID); len(got) != 1 || got[0].ID != first.ID {
			t.Errorf("bob was told of %v", got)
		}
	})
}

// Reads that fail are 503 too, and streams that are open live on.
func TestReadsFail(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	stream := bob.Stream()
	for _, path := range []string{"/v1/me", "/v1/rooms", "/v1/rooms/lobby/messages", "/v1/users", "/v1/who", "/v1/events?wait=0", "/readyz"} {
		ann.Get("/v1/me").Want(200)
		s.Break(harness.Read)
		ann.Get(path).Refused("unavailable")
		s.Mend()
		ann.Get(path).Want(200)
	}
	end := ann.Send("lobby", "on we go").ID
	if got := stream.UntilID(end); len(got) != 1 {
		t.Errorf("bob got %v", got)
	}
}

// A fault while a stream is opened keeps no place of it.
func TestFaultsLeaveNoStreams(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	ticket := harness.Query("ticket", newTicket(ann).Ticket)
	ann.Get("/v1/me").Want(200)
	for _, fault := range []func(){func() { s.Break() }, s.Panic} {
		fault()
		for range 40 {
			for _, path := range []string{"/v1/events/stream", "/v1/events/ndjson", "/v1/events?wait=0"} {
				ann.Get(path).Want(500, 503)
			}
			s.Do("GET", "/v1/events/stream", ticket).Want(500, 503)
		}
		s.Mend()
		ann.Stream().Close()
		s.Stream(ticket).Close()
		ann.Get("/v1/events?wait=0").Want(200)
	}
}

// Who comes when too many wait is told to come again, at once.
func TestFullQueue(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Tune(func(o *app.Options) { o.QueueSize, o.BatchSize = 2, 1 }))
	ann := s.User("ann")
	release := s.Hold(harness.Commit)
	defer release()
	const many = 10
	statuses := make(chan int, many)
	for range many {
		go func() {
			a, err := s.Try(t.Context(), "POST", "/v1/send", ann.Bearer(), harness.Form("text", "hi"))
			if err != nil {
				t.Error(err)
				statuses <- 0
				return
			}
			statuses <- a.Status
		}()
	}
	// One is at the commit and two wait: all others are refused without anybody being served.
	refused := 0
	for range many - 3 {
		if status := <-statuses; status != 503 {
			t.Errorf("answered %d while nothing could be done", status)
		}
		refused++
	}
	release()
	for range 3 {
		if status := <-statuses; status != 201 {
			t.Errorf("who waited was answered %d", status)
		}
	}
	if got := ann.History("lobby"); len(got) != many-refused {
		t.Errorf("%d messages, %d were refused", len(got), refused)
	}
}
