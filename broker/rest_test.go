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

// A stream that has nothing to do has no goroutine; what comes is written all the same: events, heartbeats, and the
// end.
func TestAQuietStreamRests(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w *world, leave func()){
		"session.ended": func(w *world, _ func()) { w.b.EndSession(2, "logout", "") },
		"left":          func(_ *world, leave func()) { leave() },
		"closed":        func(w *world, _ func()) { go func() { _ = w.b.Close(context.Background()) }() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := mustWorld(t, broker.Options{Heartbeat: 16 * time.Second}, joined(9, 2))
				s, err := w.b.Subscribe(t.Context(), of(2))
				if err != nil {
					t.Fatal(err)
				}
				r := &recorder{t: t}
				l := lodge(s, r)
				ran := func(want int64, after string) {
					t.Helper()
					synctest.Wait()
					if got := l.runs.Load(); got != want {
						t.Errorf("%d goroutines so far after %s, want %d", got, after, want)
					}
				}
				ran(0, "the beginning")
				w.publish(message(9))
				ran(1, "a message")
				w.publish(message(9))
				ran(2, "another one soon after")
				time.Sleep(18 * time.Second)
				ran(3, "a heartbeat")
				time.Sleep(18 * time.Second)
				ran(4, "another heartbeat")
				w.publish(message(8))
				ran(4, "what is for others")
				w.publish(message(9))
				ran(5, "a message again")
				time.Sleep(36 * time.Second)
				synctest.Wait()
				end(w, s.Leave)
				select {
				case err := <-l.done:
					if err != nil && !errors.Is(err, broker.ErrLeft) && !errors.Is(err, broker.ErrClosed) {
						t.Errorf("the stream ends with %v", err)
					}
				case <-time.After(time.Minute):
					t.Fatal("the stream does not end")
				}
				if got := len(r.ids()); got != 3 {
					t.Errorf("%d messages came", got)
				}
				beats := 0
				for _, f := range r.got() {
					if f.Type == models.Heartbeat {
						beats++
					}
				}
				if beats != 4 {
					t.Errorf("%d heartbeats came", beats)
				}
			})
		})
	}
}
