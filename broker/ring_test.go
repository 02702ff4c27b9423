package broker

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"parley/models"
)

func event(id int64, size int) models.Event {
	return models.Event{
		ID: id, Type: models.MessageCreated, Audience: models.Everyone(),
		JSON: []byte(strings.Repeat("x", size)),
	}
}

// held gives the ids in the ring and what they weigh.
func (r *ring) held() (ids []int64, bytes int) {
	for id := max(0, r.head.Load()-2*int64(len(r.slots))); id <= r.head.Load(); id++ {
		if e := r.at(id); e != nil {
			ids = append(ids, id)
		}
	}
	for i := range r.slots {
		if e := r.slots[i].Load(); e != nil {
			bytes += e.size()
		}
	}
	return ids, bytes
}

func TestRingBounds(t *testing.T) {
	t.Parallel()
	one := newEntry(event(1, 1000)).size()
	for _, tc := range []struct {
		name  string
		bytes int
		ids   []int64
		size  int
		want  string
	}{
		{"count", 100 * one, []int64{1, 2, 3, 4, 5, 6}, 1000, "[3 4 5 6]"},
		{"bytes", 2 * one, []int64{1, 2, 3, 4, 5, 6}, 1000, "[5 6]"},
		{"one event over the bound", one - 1, []int64{1, 2}, 1000, "[]"},
		{"a hole", 100 * one, []int64{1, 2, 3, 1000, 1001}, 1000, "[1000 1001]"},
		{"a hole and bytes", 2 * one, []int64{1, 2, 1003, 1004, 1005}, 1000, "[1004 1005]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := newRing(4, tc.bytes)
			r.start(0)
			for _, id := range tc.ids {
				r.push(newEntry(event(id, tc.size)))
				if _, bytes := r.held(); bytes != r.bytes || bytes > tc.bytes {
					t.Fatalf("after %d: %d bytes, %d accounted, %d allowed", id, bytes, r.bytes, tc.bytes)
				}
			}
			if ids, _ := r.held(); fmt.Sprint(ids) != tc.want {
				t.Errorf("holds %v, want %s", ids, tc.want)
			}
		})
	}
}

// What is filled in counts as if it had been pushed, and goes first.
func TestRingFill(t *testing.T) {
	t.Parallel()
	one := newEntry(event(1, 1000)).size()
	for _, tc := range []struct {
		name         string
		bytes        int
		filled, held string
	}{
		{"count", 100 * one, "[7 8 9 10]", "[8 9 10 11]"},
		{"bytes", 3 * one, "[8 9 10]", "[9 10 11]"},
		{"nothing", one - 1, "[]", "[]"},
	} {
		r := newRing(4, tc.bytes)
		r.start(10)
		for id := int64(10); r.fill(newEntry(event(id, 1000))); id-- {
		}
		if ids, bytes := r.held(); fmt.Sprint(ids) != tc.filled || bytes != r.bytes || bytes > tc.bytes {
			t.Errorf("%s: filled with %v, %d bytes, %d accounted", tc.name, ids, bytes, r.bytes)
		}
		r.push(newEntry(event(11, 1000)))
		if ids, bytes := r.held(); fmt.Sprint(ids) != tc.held || bytes != r.bytes || bytes > tc.bytes {
			t.Errorf("%s: holds %v, %d bytes, %d accounted", tc.name, ids, bytes, r.bytes)
		}
	}
}

// Frames of all sizes: what is accounted is what is held, and within the bound.
func TestRingBytesBound(t *testing.T) {
	t.Parallel()
	r := newRing(64, 50_000)
	r.start(0)
	for id := range int64(1000) {
		r.push(newEntry(event(id+1, int(id*7919%9000))))
		if _, bytes := r.held(); bytes != r.bytes || bytes > 50_000 {
			t.Fatalf("after %d: %d bytes, %d accounted", id, bytes, r.bytes)
		}
	}
}

func TestFrameIsEncodedOnce(t *testing.T) {
	t.Parallel()
	e := newEntry(event(57, 10))
	if got := string(e.bytes(SSE)); got != "id: 57\ndata: xxxxxxxxxx\n\n" {
		t.Errorf("SSE: %q", got)
	}
	if got := string(e.bytes(NDJSON)); got != "xxxxxxxxxx\n" {
		t.Errorf("NDJSON: %q", got)
	}
	at := bytes.Index(e.frame, e.JSON)
	if &e.bytes(NDJSON)[0] != &e.frame[at] || &e.JSON[0] != &e.frame[at] {
		t.Error("the parts are copies")
	}
}

// A publisher that breaks its promise is logged; what is out of order is not delivered.
func TestPublishOutOfOrder(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	b := New(Options{Logger: slog.New(slog.NewTextHandler(&out, nil))})
	b.ring.start(5)
	b.Publish([]models.Event{event(6, 1), event(6, 2), event(5, 2), event(7, 1)})
	if b.ring.head.Load() != 7 || len(b.ring.at(6).JSON) != 1 || b.ring.at(5) != nil {
		t.Errorf("head %d", b.ring.head.Load())
	}
	if n := strings.Count(out.String(), "out of order"); n != 2 {
		t.Errorf("%d lines in the log: %s", n, out.String())
	}
}

// mustReader is an attached stream of user 2 at the head, for tests that are the waker
// themselves.
func mustReader(t *testing.T, b *Broker, rooms ...int64) *Stream {
	t.Helper()
	s := newStream(b, Subscription{User: models.EventUser{ID: 2}, SessionID: 2})
	if err := b.index.attach(&s.subscriber); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.place(models.Standing{UserID: 2, Everyone: true, Rooms: rooms})
	s.take()
	return s
}

// Between Publish and the waker, no reader may claim to have seen what was published.
func TestCursorWaitsForTheWaker(t *testing.T) {
	t.Parallel()
	b := New(Options{})
	s := mustReader(t, b)
	b.Publish([]models.Event{{ID: 1}, event(2, 1)})
	if s.take() || s.cursor != 0 {
		t.Fatalf("cursor %d before the event was routed", s.cursor)
	}
	b.wakeAll(b.dirty.swap(newNotes()))
	if !s.take() || s.cursor != 1 {
		t.Fatalf("cursor %d before the event was delivered", s.cursor)
	}
	if h := b.ring.head.Load(); s.next(h) == nil || s.next(h) != nil || s.cursor != 2 {
		t.Fatalf("cursor %d after the event", s.cursor)
	}
	b.Publish([]models.Event{{ID: 3}})
	b.wakeAll(b.dirty.swap(newNotes()))
	if s.take() || s.cursor != 3 {
		t.Fatalf("cursor %d after a foreign event was routed", s.cursor)
	}
}

// The waker flags the topics of a batch in any order; a reader that takes a flag half-way must not
// skip what the other half is about.
func TestFlagsOutOfOrder(t *testing.T) {
	t.Parallel()
	b := New(Options{})
	s := mustReader(t, b, 8, 9)
	early, late := event(1, 1), event(2, 1)
	early.Audience, late.Audience = models.InRoom(8), models.InRoom(9)
	b.Publish([]models.Event{early, late})
	b.index.mu.Lock()
	b.index.wake(late.Audience, late.ID)
	b.index.mu.Unlock()
	if !s.take() {
		t.Fatal("not flagged")
	}
	if e := s.next(b.ring.head.Load()); e == nil || e.ID != 1 {
		t.Fatalf("went on with %+v", e)
	}
}

// Who has left a room, or whose room has gone, is not woken for it any more.
func TestRoutingEnds(t *testing.T) {
	t.Parallel()
	for _, change := range []models.Change{
		{Kind: models.MemberOut, UserID: 2, RoomID: 9}, {Kind: models.RoomGone, RoomID: 9},
	} {
		b := New(Options{})
		s := mustReader(t, b, 9)
		e := event(1, 1)
		e.Audience = models.InRoom(9)
		for _, want := range []int{1, 0} {
			e.Change = change
			b.Publish([]models.Event{e})
			if got := b.wakeAll(b.dirty.swap(newNotes())); got != want {
				t.Errorf("event %d woke %d, want %d", e.ID, got, want)
			}
			s.take()
			e.ID++
			change = models.Change{}
		}
	}
}

// Routing ends with its users: nothing is kept for those who have gone.
func TestIndexIsFreed(t *testing.T) {
	t.Parallel()
	b := New(Options{})
	var streams []*Stream
	for user := range int64(10) {
		s := &Stream{}
		s.init(b, user, user%3, Filter{})
		if err := b.index.attach(&s.subscriber); err != nil {
			t.Fatal(err)
		}
		s.place(models.Standing{UserID: user, Everyone: true, Agent: user == 1, Rooms: []int64{1, user + 5}})
		streams = append(streams, s)
	}
	for _, s := range streams {
		s.Close()
	}
	if x := b.index; len(x.accounts)+len(x.topics)+len(x.sessions) != 0 {
		t.Errorf("%d accounts, %d topics, %d sessions are left", len(x.accounts), len(x.topics), len(x.sessions))
	}
}
