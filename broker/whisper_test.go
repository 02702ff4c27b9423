package broker_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/broker"
	"parley/models"
)

// aWhile is longer than the crier rests.
const aWhile = 200 * time.Millisecond

func rest() {
	time.Sleep(aWhile)
	synctest.Wait()
}

// saidBy is a message of the user.
func saidBy(user, room int64) models.Event {
	e := message(room)
	e.Change.UserID = user
	return e
}

// overheard is what the client was told without an id but presence: who types where, what was read.
func (c *client) overheard() string {
	var words []string
	for _, f := range c.got() {
		switch f.Type {
		case models.Typing, models.ReadUpdated:
		default:
			continue
		}
		var data struct {
			User      models.EventUser
			MessageID int64 `json:"message_id"`
		}
		if err := json.Unmarshal(f.Data, &data); err != nil {
			c.t.Error(err)
		}
		if f.ID != 0 || f.sseID != "" {
			c.t.Errorf("%s has the id %d, %q", f.Type, f.ID, f.sseID)
		}
		if f.Type == models.Typing {
			words = append(words, fmt.Sprintf("%s@%d", data.User.Name, f.Room))
		} else {
			words = append(words, fmt.Sprintf("read %d@%d", data.MessageID, f.Room))
		}
	}
	return strings.Join(words, " ")
}

// overhears ends with what each was told, in any order.
func overhears(t *testing.T, want map[*client]string) {
	t.Helper()
	sorted := func(s string) string {
		words := strings.Split(s, " ")
		slices.Sort(words)
		return strings.Join(words, " ")
	}
	for c, want := range want {
		if got := c.overheard(); sorted(got) != sorted(want) {
			t.Errorf("overheard %q, want %q", got, want)
		}
	}
}

func narrowed(user int64, f broker.Filter) broker.Subscription {
	sub := of(user)
	sub.Filter = f
	return sub
}

func only(types ...models.EventType) broker.Filter {
	f := broker.Filter{Types: []models.EventType{}}
	f.Types = append(f.Types, types...)
	return f
}

func TestTypingReachesTheOthersInTheRoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(8, 2), joined(8, 3), joined(9, 3), joined(9, 4))
		lines := of(4)
		lines.Format = broker.NDJSON
		want := map[*client]string{
			w.connect(of(2)): "u3@8",
			w.connect(of(3)): "u4@9", // nothing of oneself
			w.connect(of(4)): "u3@9",
			w.connect(lines): "u3@9",
			w.connect(of(5)): "",
			w.connect(narrowed(4, broker.Filter{Rooms: []int64{9, 7}, HasRooms: true})):          "u3@9",
			w.connect(narrowed(4, broker.Filter{Rooms: []int64{8}, HasRooms: true})):             "",
			w.connect(narrowed(4, only(models.Typing))):                                          "u3@9",
			w.connect(narrowed(4, only(models.MessageCreated, models.ReadUpdated))):              "",
			w.connect(narrowed(3, broker.Filter{Rooms: []int64{8}, HasRooms: true, Types: nil})): "",
		}
		synctest.Wait()
		w.b.Typing(9, person(3))
		w.b.Typing(8, person(3))
		w.b.Typing(9, person(4))
		w.b.Typing(7, person(6)) // where nobody is
		rest()
		overhears(t, want)
		if s := w.b.Stats(); s.Whispers != 6 || s.Deliveries != 0 || s.Moments != 4 {
			t.Errorf("%+v", s)
		}
		late := w.connect(of(4))
		synctest.Wait()
		w.b.Typing(9, person(7))
		rest()
		overhears(t, map[*client]string{late: "u7@9"}) // nothing is told again
		for c := range want {
			c.stop()
		}
		late.stop()
		time.Sleep(10 * time.Second)
		if s := w.b.Stats(); s.Whispers != 6+6 || s.Moments != 0 {
			t.Errorf("when all is over: %+v", s)
		}
	})
}

// until is told by the same clock as the moment.
func TestTypingSaysUntilWhen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(9, 2), joined(9, 3))
		c := w.connect(of(2))
		synctest.Wait()
		began := models.At(time.Now())
		w.b.Typing(9, person(3))
		rest()
		frames := c.got()
		var data models.TypingData
		if err := json.Unmarshal(frames[len(frames)-1].Data, &data); err != nil {
			t.Fatal(err)
		}
		if data.User != person(3) || data.Until.Sub(began.Time) != 6*time.Second {
			t.Errorf("%+v, began %v", data, began)
		}
		c.stop()
	})
}

// Who calls again and again is told of once in 3 s, and at once when they have said something meanwhile.
func TestTypingIsToldOnceIn3Seconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(9, 2), joined(9, 3))
		c := w.connect(of(2))
		synctest.Wait()
		for range 29 {
			w.b.Typing(9, person(3))
			time.Sleep(100 * time.Millisecond)
		}
		overhears(t, map[*client]string{c: "u3@9"})
		time.Sleep(100 * time.Millisecond)
		w.b.Typing(9, person(3))
		rest()
		overhears(t, map[*client]string{c: "u3@9 u3@9"})
		w.publish(saidBy(2, 9), saidBy(3, 7)) // another's, and elsewhere
		w.b.Typing(9, person(3))
		rest()
		overhears(t, map[*client]string{c: "u3@9 u3@9"})
		w.publish(saidBy(3, 9))
		w.b.Typing(9, person(3))
		rest()
		overhears(t, map[*client]string{c: "u3@9 u3@9 u3@9"})
		c.stop()
	})
}

// What has ended before it was told is not told any more, and nobody who has left is told.
func TestTypingOvertaken(t *testing.T) {
	t.Parallel()
	for name, end := range map[string][]models.Event{
		"by the message":        {saidBy(3, 9)},
		"by the writer's going": {left(9, 3)},
		"by a removal":          {removed(9, 3)},
		"by the reader's going": {left(9, 2), left(9, 4)},
		"by the room's end":     {roomDeleted(9)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := mustWorld(t, broker.Options{}, joined(9, 2), joined(9, 3), joined(9, 4))
				two, four := w.connect(of(2)), w.connect(of(4))
				synctest.Wait()
				w.b.Typing(9, person(3))
				w.publish(end...)
				rest()
				overhears(t, map[*client]string{two: "", four: ""})
				two.stop()
				four.stop()
			})
		})
	}
}

// A stream that takes nothing holds up nobody. It gets the newest that has not ended, and at most 64 of a room.
func TestWhispersOfASlowStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(9, 2), joined(9, 3))
		hold := make(chan struct{})
		writes := 0
		slow := w.connectTo(of(2), &recorder{t: t, gate: func() error {
			if writes++; writes == 2 {
				<-hold
			}
			return nil
		}})
		fast := w.connect(of(3))
		synctest.Wait()
		w.b.Typing(9, person(10)) // stalls with it
		rest()
		w.b.Typing(9, person(11))
		w.b.ReadMoved(2, 9, 1)
		time.Sleep(5 * time.Second)
		for id := range int64(100) {
			w.b.Typing(9, person(100+id))
			w.b.ReadMoved(2, 9, 2+id)
			if id%10 == 0 {
				rest()
			}
		}
		if s := w.b.Stats(); s.Moments > 65 {
			t.Errorf("%d are kept", s.Moments)
		}
		close(hold)
		rest()
		got := strings.Split(strings.ReplaceAll(slow.overheard(), "read ", "read:"), " ")
		if len(got) != 1+64+1 || slices.Contains(got, "u11@9") || !slices.Contains(got, "read:101@9") {
			t.Errorf("the slow one overheard %d: %v", len(got), got)
		}
		if got := strings.Fields(fast.overheard()); len(got) != 102 {
			t.Errorf("the fast one overheard %d: %v", len(got), got)
		}
		slow.stop()
		fast.stop()
	})
}

// However many type, what is kept of it is bounded.
func TestManyTypers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(9, 2))
		for id := range int64(100_000) {
			w.b.Typing(id/10, person(id+2))
		}
		if got := w.b.Stats().Moments; got != 1<<14 {
			t.Errorf("%d are kept", got)
		}
		time.Sleep(8 * time.Second)
		c := w.connect(of(2))
		w.b.Typing(9, person(3))
		rest()
		overhears(t, map[*client]string{c: "u3@9"})
		if got := w.b.Stats().Moments; got != 1 {
			t.Errorf("%d are kept when those are over", got)
		}
		c.stop()
	})
}

// Where too many would be told, nobody is, not even who is called for another room.
func TestTypingInACrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{TypingMost: 3},
			joined(8, 2), joined(8, 3), joined(9, 2), joined(9, 3), joined(9, 4), joined(9, 5))
		two, three, four, five := w.connect(of(2)), w.connect(of(3)), w.connect(of(4)), w.connect(of(5))
		deaf := w.connect(narrowed(2, only(models.MessageCreated)))
		synctest.Wait()
		for range 5 {
			w.b.Typing(9, person(9))
			w.b.Typing(8, person(9))
			rest()
		}
		overhears(t, map[*client]string{two: "u9@8", three: "u9@8", four: "", five: "", deaf: ""})
		five.stop() // and then they are few enough
		w.b.Typing(9, person(9))
		rest()
		overhears(t, map[*client]string{two: "u9@8 u9@9", three: "u9@8 u9@9", four: "u9@9", five: "", deaf: ""})
		for _, c := range []*client{two, three, four, deaf} {
			c.stop()
		}
	})
}

func TestReadMovedReachesOwnStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(8, 2), joined(9, 2), joined(9, 3))
		lines := of(2)
		lines.Format = broker.NDJSON
		want := map[*client]string{
			w.connect(of(2)): "read 7@9 read 6@8 read 8@9",
			w.connect(lines): "read 7@9 read 6@8 read 8@9",
			w.connect(of(3)): "",
			w.connect(narrowed(2, broker.Filter{Rooms: []int64{9}, HasRooms: true})): "read 7@9 read 8@9",
			w.connect(narrowed(2, broker.Filter{HasRooms: true})):                    "",
			w.connect(narrowed(2, only(models.ReadUpdated))):                         "read 7@9 read 6@8 read 8@9",
			w.connect(narrowed(2, only(models.Typing))):                              "",
		}
		synctest.Wait()
		w.b.ReadMoved(2, 9, 5)
		w.b.ReadMoved(2, 9, 7)
		w.b.ReadMoved(2, 9, 6) // came late
		w.b.ReadMoved(2, 8, 6)
		w.b.ReadMoved(4, 9, 6) // who is not there
		rest()
		w.b.ReadMoved(2, 9, 8)
		rest()
		overhears(t, want)
		for c := range want {
			c.stop()
		}
	})
}

// In a replay the own read marks come between the pages; typing waits until the view of the rooms is good.
func TestWhispersInAReplay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{PageSize: 1}, joined(9, 2), message(9), message(9), message(9))
		page := make(chan struct{})
		w.log.onPage = func() { <-page }
		sub := of(2)
		sub.Cursor = new(int64(1))
		c := w.connect(sub)
		synctest.Wait()
		w.b.ReadMoved(2, 9, 3)
		w.b.Typing(9, person(3))
		rest()
		page <- struct{}{}
		synctest.Wait()
		if got := c.story(); got != "ready@1 2 read.updated@" {
			t.Errorf("in the replay: %s", got)
		}
		close(page)
		synctest.Wait()
		if got := c.story(); got != "ready@1 2 read.updated@ 3 4 typing@" {
			t.Errorf("after it: %s", got)
		}
		c.stop()
	})
}

// People come and go while others type: nobody is told outside of their spells, as their own stream has them.
func TestTypingRaces(t *testing.T) {
	t.Parallel()
	w := mustWorld(t, broker.Options{Heartbeat: 20 * time.Millisecond, RingSize: 64}, joined(9, 2), joined(9, 3))
	two, three := w.connect(of(2)), w.connect(of(3))
	var typing sync.WaitGroup
	stop := make(chan struct{})
	for typist := range int64(4) {
		typing.Go(func() {
			for id := 1000 * (typist + 1); ; id++ { // each is told of once
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
					w.b.Typing(9, person(id))
					w.b.ReadMoved(3, 9, id)
				}
			}
		})
	}
	const rounds = 12
	for range rounds {
		for _, e := range []models.Event{removed(9, 2), joined(9, 2)} {
			at := w.publish(e)
			had := len(three.got())
			two.until(func() bool { return two.at() >= at })
			three.until(func() bool { return len(three.got()) > had+2 })
		}
	}
	close(stop)
	typing.Wait()
	two.stop()
	three.stop()
	in, inside := true, 0
	for _, f := range two.got() {
		switch f.Type {
		case models.MemberLeft:
			in = false
		case models.MemberJoined:
			in = true
		case models.ReadUpdated:
			t.Error("told of another's read mark")
		case models.Typing:
			if inside++; !in {
				t.Errorf("told of typing after the removal: %s", f.Data)
			}
		}
	}
	t.Logf("%d typings were told inside", inside)
}

// Who takes nothing for 6 s is not told of what began before.
func TestTypingIsNotToldLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(9, 2))
		hold := make(chan struct{})
		writes := 0
		c := w.connectTo(of(2), &recorder{t: t, gate: func() error {
			if writes++; writes == 2 {
				<-hold
			}
			return nil
		}})
		synctest.Wait()
		time.Sleep(500 * time.Millisecond) // the pacemaker's tick is at the end, and not at that of the 6 s
		w.publish(message(9))
		synctest.Wait() // it stalls with that, and not with what follows
		w.b.Typing(9, person(3))
		w.b.ReadMoved(2, 9, 1)
		time.Sleep(6 * time.Second)
		if got := w.b.Stats().Moments; got != 2 {
			t.Errorf("%d are kept: the sweep is what is tested", got)
		}
		close(hold)
		rest()
		overhears(t, map[*client]string{c: "read 1@9"})
		c.stop()
	})
}
