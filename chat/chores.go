package chat

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/models"
)

const (
	// choreStep is how many rows one step of a chore changes at most: senders wait for it.
	choreStep = 200
	// expiryGrace is how long after its end a session is deleted: what is in memory of its last use may be
	// newer than what is written down.
	expiryGrace = time.Hour
)

// Chore is work that nobody asks for and that must be done now and then, in steps so small that
// no sender waits long for one.
type Chore struct {
	Name string
	// Step does some of it and says how much, and whether there is more to do at once.
	Step func(ctx context.Context) (done int, more bool, err error)
}

// Chores are those of this service. Entries of the log older than retention are pruned; 0 keeps all.
// The steps of one chore must not run at the same time.
func (s *Service) Chores(retention time.Duration) []Chore {
	chores := []Chore{
		{"end expired sessions", s.endExpired},
		{"delete dead tickets", s.deleting(func(tx Tx, now time.Time) (int, error) {
			return tx.DeleteTickets(models.At(now.Add(-TicketFirstUse)), models.At(now.Add(-TicketReconnect)), choreStep/2)
		})},
		{"delete old nonces", s.deleting(func(tx Tx, now time.Time) (int, error) {
			return tx.DeleteNonces(models.At(now.Add(-NonceLife)), choreStep)
		})},
		{"delete past mutes and bans", s.deleting(func(tx Tx, now time.Time) (int, error) {
			return tx.DeletePastRestrictions(models.At(now), choreStep)
		})},
		{"delete dead invitations", s.deleting(func(tx Tx, now time.Time) (int, error) {
			return tx.DeleteDeadInvites(models.At(now), choreStep/2)
		})},
	}
	if retention > 0 {
		chores = append(chores, Chore{"prune the log", func(ctx context.Context) (int, bool, error) {
			return s.prune(ctx, retention)
		}})
	}
	return chores
}

// deleting is a step that is one bounded command. A command that finds nothing costs no write.
func (s *Service) deleting(command func(tx Tx, now time.Time) (int, error)) func(context.Context) (int, bool, error) {
	return func(ctx context.Context) (int, bool, error) {
		n, err := do(ctx, s, func(tx Tx) (int, error) { return command(tx, tx.Now().Time) })
		return n, n >= choreStep/2, err
	}
}

// prune removes the oldest entries of the log. They are chosen before the command: what is old stays
// old, and the writer has only to delete.
func (s *Service) prune(ctx context.Context, retention time.Duration) (n int, more bool, err error) {
	var through int64
	err = s.store.View(ctx, func(r Reader) (err error) {
		through, n, err = r.OldEntries(models.At(s.now().Add(-retention)), choreStep)
		return err
	})
	if err != nil || n == 0 {
		return 0, false, err
	}
	err = s.store.Do(ctx, func(tx Tx) error { return tx.PruneLog(through) })
	if err != nil {
		return 0, false, err
	}
	return n, n == choreStep, nil
}

// endExpired ends sessions that were not used for SessionLife, so that their streams and every cache learn
// of it.
func (s *Service) endExpired(ctx context.Context) (n int, more bool, err error) {
	before := models.At(s.now().Add(-expiryGrace))
	expired, err := view(ctx, s, func(r Reader) ([]models.Session, error) { return r.ExpiredSessions(before, choreStep) })
	if err != nil || len(expired) == 0 {
		return 0, false, err
	}
	n, err = do(ctx, s, func(tx Tx) (n int, err error) {
		for _, old := range expired {
			session, err := tx.Session(old.ID)
			if errors.Is(err, ErrNotFound) || err == nil && !session.ExpiresAt.Before(before.Time) {
				continue // it ended otherwise, or was used after all
			}
			if err != nil {
				return n, fmt.Errorf("read session: %w", err)
			}
			if err := endSession(tx, session, ending{reason: "idle", detail: "not used for 30 days"}); err != nil {
				return n, err
			}
			n++
		}
		return n, nil
	})
	return n, err == nil && len(expired) == choreStep, err
}
