package limit

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"parley/models"
)

// Set counts for all limits. It is safe for concurrent use.
type Set struct {
	counters    []*Counter
	byOperation map[string][]*Counter
	guesses     *Guesses
}

// New makes the counters of all limits.
func New(clock func() time.Time) (*Set, error) {
	s := &Set{byOperation: map[string][]*Counter{}}
	for _, l := range All {
		if err := s.add(l, clock); err != nil {
			return nil, fmt.Errorf("limit %v by %s: %w", l.Operations, l.By, err)
		}
	}
	return s, nil
}

func (s *Set) add(l Limit, clock func() time.Time) (err error) {
	if l.By == ByName {
		s.guesses, err = newGuesses(l, clock)
		return err
	}
	c, err := newCounter(l, maxKeys, clock)
	if err != nil {
		return err
	}
	s.counters = append(s.counters, c)
	for _, operation := range l.Operations {
		s.byOperation[operation] = append(s.byOperation[operation], c)
	}
	return nil
}

// Guesses are those at passwords; nil of a nil Set.
func (s *Set) Guesses() *Guesses {
	if s == nil {
		return nil
	}
	return s.guesses
}

// Guess counts a login as the name of that key, as Guesses does. A nil Set lets all through.
func (s *Set) Guess(ctx context.Context, key string, from netip.Addr) error {
	if s == nil {
		return nil
	}
	_, err := s.guesses.Check(ctx, key, from)
	return err
}

// Right says that the guess was right.
func (s *Set) Right(key string, from netip.Addr) {
	if s != nil {
		s.guesses.Right(key, from)
	}
}

// Counters are all but that of guesses, in the order in which they are asked.
func (s *Set) Counters() []*Counter { return s.counters }

// Take counts one call of the operation and refuses the one too many. A nil Set lets all through.
func (s *Set) Take(ctx context.Context, operation string, w Who) error {
	if s == nil {
		return nil
	}
	for _, c := range s.byOperation[operation] {
		if _, err := c.Take(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// Wait is Take that waits instead of refusing; the error is ctx's.
func (s *Set) Wait(ctx context.Context, operation string, w Who) error {
	if s == nil {
		return ctx.Err()
	}
	for _, c := range s.byOperation[operation] {
		if err := c.wait(ctx, w); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (c *Counter) wait(ctx context.Context, w Who) error {
	for {
		_, err := c.Take(ctx, w)
		refusal, refused := errors.AsType[*models.Error](err)
		if !refused {
			return err
		}
		timer := time.NewTimer(refusal.RetryAfter)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}
