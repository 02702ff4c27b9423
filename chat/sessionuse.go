package chat

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"parley/models"
)

// An open stream is use of its session, or a device that only listens would be logged out after 30 days. It
// makes no requests, so its use is written down when it opens and closes, and from time to time between.

const (
	// slideEvery is how often the use by an open stream is written down.
	slideEvery = time.Hour
	// slideBatch is how many sessions one command slides: others wait for no more.
	slideBatch = 500
)

// useDesk knows which sessions have open streams in this process.
type useDesk struct {
	mu   sync.Mutex
	held map[int64]*heldSession
}

type heldSession struct {
	session models.Session
	streams int
	savedAt time.Time // the last use that was written down
}

func newUseDesk() *useDesk { return &useDesk{held: map[int64]*heldSession{}} }

// take counts one stream more.
func (d *useDesk) take(session models.Session) heldSession {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.held[session.ID]
	if h == nil {
		h = &heldSession{session: session, savedAt: session.LastUsedAt.Time}
		d.held[session.ID] = h
	}
	h.streams++
	return *h
}

// give counts one stream less, and gives the session's state where that was the last one.
func (d *useDesk) give(sessionID int64) (last bool, h heldSession) {
	d.mu.Lock()
	defer d.mu.Unlock()
	held := d.held[sessionID]
	if held.streams--; held.streams == 0 {
		delete(d.held, sessionID)
		return true, *held
	}
	return false, *held
}

func (d *useDesk) holds(sessionID int64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.held[sessionID] != nil
}

// all gives what is held, in no order.
func (d *useDesk) all() []heldSession {
	d.mu.Lock()
	defer d.mu.Unlock()
	list := make([]heldSession, 0, len(d.held))
	for _, h := range d.held {
		list = append(list, *h)
	}
	return list
}

// saved notes that the use at now was written down.
func (d *useDesk) saved(sessionID int64, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if h := d.held[sessionID]; h != nil {
		h.savedAt = later(h.savedAt, now)
	}
}

// Hold says that the actor's session has a stream open until release is called, of whose context only the values
// count.
func (s *Service) Hold(ctx context.Context, a Actor) (release func(context.Context)) {
	s.slideDue(ctx, []heldSession{s.uses.take(a.Session)}, touchEvery)
	session := a.Session.ID
	return func(ctx context.Context) {
		last, h := s.uses.give(session)
		if !last {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		s.slideDue(ctx, []heldSession{h}, touchEvery)
	}
}

// SlideHeld writes down the use of every session with an open stream where that was not done for an hour. It is
// to be called every few minutes.
func (s *Service) SlideHeld(ctx context.Context) { s.slideDue(ctx, s.uses.all(), slideEvery) }

// slideDue writes down the use of those whose last one was written before every.
func (s *Service) slideDue(ctx context.Context, held []heldSession, every time.Duration) {
	now := s.now()
	var due []models.Session
	for _, h := range held {
		if now.Sub(s.savedUse(h)) > every {
			due = append(due, h.session)
		}
	}
	for batch := range slices.Chunk(due, slideBatch) {
		if err := s.slide(ctx, batch, now); err != nil {
			s.log.WarnContext(ctx, "write down the use of sessions with open streams", "sessions", len(batch), "error", err)
			return // the next call tries again
		}
	}
}

// savedUse is the last use of the session that was written down: its requests are noted in the cache.
func (s *Service) savedUse(h heldSession) time.Time {
	if entry, _ := s.sessions.get(h.session.TokenHash); entry != nil {
		return later(h.savedAt, time.UnixMilli(entry.savedAt.Load()))
	}
	return h.savedAt
}

func (s *Service) slide(ctx context.Context, batch []models.Session, now time.Time) error {
	err := s.store.Do(ctx, func(tx Tx) error { return tx.TouchSessions(batch, models.At(now), slideTo(now)) })
	if err != nil {
		return fmt.Errorf("touch sessions: %w", err)
	}
	for _, session := range batch {
		s.uses.saved(session.ID, now)
		if entry, _ := s.sessions.get(session.TokenHash); entry != nil {
			entry.saved(now)
		}
	}
	return nil
}
