package client

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestReconnectWaitsAsLongAsTheServerSays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{acts: []act{
			{steps: says("retry: 700\n\n", ready(1), message(2))},
			{steps: says(ready(2), message(3))},
			{steps: hangs(message(4))},
		}}
		if _, err := s.follow(t, EventsOptions{}, 5); err != nil {
			t.Fatal(err)
		}
		for i, w := range s.waits() {
			if w < 700*time.Millisecond || w > 1400*time.Millisecond {
				t.Errorf("wait %d was %v, want 700 to 1400 ms", i, w)
			}
		}
	})
}

func TestReconnectWaitsForRetryAfter(t *testing.T) {
	t.Parallel()
	for _, refusal := range []act{
		problem(503, ErrorCodeUnavailable, "Retry-After", "7"),
		problem(429, ErrorCodeRateLimited, "Retry-After", "7"),
	} {
		synctest.Test(t, func(t *testing.T) {
			s := &fakeServer{acts: []act{refusal, {steps: hangs(ready(1))}}}
			var heard []error
			got, err := s.follow(t, EventsOptions{OnRetry: func(err error, _ time.Duration) { heard = append(heard, err) }}, 1)
			if got != "ready@1" || err != nil {
				t.Fatalf("got %q, %v", got, err)
			}
			if w := s.waits()[0]; w < 8*time.Second || w > 9*time.Second {
				t.Errorf("waited %v, want 7 s and a first pause of 1 to 2 s", w)
			}
			if e, ok := errors.AsType[*Error](heard[0]); !ok || len(heard) != 1 || e.Status != refusal.status {
				t.Errorf("OnRetry heard %v", heard)
			}
		})
	}
}

func TestPausesGrowToTheMaximumAndStartAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		acts := []act{}
		for range 12 {
			acts = append(acts, act{err: errRefused})
		}
		acts = append(acts, act{steps: says(ready(1), message(2))}, act{steps: hangs(message(3))})
		s := &fakeServer{acts: acts}
		if _, err := s.follow(t, EventsOptions{Wait: 100 * time.Millisecond, MaxWait: 5 * time.Second}, 3); err != nil {
			t.Fatal(err)
		}
		waits := s.waits()
		least := 100 * time.Millisecond
		for i, w := range waits[:12] {
			if w < least || w > 5*time.Second {
				t.Errorf("wait %d was %v, want %v to 5 s", i, w, least)
			}
			least = min(2*least, 2500*time.Millisecond)
		}
		if w := waits[12]; w > 200*time.Millisecond {
			t.Errorf("the first wait after a good stream was %v", w)
		}
	})
}

// A server that answers and at once closes must not be asked ever faster than a dead one.
func TestPausesGrowWhereOnlyReadyComes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{acts: []act{{steps: says(ready(1))}}}
		if _, err := s.follow(t, EventsOptions{Wait: time.Second}, 6); err != nil {
			t.Fatal(err)
		}
		if w := s.waits()[4]; w < 10*time.Second {
			t.Errorf("the fifth wait was %v", w)
		}
	})
}

// Something in between that cuts quiet streams is no failing server.
func TestPausesStayShortWhereStreamsLive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{acts: []act{{steps: []step{{text: ready(1)}, {wait: 10 * time.Second}}}}}
		if _, err := s.follow(t, EventsOptions{Wait: time.Second}, 8); err != nil {
			t.Fatal(err)
		}
		for i, w := range s.waits() {
			if w > 12*time.Second {
				t.Errorf("wait %d was %v, want 10 s and 1 to 2 s", i, w)
			}
		}
	})
}

func TestSilentConnectionIsCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		beats := []step{{text: ready(1)}}
		for range 8 { // two minutes of heartbeats are no silence
			beats = append(beats, step{wait: 15 * time.Second, text: heartbeat(2)})
		}
		s := &fakeServer{acts: []act{{steps: append(beats, step{hang: true})}, {steps: hangs(message(3))}}}
		var heard error
		_, err := s.follow(t, EventsOptions{OnRetry: func(err error, _ time.Duration) { heard = err }}, 10)
		if err != nil || !errors.Is(heard, errSilent) || s.cursors() != "- 2" {
			t.Fatalf("%v; cut for %v; resumed from %s", err, heard, s.cursors())
		}
		if w := s.waits()[0]; w < 160*time.Second || w > 163*time.Second {
			t.Errorf("cut after %v, want 120 s + 40 s + a pause", w)
		}
	})
}

func TestSilenceWhileConnecting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{acts: []act{{status: 500, steps: []step{{hang: true}}}, {steps: hangs(ready(1))}}}
		var heard error
		got, err := s.follow(t, EventsOptions{OnRetry: func(err error, _ time.Duration) { heard = err }}, 1)
		if got != "ready@1" || err != nil || heard == nil {
			t.Errorf("got %q, %v; heard %v", got, err, heard)
		}
	})
}

// Whoever handles an event for longer than a silence may last keeps the connection.
func TestSlowBodyIsNoSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{acts: []act{{steps: []step{{text: ready(1)}, {wait: time.Second, text: message(2)}, {hang: true}}}}}
		c, err := New("http://parley.test", WithHTTPClient(s))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range c.Events(t.Context(), EventsOptions{}) {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(5 * time.Minute)
			if n++; n == 2 {
				break
			}
		}
		if len(s.asked) != 1 {
			t.Errorf("connected %d times", len(s.asked))
		}
	})
}
