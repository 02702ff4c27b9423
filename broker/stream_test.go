package broker_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/broker"
	"parley/models"
)

func TestOpening(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		cursor  *int64
		bad     bool
		pruned  int64 // the oldest id kept
		want    string
		resumed bool
	}{
		{name: "from now", want: "ready@6 7"},
		{name: "at the head", cursor: new(int64(6)), want: "ready@6 7", resumed: true},
		{name: "behind", cursor: new(int64(3)), want: "ready@3 4 6 7", resumed: true},
		{name: "from the beginning", cursor: new(int64(0)), want: "ready@0 2 3 4 6 7", resumed: true},
		{name: "all that is kept", cursor: new(int64(0)), pruned: 4, want: "ready@0 4 6 7", resumed: true},
		{name: "just kept", cursor: new(int64(3)), pruned: 4, want: "ready@3 4 6 7", resumed: true},
		{name: "pruned", cursor: new(int64(2)), pruned: 4, want: "ready@6 reset@6 7"},
		{name: "past the head", cursor: new(int64(7)), want: "ready@6 reset@6 7"},
		{name: "malformed", bad: true, want: "ready@6 reset@6 7"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := mustWorld(t, broker.Options{},
					internal(), joined(9, 2), message(9), message(9), message(8), message(9))
				if tc.pruned > 0 {
					w.log.prune(tc.pruned)
				}
				sub := of(2)
				sub.Cursor, sub.ResetCursor = tc.cursor, tc.bad
				c := w.connect(sub)
				synctest.Wait()
				w.publish(message(9))
				synctest.Wait()
				c.expect(tc.want)
				ready := c.got()[0]
				if !strings.Contains(string(ready.Data), `"name":"u2"`) ||
					strings.Contains(string(ready.Data), `"resumed":true`) != tc.resumed {
					t.Errorf("ready is %s", ready.Data)
				}
				if c.retry < 500 || c.retry > 2000 {
					t.Errorf("retry is %d ms", c.retry)
				}
				c.stop()
			})
		})
	}
}

func TestResetSaysWhatIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, internal(), internal(), internal())
		w.log.prune(3)
		sub := of(2)
		sub.Cursor = new(int64(1))
		c := w.connect(sub)
		synctest.Wait()
		if got := string(c.got()[1].Data); got != `{"oldest":3,"cursor":3}` {
			t.Errorf("reset is %s", got)
		}
		c.stop()
	})
}

// A reader that falls so far behind that the log no longer has what it missed is told so.
func TestResetInTheMiddle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{RingSize: 4}, joined(9, 2))
		open := make(chan struct{})
		c := w.connectTo(of(2), &recorder{t: t, gate: func() error { <-open; return nil }})
		for range 20 {
			w.publish(message(9))
		}
		w.log.prune(15)
		close(open)
		synctest.Wait()
		w.publish(message(9))
		synctest.Wait()
		c.expect("ready@1 reset@21 22")
		c.stop()
	})
}

// The same between two pages of a replay: what was not given yet is not skipped in silence, and what
// comes later comes.
func TestPrunedDuringReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		before := []models.Event{joined(9, 2)}
		for range 20 {
			before = append(before, message(9))
		}
		w := mustWorld(t, broker.Options{PageSize: 4}, before...)
		pages := 0
		w.log.onPage = func() {
			if pages++; pages == 3 {
				w.log.prune(15)
			}
		}
		sub := of(2)
		sub.Cursor = new(int64(1))
		c := w.connect(sub)
		synctest.Wait()
		w.publish(message(9))
		synctest.Wait()
		c.expect("ready@1 2 3 4 5 6 7 8 9 reset@21 22")
		c.stop()
	})
}

// A hole is crossed by who stood before it, at the start and live, and whoever stands in it is told.
func TestHoles(t *testing.T) {
	t.Parallel()
	for cursor, want := range map[int64]string{
		2: "ready@2 3 5004 5005 10006 10007", 3: "ready@3 5004 5005 10006 10007",
		4: "ready@5004 reset@5004 5005 10006 10007", 5003: "ready@5004 reset@5004 5005 10006 10007",
		5004: "ready@5004 5005 10006 10007",
	} {
		synctest.Test(t, func(t *testing.T) {
			log := newMemLog(t)
			log.append(joined(9, 2), message(9), message(9))
			log.skip(5000)
			log.append(message(9))
			w := &world{t: t, log: log, b: broker.New(broker.Options{Log: log, RingSize: 8})}
			w.b.Start(log.head())
			sub := of(2)
			sub.Cursor = &cursor
			c := w.connect(sub)
			synctest.Wait()
			w.publish(message(9))
			synctest.Wait()
			w.log.skip(5000) // while it runs, as another process on the same database may cause it
			w.publish(message(9))
			synctest.Wait()
			w.publish(message(9))
			synctest.Wait()
			c.expect(want)
			if pages := w.log.pages.Load(); pages > 3 {
				t.Errorf("%d pages were read", pages)
			}
			c.stop()
			if err := w.b.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestMembership(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		batches [][]models.Event
		want    string // of user 2, who is in room 9 from event 1 on; user 3 is in room 8
	}{
		{"stays", [][]models.Event{{message(9), message(8)}, {message(9)}}, "2 4"},
		{"leaves", [][]models.Event{{message(9)}, {left(9, 2)}, {message(9)}}, "2 3"},
		{"leaves within a batch", [][]models.Event{{message(9), left(9, 2), message(9)}}, "2 3"},
		{"is removed", [][]models.Event{{removed(9, 2)}, {message(9)}}, "2"},
		{"another leaves", [][]models.Event{{joined(9, 3)}, {left(9, 3)}, {message(9)}}, "2 3 4"},
		{"joins", [][]models.Event{{message(8)}, {joined(8, 2)}, {message(8)}}, "3 4"},
		{"joins within a batch", [][]models.Event{{message(8), joined(8, 2), message(8)}}, "3 4"},
		{"out and in", [][]models.Event{{left(9, 2), message(9), joined(9, 2), message(9)}, {message(9)}}, "2 4 5 6"},
		{"in and out", [][]models.Event{{joined(8, 2), message(8), left(8, 2), message(8)}, {message(8)}}, "2 3 4"},
		{"room deleted", [][]models.Event{{roomDeleted(9)}, {message(9)}}, "2"},
		{"joins and deleted", [][]models.Event{{joined(8, 2), roomDeleted(8), message(8)}}, "2 3"},
		{"direct", [][]models.Event{{direct(7, 3), direct(7, 2), message(7)}, {message(7)}}, "3 4 5"},
		{"internal", [][]models.Event{{internal(), message(9), internal()}, {internal()}}, "3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := mustWorld(t, broker.Options{}, joined(9, 2))
				w.log.spells[3] = []*models.Membership{{RoomID: 8}}
				c, other := w.connect(of(2)), w.connect(of(3))
				synctest.Wait()
				for _, batch := range tc.batches {
					w.publish(batch...)
					synctest.Wait()
				}
				c.expect("ready@1 " + tc.want)
				c.stop()
				other.stop()
			})
		})
	}
}

func TestAudiences(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{})
		w.log.setRole(3, models.RoleVisitor)
		w.log.setRole(4, models.RoleAgent)
		member, visitor, agent := w.connect(of(2)), w.connect(of(3)), w.connect(of(4))
		synctest.Wait()
		w.publish(toEveryone(), toAgents(), toUser(2), toUser(3), toUser(4), internal())
		synctest.Wait()
		member.expect("ready@0 1 3")
		visitor.expect("ready@0 4")
		agent.expect("ready@0 1 2 5")
		for _, c := range []*client{member, visitor, agent} {
			c.stop()
		}
	})
}

// A new role counts from the event on that tells of it, though no event says what it brings.
func TestRoleChange(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{})
		c := w.connect(of(2))
		synctest.Wait()
		w.publish(toAgents(), roleChanged(2, models.RoleAgent), toAgents())
		w.publish(toAgents())
		synctest.Wait()
		w.publish(toAgents())
		synctest.Wait()
		w.publish(roleChanged(2, models.RoleMember))
		w.publish(toAgents(), toEveryone())
		synctest.Wait()
		quiet := roleChanged(2, models.RoleAgent)
		quiet.Audience = models.Audience{} // the change alone must do
		w.publish(quiet)
		synctest.Wait()
		w.publish(toAgents())
		synctest.Wait()
		c.expect("ready@0 2 3 4 5 6 8 10")
		c.stop()
	})
}

func TestFilters(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		filter broker.Filter
		want   string
	}{
		{"none", broker.Filter{}, "ready@2 3 4 5 6 heartbeat@6"},
		{"types", broker.Filter{Types: []models.EventType{models.MessageCreated}}, "ready@2 3 4 heartbeat@6"},
		{"rooms", broker.Filter{HasRooms: true, Rooms: []int64{8, 7}}, "ready@2 4 5 6 heartbeat@6"},
		{"no rooms", broker.Filter{HasRooms: true}, "ready@2 5 6 heartbeat@6"},
		{"both", broker.Filter{HasRooms: true, Rooms: []int64{8}, Types: []models.EventType{models.MessageCreated}}, "ready@2 4 heartbeat@6"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := mustWorld(t, broker.Options{}, joined(9, 2), joined(8, 2))
				sub := of(2)
				sub.Filter = tc.filter
				live := w.connect(sub)
				synctest.Wait()
				w.publish(message(9), message(8), toUser(2), toEveryone())
				sub.Cursor = new(int64(2))
				replayed := w.connect(sub) // the log filters alike
				time.Sleep(20 * time.Second)
				synctest.Wait()
				live.expect(tc.want)
				replayed.expect(tc.want)
				live.stop()
				replayed.stop()
			})
		})
	}
}

func TestNDJSON(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(9, 2), message(9))
		sub := of(2)
		sub.Format, sub.Cursor = broker.NDJSON, new(int64(1))
		c := w.connect(sub)
		synctest.Wait()
		w.publish(message(9))
		synctest.Wait()
		w.publish(message(9), message(9))
		time.Sleep(20 * time.Second)
		w.b.EndSession(2, "logout", "")
		<-c.done
		c.expect(`ready@1 2 3 4 5 heartbeat@5 session.ended{"reason":"logout"}`)
		for _, f := range c.got() {
			if f.sseID != "" {
				t.Errorf("%s has an SSE id", f.Type)
			}
		}
	})
}

// An event that comes alone is written as the one frame that all share; several go in one
// write of at most 16 KiB; what is greater goes alone.
func TestWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(9, 2), joined(9, 3))
		a, b := w.connect(of(2)), w.connect(of(3))
		synctest.Wait()
		w.publish(message(9))
		synctest.Wait()
		if &a.writes[1][0] != &b.writes[1][0] {
			t.Error("a frame was copied for a stream")
		}
		big := message(9)
		big.JSON = []byte(`{"id":5,"type":"x","data":"` + strings.Repeat("x", 17000) + `"}`)
		batch := []models.Event{message(9), big, message(9)}
		for range 200 {
			batch = append(batch, message(9))
		}
		w.publish(batch...)
		synctest.Wait()
		if got := len(a.ids()); got != 204 {
			t.Errorf("got %d events", got)
		}
		sizes := []int{}
		for _, p := range a.writes[2:] {
			sizes = append(sizes, len(p))
		}
		// one; the great one; the rest in two: the recorder refuses more than 16 KiB
		if len(sizes) != 4 || sizes[1] < 17000 || sizes[2] < 15<<10 {
			t.Errorf("writes of %d bytes", sizes)
		}
		a.stop()
		b.stop()
	})
}

func TestSinkErrorEndsTheStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(9, 2))
		gone := errors.New("connection reset")
		writes := 0
		c := w.connectTo(of(2), &recorder{t: t, gate: func() error {
			if writes++; writes > 1 {
				return gone
			}
			return nil
		}})
		synctest.Wait()
		w.publish(message(9))
		<-c.done
		if !errors.Is(c.err, gone) {
			t.Errorf("Run: %v", c.err)
		}
		if here := w.att.now(); len(here) != 0 {
			t.Errorf("still here: %v", here)
		}
	})
}

func TestLogErrors(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{MaxStreamsPerSession: 1}, joined(9, 2))
		broken := errors.New("disk gone")
		w.log.err = broken
		if _, err := w.b.Subscribe(t.Context(), of(2)); !errors.Is(err, broken) {
			t.Errorf("Subscribe: %v", err)
		}
		w.log.err = nil
		sub := of(2) // the slot is free again
		sub.Cursor = new(int64(0))
		s, err := w.b.Subscribe(t.Context(), sub)
		if err != nil {
			t.Fatal(err)
		}
		w.log.err = broken
		if err := s.Run(t.Context(), &recorder{t: t}); !errors.Is(err, broken) {
			t.Errorf("Run: %v", err)
		}
		w.log.err = nil
	})
}

func TestContextEndsTheStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{})
		c := w.connect(of(2))
		synctest.Wait()
		c.stop()
		if !errors.Is(c.err, context.Canceled) {
			t.Errorf("Run: %v", c.err)
		}
	})
}

// Attendance hears of streams, and of polls that were good ones.
func TestAttendance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{})
		a, b, c := w.connect(of(3)), w.connect(of(3)), w.connect(of(2))
		poll := func() *broker.Waiter {
			waiter, err := w.b.Watch(4, 4, broker.Filter{})
			if err != nil {
				t.Fatal(err)
			}
			return waiter
		}
		refused, waiter := poll(), poll()
		for range 2 {
			waiter.Arrive(models.Standing{UserID: 4})
		}
		want := map[int64]int{2: 1, 3: 2, 4: 100}
		if got := w.att.now(); !maps.Equal(got, want) {
			t.Errorf("here: %v, want %v", got, want)
		}
		a.stop()
		refused.Close()
		want[3] = 1
		if got := w.att.now(); !maps.Equal(got, want) {
			t.Errorf("here: %v, want %v", got, want)
		}
		b.stop()
		c.stop()
		waiter.Close()
		if got := w.att.now(); len(got) != 0 {
			t.Errorf("here: %v", got)
		}
	})
}
