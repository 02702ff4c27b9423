package store

import (
	"context"
	"errors"
	"sync"
	"testing"

	"parley/chat"
	"parley/internal/pgtest"
)

// Whoever breaks off a read breaks its connection. Those who wait for one must not get it.
func TestOthersBreakOff(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, Options{URL: pgtest.DSN(t)})
	var all sync.WaitGroup
	for i := range 8 * postgresReaders {
		all.Go(func() {
			for range 40 {
				ctx, cancel := context.WithCancel(t.Context())
				err := s.View(ctx, func(r chat.Reader) error {
					if i%2 == 0 {
						cancel()
					}
					_, err := r.User(1)
					return err
				})
				cancel()
				if i%2 == 1 && !errors.Is(err, chat.ErrNotFound) {
					t.Errorf("somebody else has broken off, and this is told: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
}
