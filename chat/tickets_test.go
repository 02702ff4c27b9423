package chat

import (
	"context"
	"errors"
	"testing"
	"time"

	"parley/models"
)

// gate is a Store whose next command waits.
type gate struct {
	Store
	held, release chan struct{}
}

func (g *gate) Do(ctx context.Context, cmd Command) error {
	if held := g.held; held != nil {
		g.held = nil
		close(held)
		<-g.release
	}
	return g.Store.Do(ctx, cmd)
}

// A client whose connection breaks comes back at once, often before the server has noted the end of the old
// one. The ticket is good however long that stream was open.
func TestTicketIsUsedWhileItsStreamCloses(t *testing.T) {
	t.Parallel()
	m := newMemory()
	g := &gate{Store: m}
	s := m.service()
	s.store = g
	ann := m.add(t, s, "ann", models.RoleMember, "")
	ctx := t.Context()
	ticket, _, err := s.NewTicket(ctx, ann)
	if err != nil {
		t.Fatal(err)
	}
	_, release, err := s.UseTicket(ctx, ticket)
	if err != nil {
		t.Fatal(err)
	}
	m.advance(time.Hour)
	held := make(chan struct{})
	g.held, g.release = held, make(chan struct{})
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		release(ctx)
	}()
	<-held
	_, again, err := s.UseTicket(ctx, ticket)
	if err != nil {
		t.Fatalf("while the close is noted: %v", err)
	}
	close(g.release)
	<-closed
	if k := m.tickets[string(hashToken(ticket))]; !k.ClosedAt.IsZero() {
		t.Errorf("a ticket with an open stream is noted as closed: %+v", k)
	}
	m.advance(time.Hour)
	again(ctx)
	m.advance(TicketReconnect + time.Second)
	if _, _, err := s.UseTicket(ctx, ticket); models.CodeOf(err) != models.CodeUnauthorized {
		t.Errorf("two minutes after the last close: %v", err)
	}
	if len(s.tickets.uses) > 0 {
		t.Errorf("the desk keeps %v", s.tickets.uses)
	}
}

// Two who come at the same time do not vouch for each other.
func TestTicketIsOverForTwoAtOnce(t *testing.T) {
	t.Parallel()
	m := newMemory()
	g := &gate{Store: m}
	s := m.service()
	s.store = g
	ann := m.add(t, s, "ann", models.RoleMember, "")
	ctx := t.Context()
	ticket, _, _ := s.NewTicket(ctx, ann)
	_, release, err := s.UseTicket(ctx, ticket)
	if err != nil {
		t.Fatal(err)
	}
	release(ctx)
	m.advance(TicketReconnect + time.Second)
	held := make(chan struct{})
	g.held, g.release = held, make(chan struct{})
	first := make(chan error, 1)
	go func() {
		_, _, err := s.UseTicket(ctx, ticket)
		first <- err
	}()
	<-held
	_, _, second := s.UseTicket(ctx, ticket)
	close(g.release)
	for _, err := range []error{second, <-first} {
		if models.CodeOf(err) != models.CodeUnauthorized {
			t.Errorf("got %v", err)
		}
	}
}

// Where the close cannot be written down, the time to reconnect counts all the same.
func TestTicketWhoseCloseIsNotNoted(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]time.Duration{"soon": TicketReconnect - time.Second, "late": TicketReconnect + time.Second} {
		m := newMemory()
		s := m.service()
		ann := m.add(t, s, "ann", models.RoleMember, "")
		ctx := t.Context()
		ticket, _, _ := s.NewTicket(ctx, ann)
		_, release, err := s.UseTicket(ctx, ticket)
		if err != nil {
			t.Fatal(err)
		}
		m.advance(time.Hour)
		m.fail(errors.New("the disk is full"))
		release(ctx)
		m.fail(nil)
		m.advance(after)
		if _, _, err := s.UseTicket(ctx, ticket); (err == nil) != (name == "soon") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Each start closes what the process before it left open, once.
func TestTicketsLeftOpen(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := m.service()
	ann := m.add(t, s, "ann", models.RoleMember, "")
	ctx := t.Context()
	ticket, _, _ := s.NewTicket(ctx, ann)
	if _, _, err := s.UseTicket(ctx, ticket); err != nil {
		t.Fatal(err)
	}
	restart := func() *Service {
		t.Helper()
		next := m.service()
		if err := next.Start(ctx); err != nil {
			t.Fatal(err)
		}
		return next
	}
	m.advance(time.Hour)
	restart()
	m.advance(TicketReconnect - time.Second)
	if _, _, err := restart().UseTicket(ctx, ticket); err != nil {
		t.Errorf("within two minutes of the start after the crash: %v", err)
	}
	restart() // it crashed again
	for range 3 {
		m.advance(TicketReconnect + time.Second)
		if _, _, err := restart().UseTicket(ctx, ticket); models.CodeOf(err) != models.CodeUnauthorized {
			t.Errorf("later than that: %v", err)
		}
	}
}

// A session that has ended since the request came in gets no ticket.
func TestNoTicketForAnEndedSession(t *testing.T) {
	t.Parallel()
	m := newMemory()
	s := m.service()
	ann := m.add(t, s, "ann", models.RoleMember, "")
	if err := s.Logout(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.NewTicket(t.Context(), ann); models.CodeOf(err) != models.CodeUnauthorized {
		t.Errorf("got %v", err)
	}
	if err := s.Logout(t.Context(), ann); models.CodeOf(err) != models.CodeUnauthorized {
		t.Errorf("a second logout: %v", err)
	}
}
