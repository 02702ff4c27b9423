package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/models"
)

const (
	// TicketFirstUse is how soon a ticket must be used first.
	TicketFirstUse = 30 * time.Second
	// TicketReconnect is how long it stays good after its last stream closed.
	TicketReconnect = 2 * time.Minute
	// TicketStreams is how many streams may be open on one ticket.
	TicketStreams = 4
	// closeTimeout bounds the note that a ticket's last stream closed, which is written
	// after the request has ended.
	closeTimeout = 5 * time.Second
)

// NewTicket makes a ticket for the actor's session, and says until when it must be used first.
func (s *Service) NewTicket(ctx context.Context, a Actor) (ticket string, until models.Time, err error) {
	ticket, hash := newToken()
	until, err = do(ctx, s, func(tx Tx) (models.Time, error) {
		now := tx.Now()
		if err := living(tx, a); err != nil {
			return now, err
		}
		err := tx.InsertTicket(models.Ticket{
			Hash: hash, SessionID: a.Session.ID, UserID: a.User.ID, CreatedAt: now,
		})
		if err != nil {
			return now, fmt.Errorf("insert ticket: %w", err)
		}
		return models.At(now.Add(TicketFirstUse)), nil
	})
	return ticket, until, err
}

// UseTicket gives who a stream's ticket stands for. release must be called when the stream has
// closed; of its context only the values count. rate_limited where four streams are open on it.
func (s *Service) UseTicket(ctx context.Context, ticket string) (a Actor, release func(context.Context), err error) {
	hash := hashToken(ticket)
	before, ok := s.tickets.take(hash)
	if !ok {
		return a, nil, &models.Error{
			Code: models.CodeRateLimited, RetryAfter: time.Second, Limit: TicketStreams,
			Detail: fmt.Sprintf("%d streams are open on this ticket already", before),
		}
	}
	admitted := false
	defer func() {
		if !admitted { // also when the database panics
			s.tickets.refuse(hash)
		}
	}()
	if a, err = s.checkTicket(ctx, hash); err != nil {
		return a, nil, err
	}
	s.tickets.admit(hash)
	admitted = true
	s.idle.see(a)
	s.desk.note(a.User)
	return a, func(ctx context.Context) { s.closeTicket(context.WithoutCancel(ctx), hash) }, nil
}

// checkTicket reads and marks the ticket in one command, so that a close and a reconnect at
// the same time are in order.
func (s *Service) checkTicket(ctx context.Context, hash []byte) (Actor, error) {
	return do(ctx, s, func(tx Tx) (Actor, error) {
		t, err := tx.Ticket(hash)
		if errors.Is(err, ErrNotFound) {
			return Actor{}, errTicket()
		}
		if err != nil {
			return Actor{}, fmt.Errorf("read ticket: %w", err)
		}
		if !s.ticketGood(t, tx.Now()) {
			return Actor{}, errTicket()
		}
		if err := tx.SetTicketUse(hash, tx.Now(), models.Time{}); err != nil {
			return Actor{}, fmt.Errorf("mark ticket: %w", err)
		}
		return ticketActor(tx, t, tx.Now())
	})
}

// ticketGood applies the rules of first use and of reconnects.
func (s *Service) ticketGood(t models.Ticket, now models.Time) bool {
	if t.UsedAt.IsZero() {
		return now.Sub(t.CreatedAt.Time) <= TicketFirstUse
	}
	open, closed := s.tickets.state(t.Hash)
	if open {
		return true
	}
	// Used at: a stream may have been let in that the desk does not have yet.
	for _, at := range []time.Time{t.ClosedAt.Time, t.UsedAt.Time} {
		if at.After(closed) {
			closed = at
		}
	}
	return now.Sub(closed) <= TicketReconnect
}

func errTicket() error {
	return models.Refuse(models.CodeUnauthorized, "the ticket is unknown or was not used in time: get another one")
}

// ticketActor gives the ticket's session, which must still live.
func ticketActor(r Reader, t models.Ticket, now models.Time) (Actor, error) {
	session, err := r.Session(t.SessionID)
	if errors.Is(err, ErrNotFound) || err == nil && now.After(session.ExpiresAt.Time) {
		return Actor{}, errTicket()
	}
	if err != nil {
		return Actor{}, fmt.Errorf("read session: %w", err)
	}
	user, err := r.User(t.UserID)
	if errors.Is(err, ErrNotFound) {
		return Actor{}, errTicket()
	}
	if err != nil {
		return Actor{}, fmt.Errorf("read the ticket's user: %w", err)
	}
	return Actor{User: user, Session: session}, nil
}

// closeTicket notes that a stream has closed, from when the time to reconnect counts.
func (s *Service) closeTicket(ctx context.Context, hash []byte) {
	closed := s.now()
	if !s.tickets.leave(hash, closed) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	err := s.store.Do(ctx, func(tx Tx) error { return s.noteClose(tx, hash, models.At(closed)) })
	if err != nil {
		// The desk remembers it; a new start counts the ticket as closed then.
		s.log.WarnContext(ctx, "note that a ticket's stream closed", "error", err)
		return
	}
	s.tickets.noted(hash, closed)
}

// noteClose writes the close down, unless the ticket has ended with its session or somebody has come back
// meanwhile, whose own close counts then.
func (s *Service) noteClose(tx Tx, hash []byte, closed models.Time) error {
	t, err := tx.Ticket(hash)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read ticket: %w", err)
	}
	if open, _ := s.tickets.state(hash); open || t.UsedAt.After(closed.Time) {
		return nil
	}
	if err := tx.SetTicketUse(hash, t.UsedAt, closed); err != nil {
		return fmt.Errorf("mark ticket: %w", err)
	}
	return nil
}

// closeLeftTickets gives tickets that the last process left open, since it died, this start as the time
// of their close. Else they would be good anew after each start.
func (s *Service) closeLeftTickets(ctx context.Context) error {
	err := s.store.Do(ctx, func(tx Tx) error { return tx.CloseTickets(models.At(s.started)) })
	if err != nil {
		return fmt.Errorf("close tickets: %w", err)
	}
	return nil
}
