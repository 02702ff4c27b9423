package broker_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"parley/broker"
	"parley/models"
)

// restart has a new broker serve the world's log.
func (w *world) restart(opt broker.Options) {
	w.t.Helper()
	if err := w.b.Close(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	opt.Log, opt.Attendance = w.log, w.att
	w.b = broker.New(opt)
	w.att.b = w.b
	w.b.Start(w.log.head())
	if err := w.b.Recall(w.t.Context(), w.log.Tail); err != nil {
		w.t.Fatal(err)
	}
}

// from is of with a cursor.
func from(user, cursor int64) broker.Subscription {
	sub := of(user)
	sub.Cursor = new(cursor)
	return sub
}

// Who comes back gets exactly what is theirs, and the log is read only where what they may see has changed
// meanwhile: it alone knows what they could see at their cursor. User 2 came into room 9 by event 1.
func TestComingBack(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		missed []models.Event // after event 2, a message of room 9
		cursor int64
		want   string
		pages  int64
	}{
		{"messages", []models.Event{message(9), message(8), internal(), toUser(3), toUser(2), toAgents(), toEveryone()}, 2, "ready@2 3 7 9", 0},
		{"moves of others", []models.Event{joined(9, 3), message(9), left(9, 3)}, 2, "ready@2 3 4 5", 0},
		{"joined", []models.Event{message(8), joined(8, 2), message(8)}, 2, "ready@2 4 5", 1},
		{"joined before the cursor", []models.Event{message(8), joined(8, 2), message(8), message(9)}, 4, "ready@4 5 6", 0},
		{"left", []models.Event{message(9), left(9, 2), message(9)}, 2, "ready@2 3 4", 1},
		{"left before the cursor", []models.Event{message(9), left(9, 2), message(9)}, 4, "ready@4", 0},
		{"removed", []models.Event{message(9), removed(9, 2), message(9)}, 2, "ready@2 4", 1},
		{"left and back", []models.Event{left(9, 2), message(9), joined(9, 2), message(9)}, 2, "ready@2 3 5 6", 1},
		{"removed and back", []models.Event{message(9), removed(9, 2), message(9), joined(9, 2), message(9)}, 2, "ready@2 4 6 7", 1},
		{"removed and back twice", []models.Event{
			removed(9, 2), joined(9, 2), message(9), removed(9, 2), message(9), joined(9, 2), message(9),
		}, 2, "ready@2 3 6 8 9", 1},
		{"a room that is gone", []models.Event{joined(8, 2), message(8), roomDeleted(8), message(9)}, 2, "ready@2 5 6", 1},
		{"a conversation", []models.Event{message(9), direct(5, 2), message(5)}, 2, "ready@2 3 4 5", 1},
		{"became an agent", []models.Event{toAgents(), roleChanged(2, models.RoleAgent), toAgents()}, 2, "ready@2 4 5", 1},
		{"was an agent", []models.Event{roleChanged(2, models.RoleAgent), toAgents(), roleChanged(2, models.RoleMember), toAgents()}, 2, "ready@2 3 4 5", 1},
	} {
		for _, restarted := range []bool{false, true} {
			name := tc.name
			if restarted {
				name += " after a restart"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					w := mustWorld(t, broker.Options{})
					w.publish(joined(9, 2), message(9))
					w.publish(slices.Clone(tc.missed)...) // it gives them their ids
					synctest.Wait()
					if restarted {
						w.restart(broker.Options{})
					}
					c := w.connect(from(2, tc.cursor))
					synctest.Wait()
					c.expect(tc.want)
					if got := w.log.pages.Load(); got != tc.pages {
						t.Errorf("%d pages were read, want %d", got, tc.pages)
					}
					w.publish(toUser(2))
					synctest.Wait()
					if ids := c.ids(); len(ids) == 0 || ids[len(ids)-1] != w.log.head() {
						t.Errorf("what came live: %s", c.story())
					}
					c.stop()
				})
			})
		}
	}
}

// Whatever is published around the snapshot of somebody who comes back comes exactly once, though it changes what they
// may see. Their cursor is 2, the snapshot's head 4 or more.
func TestComingBackRaces(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name          string
		before, after []models.Event
		want          string
	}{
		{"messages", []models.Event{message(9)}, []models.Event{message(9)}, "ready@2 3 4 5 7"},
		{"join before", []models.Event{joined(8, 2)}, []models.Event{message(8)}, "ready@2 3 4 5 6 7"},
		{"join after", []models.Event{message(8)}, []models.Event{joined(8, 2), message(8)}, "ready@2 3 5 6 7 8"},
		{"leave before", []models.Event{left(9, 2)}, []models.Event{message(9)}, "ready@2 3 4 7"},
		{"leave after", []models.Event{message(9)}, []models.Event{left(9, 2), message(9)}, "ready@2 3 4 5 8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := mustWorld(t, broker.Options{})
				w.publish(joined(9, 2), message(9), message(9))
				w.log.onStanding = func(before bool) {
					batch := tc.after
					if before {
						batch = tc.before
					}
					w.publish(batch...)
					synctest.Wait()
				}
				c := w.connect(from(2, 2))
				w.log.onStanding = nil
				w.publish(message(8), toUser(2))
				synctest.Wait()
				c.expect(tc.want)
				c.stop()
			})
		})
	}
}

// The log is ahead of the broker: what it has and the broker has not published comes when it does.
func TestComingBackAheadOfThePublisher(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{})
		w.publish(joined(9, 2), message(9), message(9))
		late := w.log.append(message(9), message(9))
		behind, level := w.connect(from(2, 2)), w.connect(from(2, 3))
		synctest.Wait()
		behind.expect("ready@2 3")
		level.expect("ready@3")
		w.b.Publish(late)
		synctest.Wait()
		behind.expect("ready@2 3 4 5")
		level.expect("ready@3 4 5")
		behind.stop()
		level.stop()
	})
}

// A position that cannot be followed is told as ever, though the entries behind it are in memory.
func TestExpiredThoughInMemory(t *testing.T) {
	t.Parallel()
	for name, expire := range map[string]func(w *world){
		"pruned": func(w *world) { w.log.prune(4) },
		"holed":  func(w *world) { w.log.holes = []models.Hole{{After: 1, Before: 3}} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := mustWorld(t, broker.Options{})
				w.publish(joined(9, 2), message(9), message(9), message(9), message(9))
				expire(w)
				c := w.connect(from(2, 2))
				synctest.Wait()
				if got := c.story(); len(c.ids()) != 0 || c.got()[1].Type != models.Reset {
					t.Errorf("it got %s", got)
				}
				c.stop()
			})
		})
	}
}

// A restored backup leaves a hole in the ids. What lies before it is not taken for what follows it.
func TestRecallOverAHole(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{})
		w.publish(joined(9, 2), message(9), message(9))
		w.log.skip(100)
		w.log.append(message(9), message(9))
		restored := func(ctx context.Context, through int64, limit int) ([]models.Event, error) {
			var kept []models.Event
			tail, err := w.log.Tail(ctx, through, limit+100)
			for _, e := range tail {
				if e.ID <= 3 || e.ID > 103 {
					kept = append(kept, e)
				}
			}
			return kept[:min(limit, len(kept))], err
		}
		for _, size := range []int{64, 256} {
			if err := w.b.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.b = broker.New(broker.Options{Log: w.log, Attendance: w.att, RingSize: size, PageSize: 3})
			w.att.b = w.b
			w.b.Start(w.log.head())
			if err := w.b.Recall(t.Context(), restored); err != nil {
				t.Fatal(err)
			}
			old, young, lost := w.connect(from(2, 2)), w.connect(from(2, 104)), w.connect(from(2, 50))
			synctest.Wait()
			old.expect("ready@2 3 104 105")
			young.expect("ready@104 105")
			if got := lost.story(); len(lost.ids()) != 0 || lost.got()[1].Type != models.Reset {
				t.Errorf("from within the hole it got %s", got)
			}
			old.stop()
			young.stop()
			lost.stop()
		}
	})
}

// What was recalled and is rewritten later is not written as it was.
func TestRecalledAndRewritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{})
		w.publish(joined(9, 2), message(9), message(9), message(9))
		w.restart(broker.Options{})
		w.rewrite(3)
		synctest.Wait()
		c := w.connect(from(2, 1))
		synctest.Wait()
		c.expect("ready@1 2 3 4")
		if got := string(c.got()[2].Data); got != `{"text":""}` {
			t.Errorf("event 3 came as %s", got)
		}
		c.stop()
	})
}

// What is recalled keeps to the ring's bounds, and the newest of it stays. Everybody gets everything, from memory or
// from the log.
func TestRecallIsBounded(t *testing.T) {
	t.Parallel()
	for _, opt := range []broker.Options{
		{RingSize: 16, PageSize: 5},
		{RingSize: 64, RingBytes: 4000, PageSize: 20},
		{RingSize: 64, RingBytes: 1, PageSize: 20},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := mustWorld(t, broker.Options{}, joined(9, 2))
			for range 40 {
				w.publish(message(9))
			}
			synctest.Wait()
			w.restart(opt)
			check := func() {
				t.Helper()
				if s := w.b.Stats(); s.RingEntries > opt.RingSize || opt.RingBytes > 0 && s.RingBytes > opt.RingBytes {
					t.Errorf("%+v: the ring has %d entries, %d bytes", opt, s.RingEntries, s.RingBytes)
				}
			}
			check()
			if s := w.b.Stats(); s.RingEntries < 10 && opt.RingBytes != 1 {
				t.Errorf("%+v: only %d entries were recalled", opt, s.RingEntries)
			}
			c := w.connect(from(2, 35)) // of 41
			synctest.Wait()
			if ids := c.ids(); len(ids) != 6 || w.log.pages.Load() != 0 && opt.RingBytes != 1 {
				t.Errorf("%+v: %d events came, %d pages were read", opt, len(ids), w.log.pages.Load())
			}
			c.stop()
			c = w.connect(from(2, 1))
			for range 100 {
				w.publish(message(9))
				check()
			}
			synctest.Wait()
			if ids := c.ids(); len(ids) != 140 || ids[0] != 2 || ids[139] != 141 {
				t.Errorf("%+v: it got %s", opt, c.story())
			}
			c.stop()
		})
	}
}

// Each entry is asked for once.
func TestRecallAsksOnce(t *testing.T) {
	t.Parallel()
	w := mustWorld(t, broker.Options{PageSize: 5})
	for range 17 {
		w.publish(message(9))
	}
	w.restart(broker.Options{PageSize: 5})
	want := w.log.head()
	tail := func(ctx context.Context, through int64, limit int) ([]models.Event, error) {
		if through != want || limit != 5 {
			t.Errorf("asked for %d entries up to %d, want 5 up to %d", limit, through, want)
		}
		want -= 5
		return w.log.Tail(ctx, through, limit)
	}
	b := broker.New(broker.Options{Log: w.log, PageSize: 5})
	b.Start(w.log.head())
	if err := b.Recall(t.Context(), tail); err != nil {
		t.Fatal(err)
	}
	if s := b.Stats(); s.RingEntries != 17 || want != -3 {
		t.Errorf("%d entries were recalled; down to %d", s.RingEntries, want)
	}
	if err := b.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRecallFails(t *testing.T) {
	t.Parallel()
	w := mustWorld(t, broker.Options{}, joined(9, 2))
	w.log.err = errors.New("the disk burns")
	if err := w.b.Recall(t.Context(), w.log.Tail); !errors.Is(err, w.log.err) {
		t.Errorf("Recall: %v", err)
	}
	w.log.err = nil
}
