package chat

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"parley/models"
)

const (
	// finishAgain is how long after a failure the finisher tries again.
	finishAgain = 10 * time.Second
	// scrubLimit is how long the finisher waits for the database to be scrubbed.
	scrubLimit = time.Minute
)

// finisher passes news between those who delete their accounts and the one goroutine that clears up after
// them: one at a time, so that senders get their turns. What is to be done stands in the database.
type finisher struct {
	bell    chan struct{} // one slot
	stopped chan struct{} // closed when nobody clears up any more

	mu      sync.Mutex
	waiting map[int64]chan error // by user id; takes one answer without waiting
}

func newFinisher() *finisher {
	return &finisher{bell: make(chan struct{}, 1), stopped: make(chan struct{}), waiting: map[int64]chan error{}}
}

// ring says that there is something to do.
func (f *finisher) ring() {
	select {
	case f.bell <- struct{}{}:
	default:
	}
}

// wait rings the bell and waits until the deletion is finished.
func (f *finisher) wait(ctx context.Context, userID int64) error {
	done := make(chan error, 1)
	f.mu.Lock()
	f.waiting[userID] = done
	f.mu.Unlock()
	f.ring()
	select {
	case err := <-done:
		return err
	case <-f.stopped:
		return models.Unavailable(nil, "the account is deleted; the server is stopping, what is left to clear away follows at its next start")
	case <-ctx.Done():
		return ctx.Err()
	}
}

// waiters are those who wait now.
func (f *finisher) waiters() []int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	ids := make([]int64, 0, len(f.waiting))
	for id := range f.waiting {
		ids = append(ids, id)
	}
	return ids
}

func (f *finisher) answer(userID int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if done, ok := f.waiting[userID]; ok {
		done <- err
		delete(f.waiting, userID)
	}
}

// FinishDeletions clears up after deleted accounts until ctx ends, those that a former process left behind
// first. It is run once.
func (s *Service) FinishDeletions(ctx context.Context) {
	defer close(s.finisher.stopped)
	var again <-chan time.Time
	for {
		select {
		case <-s.finisher.bell:
		case <-again:
		case <-ctx.Done():
			return
		}
		again = nil
		if err := s.finishAll(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "clear up after deleted accounts", "error", err)
			again = time.After(finishAgain)
		}
	}
}

// callFinisher rings for what a former process has left behind.
func (s *Service) callFinisher(ctx context.Context) error {
	left, err := view(ctx, s, func(r Reader) ([]Unfinished, error) { return r.Unfinished() })
	if err != nil {
		return fmt.Errorf("look for unfinished deletions: %w", err)
	}
	if len(left) > 0 {
		s.finisher.ring()
	}
	return nil
}

// finishAll clears up after all there are, and tells those who wait.
func (s *Service) finishAll(ctx context.Context) error {
	// Who waits by now has been deleted by now: not found unfinished below, they are finished.
	waiting := s.finisher.waiters()
	list, err := view(ctx, s, func(r Reader) ([]Unfinished, error) { return r.Unfinished() })
	if err == nil {
		err = s.finish(ctx, list)
	}
	if err != nil && ctx.Err() != nil {
		return err // those who wait are told by the end of the finisher
	}
	for _, id := range waiting {
		s.finisher.answer(id, err)
	}
	return err
}

func (s *Service) finish(ctx context.Context, list []Unfinished) error {
	for _, u := range list {
		if err := s.clearAway(ctx, u); err != nil {
			return fmt.Errorf("clear up after user %d: %w", u.UserID, err)
		}
	}
	if len(list) == 0 {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, scrubLimit)
	defer cancel()
	if err := s.store.Scrub(limited); err != nil {
		return fmt.Errorf("scrub the database: %w", err)
	}
	return s.step(ctx, func(tx Tx) error {
		for _, u := range list {
			if err := tx.FinishDeletion(u.UserID); err != nil {
				return fmt.Errorf("note the end of a deletion: %w", err)
			}
		}
		return nil
	})
}

// step is one command of many, with senders between them. A queue that is full just now is no reason to
// begin anew.
func (s *Service) step(ctx context.Context, cmd Command) error {
	const tries = 5
	for n := 1; ; n++ {
		err := s.store.Do(ctx, cmd)
		refused, unavailable := errors.AsType[*models.Error](err)
		if n == tries || !unavailable || refused.Code != models.CodeUnavailable {
			return err
		}
		select {
		case <-time.After(refused.RetryAfter):
		case <-ctx.Done():
			return err
		}
	}
}
