package chat

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/models"
)

// Deletions of one second share a scrub, the first one waits for none, and one that fails is made again.
func TestScrubber(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var at []time.Duration
		var takes atomic.Int64 // a Duration
		var fails atomic.Bool
		s := newScrubber(func(context.Context) error {
			at = append(at, time.Since(began))
			time.Sleep(time.Duration(takes.Load()))
			if fails.Load() {
				return errors.New("busy")
			}
			return nil
		}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.loop(ctx)
		}()
		is := func(want ...time.Duration) {
			t.Helper()
			synctest.Wait()
			if len(at) != len(want) {
				t.Fatalf("scrubs at %v, want %v", at, want)
			}
			for i := range want {
				if at[i] != want[i] {
					t.Fatalf("scrubs at %v, want %v", at, want)
				}
			}
		}
		for range 100 {
			s.ring()
		}
		is(0)
		for range 100 {
			s.ring()
		}
		time.Sleep(10 * time.Second)
		is(0, time.Second)
		takes.Store(int64(time.Second)) // a long one is followed by a long rest
		s.ring()
		time.Sleep(time.Second / 2)
		s.ring()
		time.Sleep(time.Minute)
		is(0, time.Second, 10*time.Second, 31*time.Second)
		takes.Store(0)
		fails.Store(true)
		s.ring()
		time.Sleep(1500 * time.Millisecond)
		fails.Store(false)
		time.Sleep(time.Minute)
		is(0, time.Second, 10*time.Second, 31*time.Second, 70500*time.Millisecond, 71500*time.Millisecond, 72500*time.Millisecond)
		cancel()
		<-done
	})
}

// Whoever is told of a deletion finds the scrubber rung, whatever became of the caller.
func TestDeletionRingsTheScrubber(t *testing.T) {
	t.Parallel()
	s := newMemory().service()
	s.Observe([]models.Event{{Type: models.MessageCreated}, {Type: models.MessageUpdated}})
	if len(s.scrubs.bell) != 0 {
		t.Error("a message is no reason")
	}
	s.Observe([]models.Event{{Type: models.MessageDeleted}})
	if len(s.scrubs.bell) != 1 {
		t.Error("a deletion is no reason")
	}
}
