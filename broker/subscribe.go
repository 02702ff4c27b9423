package broker

import (
	"context"
	"fmt"
	"sync"

	"parley/models"
)

// Subscription says what a stream wants.
type Subscription struct {
	User      models.EventUser // as `ready` names it
	SessionID int64
	// Cursor is the last id that the client has; nil: from now. ResetCursor says that it gave
	// one that is none: the stream opens with `reset`, as for a cursor that has expired.
	Cursor      *int64
	ResetCursor bool
	Filter      Filter
	Format      Format
	// Alive, where set, is asked whether the session still lives, after the stream was
	// registered: from then on EndSession finds it, and what had ended before is seen
	// here. Its error is Subscribe's.
	Alive func(ctx context.Context) error
}

// Stream is one open event stream. It holds a slot of its session from Subscribe until Run
// returns or Close is called.
type Stream struct {
	subscriber
	user    models.EventUser
	resumed bool  // a cursor was given and is good
	reset   bool  // a cursor was given and is not
	oldest  int64 // what `reset` says
	limit   int   // events in the next page of the log
	out     outbox
	release sync.Once
}

// Subscribe registers a stream; Run then writes it. It answers ErrTooManyStreams, ErrClosed, what
// Alive answered, or an error of the log.
func (b *Broker) Subscribe(ctx context.Context, sub Subscription) (*Stream, error) {
	s := newStream(b, sub)
	// First the user, then the log: a membership that begins after the snapshot reaches the index.
	if err := b.index.attach(&s.subscriber); err != nil {
		return nil, err
	}
	// Also when the log panics: a slot that nobody gives back would be lost to the session.
	joined := false
	defer func() {
		if !joined {
			s.Close()
		}
	}()
	if err := s.join(ctx, sub); err != nil {
		return nil, err
	}
	joined = true
	s.arrive()
	return s, nil
}

func newStream(b *Broker, sub Subscription) *Stream {
	s := &Stream{user: sub.User, limit: b.opt.PageSize}
	s.init(b, sub.User.ID, sub.SessionID, sub.Filter)
	s.format, s.out.given = sub.Format, &s.given
	return s
}

// arrive tells that somebody is here, who stands under their topics by now. Only then is the account
// kept: Forget, which may come at the same time for a departure long ago, comes before the arrival or
// not at all.
func (s *subscriber) arrive() {
	s.seen.Store(s.broker.board.last())
	s.heard.own = s.broker.whispers.last()
	s.heard.rooms = s.heard.own
	s.arrived = true
	s.broker.opt.Attendance.Arrive(s.view.userID, s.sessionID, s.waiter)
	s.broker.index.keep(s.view.userID)
}

// leave undoes attach and arrive.
func (s *subscriber) leave() {
	s.broker.index.detach(s)
	if s.arrived {
		s.broker.opt.Attendance.Depart(s.view.userID, s.sessionID, s.waiter)
	}
}

// join finds out where the stream starts and puts it under its topics.
func (s *Stream) join(ctx context.Context, sub Subscription) error {
	select {
	case s.broker.joins <- struct{}{}:
		defer func() { <-s.broker.joins }()
	case <-ctx.Done():
		return fmt.Errorf("join stream: %w", ctx.Err())
	}
	if sub.Alive != nil {
		if err := sub.Alive(ctx); err != nil {
			return err
		}
	}
	st, err := s.broker.opt.Log.Standing(ctx, s.view.userID)
	if err != nil {
		return fmt.Errorf("join stream: %w", err)
	}
	s.cursor, s.oldest = st.Head, st.Oldest
	if sub.Cursor != nil {
		s.resumed = !st.Expired(*sub.Cursor)
	}
	s.reset = sub.ResetCursor || (sub.Cursor != nil && !s.resumed)
	if s.resumed {
		s.cursor = *sub.Cursor
		s.behind = s.cursor < st.Head && !s.remembered(st)
	}
	s.wrote.Store(s.broker.ticks.Load())
	if s.behind {
		// catchUp takes its place, where the view is good again. Its presence is told from now on.
		s.broker.index.place(s.view.userID, st)
		s.mark(s.cursor + 1)
	} else {
		s.place(st)
	}
	return nil
}

// Close releases a stream that is not to be run; after Run it does nothing.
func (s *Stream) Close() {
	s.release.Do(s.leave)
}
