package broker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"parley/broker"
	"parley/models"
)

func TestEndSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(9, 2))
		gone, sub := w.connect(of(2)), of(2)
		sub.SessionID = 5
		stays := w.connect(sub)
		synctest.Wait()
		w.publish(message(9), message(9))
		w.b.EndSession(2, "kicked", "flooding")
		w.publish(message(9))
		<-gone.done
		synctest.Wait()
		if gone.err != nil {
			t.Errorf("Run: %v", gone.err)
		}
		// What comes after may or may not be taken along; what was before must be.
		if got := gone.story(); got != `ready@1 2 3 session.ended{"reason":"kicked","detail":"flooding"}` &&
			got != `ready@1 2 3 4 session.ended{"reason":"kicked","detail":"flooding"}` {
			t.Errorf("got %s", got)
		}
		stays.expect("ready@1 2 3 4")
		stays.stop()
	})
}

// The end is in the log, so each node acts on it when it reads it. The first reason counts.
func TestSessionGone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(9, 2))
		a, b := w.connect(of(2)), w.connect(of(2))
		synctest.Wait()
		w.publish(message(9), sessionGone(2, "revoked"), sessionGone(2, "banned"))
		for _, c := range []*client{a, b} {
			<-c.done
			c.expect(`ready@1 2 session.ended{"reason":"revoked"}`)
		}
		if here := w.att.now(); len(here) != 0 {
			t.Errorf("here: %v", here)
		}
	})
}

// A banned user's replay of a long log does not go on for as long as they care to read.
func TestSessionEndCutsReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before := []models.Event{joined(9, 2)}
		for range 100 {
			before = append(before, message(9))
		}
		w := mustWorld(t, broker.Options{PageSize: 10}, before...)
		sub := of(2)
		sub.Cursor = new(int64(1))
		step := make(chan struct{})
		c := w.connectTo(sub, &recorder{t: t, gate: func() error { <-step; return nil }})
		step <- struct{}{} // ready
		synctest.Wait()    // in the first page's write
		w.b.EndSession(2, "banned", "")
		synctest.Wait()
		close(step)
		<-c.done
		c.expect(`ready@1 2 3 4 5 6 7 8 9 10 11 session.ended{"reason":"banned"}`)
	})
}

func TestLimits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{MaxStreamsPerSession: 2})
		first, second := w.connect(of(2)), w.connect(of(2))
		if _, err := w.b.Subscribe(t.Context(), of(2)); !errors.Is(err, broker.ErrTooManyStreams) {
			t.Errorf("third stream: %v", err)
		}
		other := of(2)
		other.SessionID = 3
		third := w.connect(other) // the bound is a session's
		var waiters []*broker.Waiter
		for range 2 {
			waiter, err := w.b.Watch(2, 2, broker.Filter{})
			if err != nil {
				t.Fatalf("waiters are counted apart: %v", err)
			}
			waiters = append(waiters, waiter)
		}
		if _, err := w.b.Watch(2, 2, broker.Filter{}); !errors.Is(err, broker.ErrTooManyStreams) {
			t.Errorf("third waiter: %v", err)
		}
		waiters[0].Close()
		waiters[0].Close() // once is enough, twice no harm
		first.stop()
		again := w.connect(of(2))
		unrun, err := w.b.Watch(2, 2, broker.Filter{})
		if err != nil {
			t.Errorf("after one closed: %v", err)
		}
		unrun.Close()
		waiters[1].Close()
		for _, c := range []*client{second, third, again} {
			c.stop()
		}
		s, err := w.b.Subscribe(t.Context(), of(2))
		if err != nil {
			t.Fatal(err)
		}
		s.Close() // never run
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{ShutdownSpread: 10 * time.Second}, joined(9, 2))
		began := time.Now()
		ended := make(chan time.Duration, 10)
		for i := range 10 {
			sub := of(2)
			sub.SessionID = int64(i)
			c := w.connect(sub)
			go func() {
				<-c.done
				if !errors.Is(c.err, broker.ErrClosed) {
					t.Errorf("Run: %v", c.err)
				}
				ended <- time.Since(began)
			}()
		}
		waiter, err := w.b.Watch(2, 2, broker.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		page, _ := w.log.Page(t.Context(), 2, 1, 10)
		go func() {
			defer waiter.Close()
			if _, err := waiter.Wait(t.Context(), page); !errors.Is(err, broker.ErrClosed) {
				t.Errorf("Wait: %v", err)
			}
			if time.Since(began) > 0 {
				t.Error("a waiter had to wait for the shutdown's end")
			}
		}()
		synctest.Wait()
		if err := w.b.Close(t.Context()); err != nil {
			t.Errorf("Close: %v", err)
		}
		for i := range 10 {
			if at, want := <-ended, time.Duration(i)*time.Second; at != want {
				t.Errorf("stream %d ended after %v, not %v", i, at, want)
			}
		}
		if _, err := w.b.Subscribe(t.Context(), of(2)); !errors.Is(err, broker.ErrClosed) {
			t.Errorf("Subscribe: %v", err)
		}
		if _, err := w.b.Watch(2, 2, broker.Filter{}); !errors.Is(err, broker.ErrClosed) {
			t.Errorf("Watch: %v", err)
		}
		w.publish(message(9)) // harmless
	})
}

// A client that takes nothing does not hold up the end for longer than it is given.
func TestCloseGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{ShutdownSpread: time.Hour})
		open := make(chan struct{})
		stuck := w.connectTo(of(2), &recorder{t: t, gate: func() error { <-open; return nil }})
		good := w.connect(of(3))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := time.Now()
		if err := w.b.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("Close took %v", took)
		}
		<-good.done
		close(open)
		<-stuck.done
		if !errors.Is(stuck.err, broker.ErrClosed) {
			t.Errorf("Run: %v", stuck.err)
		}
	})
}
