package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/models"
)

// SessionList is one page of the actor's sessions. Next is the session id to go on from, 0 at the end.
type SessionList struct {
	Sessions []models.Session
	Next     int64
}

// Sessions gives the actor's sessions, the newest login first, by id below before; 0 begins. They come in
// the order of their ids, since that of their last use would move under the pages.
func (s *Service) Sessions(ctx context.Context, a Actor, before int64, limit int) (SessionList, error) {
	now := models.At(s.now())
	out, err := view(ctx, s, func(r Reader) (out SessionList, err error) {
		out.Sessions, err = r.LiveSessions(a.User.ID, before, now, limit+1)
		if err != nil {
			return out, fmt.Errorf("list sessions: %w", err)
		}
		return out, nil
	})
	if err != nil {
		return out, err
	}
	if len(out.Sessions) > limit {
		out.Sessions = out.Sessions[:limit]
		out.Next = out.Sessions[limit-1].ID
	}
	for i := range out.Sessions {
		s.freshen(&out.Sessions[i], now.Time)
	}
	return out, nil
}

// freshen adds to a stored session what is known of its use since that was written down.
func (s *Service) freshen(session *models.Session, now time.Time) {
	last := session.LastUsedAt.Time
	if entry, _ := s.sessions.get(session.TokenHash); entry != nil {
		last = later(last, time.UnixMilli(entry.usedAt.Load()))
	}
	if s.uses.holds(session.ID) {
		last = later(last, now)
	}
	session.LastUsedAt = models.At(last)
	if end := slideTo(last); end.After(session.ExpiresAt.Time) {
		session.ExpiresAt = end
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// EndSession ends one of the actor's sessions, and says whether it was the one of this very call. not_found for
// a session of somebody else.
func (s *Service) EndSession(ctx context.Context, a Actor, ref string) (current bool, err error) {
	id, ok := models.ParseID(ref)
	if !ok {
		return false, models.NotFound("session")
	}
	err = s.store.Do(ctx, func(tx Tx) error {
		if err := living(tx, a); err != nil {
			return err
		}
		session, err := tx.Session(id)
		if err == nil && session.UserID != a.User.ID {
			err = ErrNotFound
		}
		if errors.Is(err, ErrNotFound) {
			return models.NotFound("session")
		}
		if err != nil {
			return fmt.Errorf("read session: %w", err)
		}
		return endSession(tx, session, ending{reason: "revoked"})
	})
	return id == a.Session.ID, err
}
