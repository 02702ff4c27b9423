package tests

import (
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

func newTicket(u *harness.User) client.Ticket {
	return harness.Into[client.Ticket](u.Post("/v1/tickets", nil).Want(201))
}

func TestTicket(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	ticket := newTicket(ann)
	if left := time.Until(ticket.ExpiresAt); left < 20*time.Second || left > 31*time.Second {
		t.Errorf("to be used within %v", left)
	}
	use := harness.Query("ticket", ticket.Ticket)
	stream := s.Stream(use)
	if user := harness.DataOf[client.ReadyData](stream.Ready).User; user.ID != ann.ID {
		t.Errorf("the stream is %s's", user.Name)
	}
	ann.Send("lobby", "hello")
	stream.Want("message.created")
	s.Do("GET", "/v1/events/ndjson", use, harness.Header("Accept", "text/html")).Refused("not_acceptable")

	// It is for the two streams only, and no token.
	for _, path := range []string{"/v1/events?wait=0", "/v1/me", "/v1/rooms"} {
		s.Do("GET", path, use).Refused("unauthorized")
	}
	s.Do("POST", "/v1/send", use, harness.Form("text", "hi")).Refused("unauthorized")
	s.Do("GET", "/v1/me", harness.Header("Authorization", "Bearer "+ticket.Ticket)).Refused("unauthorized")
	for _, bad := range []string{"", "nonsense", ann.Token, ticket.Ticket + "x"} {
		s.Do("GET", "/v1/events/stream", harness.Query("ticket", bad)).Refused("unauthorized")
	}
}

func TestTicketStreams(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	use := harness.Query("ticket", newTicket(ann).Ticket)
	other := harness.Query("ticket", newTicket(ann).Ticket)
	streams := make([]*harness.Stream, 0, 4)
	for range 4 {
		streams = append(streams, s.Stream(use))
	}
	for range 2 {
		s.Do("GET", "/v1/events/stream", use).Refused("rate_limited")
		s.Do("GET", "/v1/events/ndjson", use).Refused("rate_limited")
	}
	s.Stream(other) // has its own four
	streams[0].Close()
	harness.Eventually(t, "a stream is free again", func() bool {
		return s.Do("GET", "/v1/events/stream", use, harness.Header("Accept", "text/html")).Status == 406
	})
	s.Stream(use)
	s.Do("GET", "/v1/events/stream", use).Refused("rate_limited")
}

// First use within 30 s, reconnects within 2 min of the last close.
func TestTicketTimes(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	ann := s.User("ann")
	never, late, used := newTicket(ann).Ticket, newTicket(ann).Ticket, newTicket(ann).Ticket
	by := func(ticket string) harness.With { return harness.Query("ticket", ticket) }
	refused := func(ticket string) {
		t.Helper()
		s.Do("GET", "/v1/events/stream", by(ticket)).Refused("unauthorized")
	}
	first := s.Stream(by(used))
	s.Advance(29 * time.Second)
	s.Stream(by(late)).Close()
	s.Advance(2 * time.Second)
	refused(never)

	// While a stream is open, no time ends the ticket.
	s.Advance(time.Hour)
	s.Stream(by(used)).Close()
	first.Close()
	closedBut(t, ann, 0)
	s.Advance(110 * time.Second) // closedBut took the grace of presence
	s.Stream(by(used)).Close()
	closedBut(t, ann, 0)
	// The time counts from when the server has noted the close.
	harness.Eventually(t, "the ticket has ended", func() bool {
		s.Advance(121 * time.Second)
		return s.Do("GET", "/v1/events/stream", by(used), harness.Header("Accept", "text/html")).Status == 401
	})
	refused(used)
	refused(late)
	refused(never)
}

func TestTicketOutlivesARestart(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		open, shut, fresh := newTicket(ann).Ticket, newTicket(ann).Ticket, newTicket(ann).Ticket
		s.Stream(harness.Query("ticket", open))
		s.Stream(harness.Query("ticket", shut)).Close()
		closedBut(t, ann, 1)
		s.Restart()
		for _, ticket := range []string{open, shut, fresh} {
			s.Stream(harness.Query("ticket", ticket)).Close()
		}
		ann.Post("/v1/logout", nil).Want(204)
		s.Restart()
		for _, ticket := range []string{open, shut, fresh} {
			s.Do("GET", "/v1/events/stream", harness.Query("ticket", ticket)).Refused("unauthorized")
		}
	})
}

// closedBut waits until that many are online.
func closedBut(t *testing.T, u *harness.User, online int) {
	t.Helper()
	harness.Eventually(t, "the others' streams are closed", func() bool {
		return harness.Into[client.WhoList](u.Get("/v1/who").Want(200)).Total == online
	})
}

// A session lives for 30 days from its last use.
func TestSessionSlides(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	ann := s.User("ann")
	idle := s.Login("ann")
	for range 4 {
		s.Advance(20 * 24 * time.Hour)
		ann.Get("/v1/me").Want(200)
	}
	idle.Get("/v1/me").Refused("unauthorized")
	s.Restart()
	s.Advance(29 * 24 * time.Hour)
	ann.Get("/v1/me").Want(200)
	s.Advance(30*24*time.Hour + time.Minute)
	ann.Get("/v1/me").Refused("unauthorized")
}

// crashAndStart stops the server so that it can write nothing down any more, and starts it again.
func crashAndStart(s *harness.Server) {
	s.Break(harness.Begin)
	s.Stop()
	s.Mend()
	s.Restart()
}

// What a crash left open counts as closed at the next start, not anew at each.
func TestTicketLeftOpenByACrash(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		used, twice, never := newTicket(ann).Ticket, newTicket(ann).Ticket, newTicket(ann).Ticket
		by := func(ticket string) harness.With { return harness.Query("ticket", ticket) }
		refused := func(tickets ...string) {
			t.Helper()
			for _, ticket := range tickets {
				s.Do("GET", "/v1/events/stream", by(ticket)).Refused("unauthorized")
			}
		}
		s.Stream(by(used))
		s.Stream(by(twice))
		s.Advance(time.Hour)
		ann.Get("/v1/me").Want(200)
		crashAndStart(s)
		s.Advance(110 * time.Second)
		s.Stream(by(twice))
		s.Advance(time.Hour)
		refused(used, never)
		s.Stream(by(twice)) // one is open
		crashAndStart(s)
		refused(used, never)
		s.Advance(110 * time.Second)
		s.Stream(by(twice)).Close()
		closedBut(t, ann, 0)
		crashAndStart(s)
		s.Advance(121 * time.Second)
		refused(used, twice, never)
		s.Restart()
		refused(used, twice, never)
	}, harness.OwnClock())
}

// The four streams are counted over all that comes and goes.
func TestTicketStreamsComeAndGo(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	use := harness.Query("ticket", newTicket(ann).Ticket)
	for range 5 {
		s.Do("GET", "/v1/events/stream", use, harness.Header("Accept", "text/html")).Refused("not_acceptable")
		s.Do("GET", "/v1/events/stream", use, harness.Query("types", "nonsense")).Refused("validation_failed")
	}
	for range 3 {
		var open []*harness.Stream
		for range 4 {
			harness.Eventually(t, "those of before are counted out", func() bool {
				return s.Do("GET", "/v1/events/stream", use, harness.Header("Accept", "text/html")).Status == 406
			})
			open = append(open, s.Stream(use))
		}
		s.Do("GET", "/v1/events/ndjson", use).Refused("rate_limited")
		for _, st := range open {
			st.Close()
		}
	}
}
