package broker_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"parley/broker"
	"parley/models"
)

const tick = 15 * time.Second / 16

// beatsOf gives when the heartbeats came, since began.
func (c *client) beatsOf(began time.Time, at map[int]time.Time) (beats []time.Duration) {
	for i, f := range c.got() {
		if f.Type == models.Heartbeat {
			beats = append(beats, at[i].Sub(began))
		}
	}
	return beats
}

func TestHeartbeatAfterQuiet(t *testing.T) {
	t.Parallel()
	for _, shift := range []time.Duration{0, 1, tick / 2, tick - 1, tick} {
		t.Run(shift.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := mustWorld(t, broker.Options{}, joined(9, 2))
				time.Sleep(shift)
				wrote := make(map[int]time.Time)
				r := &recorder{t: t}
				r.gate = func() error { wrote[len(r.got())] = time.Now(); return nil }
				began := time.Now()
				c := w.connectTo(of(2), r)
				time.Sleep(10 * time.Second)
				w.publish(message(9)) // quiet begins anew
				time.Sleep(50 * time.Second)
				synctest.Wait()
				beats := c.beatsOf(began, wrote)
				last := 10 * time.Second
				for _, b := range beats {
					if quiet := b - last; quiet < 15*time.Second || quiet > 15*time.Second+tick {
						t.Errorf("heartbeat after %v of quiet", quiet)
					}
					last = b
				}
				if len(beats) != 3 {
					t.Errorf("heartbeats at %v", beats)
				}
				c.stop()
			})
		})
	}
}

// What concerns others moves a heartbeat's cursor on, without waking the stream before.
func TestHeartbeatCursorPassesForeignEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{RingSize: 4}, joined(9, 2))
		c := w.connect(of(2))
		synctest.Wait()
		for range 50 {
			w.publish(message(8), internal())
		}
		time.Sleep(16 * time.Second)
		w.publish(message(9))
		time.Sleep(16 * time.Second)
		c.expect("ready@1 heartbeat@101 102 heartbeat@102")
		if n := w.log.pages.Load(); n != 0 {
			t.Errorf("%d pages of the log were read for foreign events", n)
		}
		c.stop()
	})
}

// Heartbeats all the time while events are published: none may speak of an event that comes later.
func TestHeartbeatsUnderFire(t *testing.T) {
	t.Parallel()
	w := mustWorld(t, broker.Options{Heartbeat: 16 * time.Microsecond})
	clients := make([]*client, 80) // above paceAbove, so that the waker lags
	for i := range clients {
		w.publish(joined(9, int64(i)+10))
		clients[i] = w.connect(of(int64(i) + 10))
	}
	for i := range 300 {
		w.publish(message(9), message(8))
		if i%10 == 0 {
			c := clients[i%len(clients)]
			before := c.beats()
			eventually(t, func() string {
				if c.beats() == before {
					return "no heartbeat"
				}
				return ""
			})
		}
	}
	last := w.publish(message(9))
	for _, c := range clients {
		eventually(t, func() string {
			ids := c.ids()
			if len(ids) == 0 || ids[len(ids)-1] != last {
				return fmt.Sprintf("got %v", ids)
			}
			return ""
		})
		c.stop()
		c.checkCursors(t)
	}
}

func (c *client) beats() (n int) {
	for _, f := range c.got() {
		if f.Type == models.Heartbeat {
			n++
		}
	}
	return n
}

// checkCursors holds that ids ascend and that no control frame was ahead of what came after it.
func (c *client) checkCursors(t *testing.T) {
	t.Helper()
	var seen int64
	for i, f := range c.got() {
		if f.ID != 0 {
			if f.ID <= seen {
				t.Fatalf("frame %d: event %d after %d", i, f.ID, seen)
			}
			seen = f.ID
		} else if at := f.cursor(); at >= 0 {
			if at < seen {
				t.Fatalf("frame %d: cursor %d after %d", i, at, seen)
			}
			seen = at
		}
	}
}

// eventually waits until check finds nothing to say.
func eventually(t testing.TB, check func() string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for {
		why := check()
		if why == "" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("in 30 s: %.500s", why)
		}
		time.Sleep(time.Millisecond)
	}
}
