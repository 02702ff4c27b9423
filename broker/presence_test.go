package broker_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/broker"
	"parley/models"
)

// announce tells of users by id; each is named as in person.
func (w *world) announce(lobby bool, status models.Status, ids ...int64) {
	w.t.Helper()
	users := make([]models.PresenceUser, len(ids))
	for i, id := range ids {
		users[i] = models.PresenceUser{ID: id, Name: person(id).Name, Status: status}
	}
	if err := w.b.Announce(users, lobby); err != nil {
		w.t.Error(err)
	}
}

// heard is what the client was told of presence: a word for each user, a bar between frames.
func (c *client) heard() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var frames []string
	for _, f := range c.frames {
		if f.Type != models.PresenceChanged {
			continue
		}
		var data struct{ Users []models.PresenceUser }
		if err := json.Unmarshal(f.Data, &data); err != nil {
			c.t.Error(err)
		}
		var words []string
		for _, u := range data.Users {
			words = append(words, fmt.Sprintf("%d %s", u.ID, u.Status))
		}
		frames = append(frames, strings.Join(words, ","))
	}
	return strings.Join(frames, "|")
}

func TestPresenceReachesThoseWhoShareARoom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{}, joined(8, 2), joined(8, 3), joined(9, 3), joined(9, 4))
		two, three, four := w.connect(of(2)), w.connect(of(3)), w.connect(of(4))
		lines := of(2)
		lines.Format = broker.NDJSON
		other := w.connect(lines)
		narrow := of(3)
		narrow.Filter = broker.Filter{Rooms: []int64{9}, HasRooms: true}
		nine := w.connect(narrow)
		deaf := of(3)
		deaf.Filter = broker.Filter{Types: []models.EventType{models.MessageCreated}}
		none := w.connect(deaf)
		synctest.Wait()
		w.announce(false, models.Away, 2)
		w.announce(false, models.Online, 2, 4) // supersedes, before anybody was told
		time.Sleep(time.Second)
		synctest.Wait()
		for c, want := range map[*client]string{
			two: "2 online", other: "2 online", three: "2 online,4 online", four: "4 online", nine: "4 online", none: "",
		} {
			if got := c.heard(); got != want {
				t.Errorf("heard %q, want %q", got, want)
			}
		}
		// The rooms follow the log: who was removed is not heard of, nor hears.
		w.publish(left(9, 3))
		synctest.Wait()
		w.announce(false, models.Away, 3, 4)
		time.Sleep(time.Second)
		synctest.Wait()
		for c, want := range map[*client]string{two: "2 online|3 away", four: "4 online|4 away", nine: "4 online"} {
			if got := c.heard(); got != want {
				t.Errorf("after a removal: heard %q, want %q", got, want)
			}
		}
		if got := w.b.Heard([]int64{2, 3, 4, 5}, false); !slices.Equal(got, []int64{2, 3, 4}) {
			t.Errorf("%v are heard", got)
		}
		for _, c := range []*client{two, three, four, other, nine, none} {
			c.stop()
		}
	})
}

// A frame has 200 users at most, and a stream gets at most ten of them a second.
func TestPresenceIsPaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const users = 1000
		var before []models.Event
		var ids []int64
		for id := range int64(users) {
			before = append(before, joined(9, id+2))
			ids = append(ids, id+2)
		}
		w := mustWorld(t, broker.Options{}, before...)
		var all []*client
		for _, id := range ids[:20] {
			all = append(all, w.connect(of(id)))
		}
		for _, id := range ids[20:] { // they are known to the index, and want nothing
			sub := of(id)
			sub.Filter.Types = []models.EventType{models.MessageCreated}
			all = append(all, w.connect(sub))
		}
		synctest.Wait()
		began := time.Now()
		w.announce(false, models.Online, ids...)
		for range 100 {
			w.announce(false, models.Away, 2)
			time.Sleep(20 * time.Millisecond)
		}
		took := time.Since(began)
		synctest.Wait()
		frames := strings.Split(all[0].heard(), "|")
		if most := int(took/time.Second) * 10; len(frames) > most {
			t.Errorf("%d frames in %v", len(frames), took)
		}
		told := map[string]bool{}
		for _, f := range frames {
			words := strings.Split(f, ",")
			if len(words) > 200 {
				t.Errorf("a frame with %d users", len(words))
			}
			for _, word := range words {
				id, _, _ := strings.Cut(word, " ")
				told[id] = true
			}
		}
		if len(told) != users {
			t.Errorf("told of %d users, want %d", len(told), users)
		}
		for _, c := range all {
			c.stop()
		}
	})
}

// A stream that stalls holds up nobody, and hears the newest of each when it goes on.
func TestPresenceOfASlowStream(t *testing.T) {
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
		for _, status := range []models.Status{models.Online, models.Away, models.Online, models.Away} {
			w.announce(false, status, 3)
			time.Sleep(2 * time.Second) // the board is swept meanwhile
		}
		close(hold)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := slow.heard(); got != "3 online|3 away" {
			t.Errorf("the slow one heard %q", got)
		}
		if got := fast.heard(); got != "3 online|3 away|3 online|3 away" {
			t.Errorf("the fast one heard %q", got)
		}
		slow.stop()
		fast.stop()
	})
}

// Streams come and go while members change and statuses flip. In the end, the last word that each stream
// got on everyone it shares a room with is the last one announced since they did.
func TestPresenceRaces(t *testing.T) {
	t.Parallel()
	const users, rooms, steps = 12, 4, 400
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	w := mustWorld(t, broker.Options{RingSize: 64, Heartbeat: 20 * time.Millisecond, MaxStreamsPerSession: 1000})
	member := map[[2]int64]bool{}
	streams := map[int64][]*client{}
	var old sync.WaitGroup
	for range steps {
		user, room := rng.Int64N(users)+2, rng.Int64N(rooms)+100
		switch key := [2]int64{user, room}; rng.IntN(4) {
		case 0:
			if member[key] = !member[key]; member[key] {
				w.publish(joined(room, user))
			} else {
				w.publish(left(room, user))
			}
		case 1:
			if open := streams[user]; len(open) > 2 {
				old.Go(open[0].stop)
				streams[user] = open[1:]
			}
			streams[user] = append(streams[user], w.connect(of(user)))
		default:
			w.announce(false, []models.Status{models.Online, models.Away}[rng.IntN(2)], user)
		}
	}
	// Everyone with a stream is announced once more, now that nobody moves: what any stream missed by
	// moving is made good by nothing else, and what it is told of strangers shows.
	final := w.publish(toUser(1))
	for _, open := range streams {
		for _, c := range open {
			c.until(func() bool { return c.at() >= final })
		}
	}
	for user := range streams {
		w.announce(false, models.Away, user)
		w.announce(false, models.Offline, user) // said here only
	}
	shares := func(a, b int64) bool {
		for room := int64(100); room < 100+rooms; room++ {
			if member[[2]int64{a, room}] && member[[2]int64{b, room}] {
				return true
			}
		}
		return false
	}
	for user, open := range streams {
		for other := range streams {
			if !shares(user, other) {
				continue
			}
			word := fmt.Sprintf("%d offline", other)
			for _, c := range open {
				c.until(func() bool { return c.lastWord(other) == word })
			}
		}
	}
	for user, open := range streams {
		for _, c := range open {
			for other := range streams {
				if !shares(user, other) && strings.HasSuffix(c.lastWord(other), "offline") {
					t.Errorf("a stream of %d heard of the stranger %d", user, other)
				}
			}
			old.Go(c.stop)
		}
	}
	old.Wait()
}

// lastWord is the last thing heard of the user.
func (c *client) lastWord(user int64) (last string) {
	for frame := range strings.SplitSeq(c.heard(), "|") {
		for word := range strings.SplitSeq(frame, ",") {
			if strings.HasPrefix(word, fmt.Sprintf("%d ", user)) {
				last = word
			}
		}
	}
	return last
}

// at is how far the stream says that it is.
func (c *client) at() (at int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.frames {
		switch {
		case f.ID != 0:
			at = max(at, f.ID)
		case f.Type == models.Heartbeat:
			at = max(at, f.cursor())
		}
	}
	return at
}

// until waits in real time.
func (c *client) until(holds func() bool) {
	c.t.Helper()
	for began := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > 20*time.Second {
			c.t.Fatalf("it did not come: %s", c.heard())
		}
	}
}
