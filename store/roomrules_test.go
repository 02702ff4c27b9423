package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

// stage is the service over a database, with a clock that stands until it is moved, and a channel of ann's with bob
// and carl in it.
type stage struct {
	t              *testing.T
	s              *chat.Service
	rec            recorder
	now            atomic.Int64
	ann, bob, carl chat.Actor
	room           models.JoinedRoom
}

func newStage(t *testing.T, o Options, n chat.NewRoom) *stage {
	t.Helper()
	g := &stage{t: t}
	g.now.Store(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
	o.Clock, o.OnCommit = func() time.Time { return time.UnixMilli(g.now.Load()) }, g.rec.add
	g.s = rules(t, o)
	g.account("root")
	g.ann, g.bob, g.carl = g.account("ann"), g.account("bob"), g.account("carl")
	n.Name = "tea"
	var err error
	if g.room, err = g.s.CreateRoom(t.Context(), g.ann, n); err != nil {
		t.Fatal(err)
	}
	g.add("@bob")
	g.add("@carl")
	return g
}

func (g *stage) account(name string) chat.Actor {
	g.t.Helper()
	login, err := g.s.Register(g.t.Context(), name, "correct horse", chat.Device{})
	if err != nil {
		g.t.Fatal(err)
	}
	return login.Actor
}

func (g *stage) add(user string) {
	g.t.Helper()
	if _, err := g.s.PutMember(g.t.Context(), g.ann, "tea", user, models.NoRole); err != nil {
		g.t.Fatal(err)
	}
}

func (g *stage) restrict(kind models.RestrictionKind, user string, until models.Time) {
	g.t.Helper()
	if _, err := g.s.Restrict(g.t.Context(), g.ann, kind, "tea", user, chat.NewRestriction{Until: until}); err != nil {
		g.t.Fatal(err)
	}
}

func (g *stage) lift(kind models.RestrictionKind, user string) {
	g.t.Helper()
	if err := g.s.Lift(g.t.Context(), g.ann, kind, "tea", user); err != nil {
		g.t.Fatal(err)
	}
}

// sends wants the code of the answer to a message, "" for one that is taken.
func (g *stage) sends(a chat.Actor, want models.Code) {
	g.t.Helper()
	_, _, err := g.s.Send(g.t.Context(), a, models.Draft{To: "tea", Text: "hello"})
	if got := codeOf(err); got != want {
		g.t.Errorf("%s sends: %q, want %q", a.User.Name, got, want)
	}
}

func codeOf(err error) models.Code {
	if err == nil {
		return ""
	}
	return models.CodeOf(err)
}

func (g *stage) in(d time.Duration) models.Time {
	return models.At(time.UnixMilli(g.now.Load()).Add(d))
}

// A mute holds for those it names, until it is lifted or over by the command's clock.
func TestMuteHolds(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		g := newStage(t, o, chat.NewRoom{})
		g.restrict(models.MuteKind, "@carl", models.Time{})
		g.sends(g.bob, "") // from now on it is known that bob is not muted
		g.sends(g.carl, models.CodeMuted)
		g.restrict(models.MuteKind, "@bob", g.in(time.Hour))
		g.sends(g.bob, models.CodeMuted)
		g.now.Add(time.Hour.Milliseconds() - 1)
		g.sends(g.bob, models.CodeMuted)
		g.now.Add(1)
		g.sends(g.bob, "")
		g.restrict(models.MuteKind, "@bob", models.Time{})
		g.now.Add(1000 * time.Hour.Milliseconds())
		g.sends(g.bob, models.CodeMuted)
		g.lift(models.MuteKind, "@bob")
		g.sends(g.bob, "")
		g.sends(g.carl, models.CodeMuted)
		g.lift(models.MuteKind, "@carl")
		g.sends(g.carl, "")
	})
}

// No message follows its sender's mute, or their ban from the room, however many are under way.
func TestNothingFollowsAMuteOrARoomBan(t *testing.T) {
	t.Parallel()
	for _, kind := range []models.RestrictionKind{models.MuteKind, models.BanKind} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, o Options) {
				g := newStage(t, o, chat.NewRoom{Visibility: models.Public})
				for range 12 {
					g.raceWith(kind)
					g.lift(kind, "@bob")
					if kind == models.BanKind {
						g.add("@bob")
					}
				}
				g.checkOrder(12)
			})
		})
	}
}

// raceWith restricts bob while he sends by many connections.
func (g *stage) raceWith(kind models.RestrictionKind) {
	g.t.Helper()
	codes := map[models.RestrictionKind]models.Code{models.MuteKind: models.CodeMuted, models.BanKind: models.CodeBanned}
	var senders sync.WaitGroup
	var said atomic.Int64
	busy := make(chan struct{})
	for range 8 {
		senders.Go(func() {
			for {
				_, _, err := g.s.Send(context.Background(), g.bob, models.Draft{To: "tea", Text: "hello"})
				if err == nil {
					if said.Add(1) == 20 {
						close(busy)
					}
					continue
				}
				if got := codeOf(err); got != codes[kind] {
					g.t.Errorf("refused with %v, want %s", err, codes[kind])
				}
				return
			}
		})
	}
	<-busy
	g.restrict(kind, "@bob", models.Time{})
	senders.Wait()
}

// checkOrder looks in the log for messages of bob's after he was muted or taken out, and before he was let in again.
func (g *stage) checkOrder(rounds int) {
	g.t.Helper()
	silent, times := false, 0
	g.rec.mu.Lock()
	defer g.rec.mu.Unlock()
	for _, e := range g.rec.events {
		if e.RoomID != g.room.ID {
			continue
		}
		json := string(e.JSON)
		switch e.Type {
		case models.MessageCreated:
			if silent {
				g.t.Fatalf("after the restriction came %s", json)
			}
		case models.MemberLeft:
			silent, times = true, times+1
		case models.MemberJoined:
			silent = false
		case models.MemberUpdated:
			if silent = strings.Contains(json, `"muted":true`); silent {
				times++
			}
		}
	}
	if times != rounds {
		g.t.Errorf("bob was silenced %d times of %d", times, rounds)
	}
}

// In slow mode a member sends once in so many seconds by the command's clock, and a repeat is answered all the same.
func TestSlowMode(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		g := newStage(t, o, chat.NewRoom{SlowMode: 10})
		g.sends(g.bob, "")
		g.sends(g.carl, "") // each has their own time
		g.now.Add(9_001)
		_, _, err := g.s.Send(t.Context(), g.bob, models.Draft{To: "tea", Text: "again"})
		if e, ok := errors.AsType[*models.Error](err); !ok || e.Code != models.CodeSlowMode || e.RetryAfter != 999*time.Millisecond {
			t.Errorf("too soon: %+v", err)
		}
		for range 3 {
			g.sends(g.ann, "") // the owner may
		}
		g.now.Add(998)
		g.sends(g.bob, models.CodeSlowMode)
		g.now.Add(1)
		m, _, err := g.s.Send(t.Context(), g.bob, models.Draft{To: "tea", Text: "once", Nonce: "n"})
		if err != nil {
			t.Fatal(err)
		}
		if again, repeated, err := g.s.Send(t.Context(), g.bob, models.Draft{To: "tea", Text: "once", Nonce: "n"}); err != nil || !repeated || again.ID != m.ID {
			t.Errorf("the repeat: %+v %v %v", again, repeated, err)
		}
		g.now.Add(-3_600_000) // the clock is put back: nobody waits for longer than the pace
		_, _, err = g.s.Send(t.Context(), g.bob, models.Draft{To: "tea", Text: "back"})
		if e, ok := errors.AsType[*models.Error](err); !ok || e.RetryAfter != 10*time.Second {
			t.Errorf("with the clock put back: %+v", err)
		}
		g.now.Add(3_600_000)
		off := 0
		if _, err := g.s.UpdateRoom(t.Context(), g.ann, "tea", chat.RoomChange{SlowMode: &off}); err != nil {
			t.Fatal(err)
		}
		g.sends(g.bob, "")
		g.sends(g.bob, "")
	})
}

// Of many messages sent at once in slow mode one is taken, also of those that are written together.
func TestSlowModeTakesOneOfMany(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		g := newStage(t, o, chat.NewRoom{SlowMode: 60})
		for range 10 {
			var taken atomic.Int64
			var all sync.WaitGroup
			for i := range 32 {
				all.Go(func() {
					a := []chat.Actor{g.bob, g.ann}[i/16] // ann's fill the batches
					_, _, err := g.s.Send(context.Background(), a, models.Draft{To: "tea", Text: fmt.Sprint(i)})
					if a.User.ID == g.bob.User.ID && err == nil {
						taken.Add(1)
					} else if got := codeOf(err); got != "" && got != models.CodeSlowMode {
						t.Errorf("refused with %v", err)
					}
				})
			}
			all.Wait()
			if taken.Load() != 1 {
				t.Fatalf("%d messages were taken", taken.Load())
			}
			g.now.Add(60_000)
		}
	})
}

// A room without mutes and slow mode costs a send no look-up more than before; that somebody is not muted is looked up
// once.
func TestMutesCostSendsNothing(t *testing.T) {
	t.Parallel()
	var reads atomic.Int64
	o := Options{Dir: t.TempDir(), Fault: func(op string) error {
		if op == OpRead {
			reads.Add(1)
		}
		return nil
	}}
	g := newStage(t, o, chat.NewRoom{})
	cost := func() (n []int64) {
		for range 3 {
			before := reads.Load()
			g.sends(g.bob, "")
			n = append(n, reads.Load()-before)
		}
		return n
	}
	g.sends(g.bob, "")
	if got := cost(); !slices.Equal(got, []int64{0, 0, 0}) {
		t.Errorf("without mutes: %v", got)
	}
	g.restrict(models.MuteKind, "@carl", models.Time{})
	if got := cost(); !slices.Equal(got, []int64{1, 0, 0}) {
		t.Errorf("with a mute: %v", got)
	}
}
