package broker

import (
	"runtime"
	"sync"
	"testing"

	"parley/models"
)

func inRoom(id, room int64) models.Event {
	return models.Event{ID: id, Type: models.MessageCreated, Audience: models.InRoom(room), JSON: []byte("{}")}
}

// A label is there for what only a room's members need to look at, for no other id than its own, and longer than the
// entry.
func TestRingLabels(t *testing.T) {
	t.Parallel()
	r := newRing(4, 1<<20)
	r.start(2)
	r.fill(newEntry(inRoom(2, 9)))
	moved := inRoom(4, 9)
	moved.Change = models.Change{Kind: models.MemberIn, UserID: 2, RoomID: 9}
	own := inRoom(5, 9)
	own.Audience = models.ForUser(2)
	for _, e := range []models.Event{inRoom(3, 9), moved, own, {ID: 106}} {
		r.push(newEntry(e))
	}
	r.evict([]int64{3})
	for id, want := range map[int64]int64{
		1: noRoom, 2: noRoom, 3: 9, 4: noRoom, 5: noRoom, 6: noRoom, 7: noRoom, 102: noRoom, 103: noRoom, 106: 0, 107: noRoom,
	} {
		if got := r.roomOf(id); got != want {
			t.Errorf("entry %d is labelled %d, want %d", id, got, want)
		}
	}
}

// Who reads while labels change takes none for that of another entry.
func TestRingLabelsRace(t *testing.T) {
	t.Parallel()
	r := newRing(8, 1<<20)
	r.start(0)
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for head := int64(0); head < 20_000; head = r.head.Load() {
				for id := head + 1; id > head-16; id-- {
					if room := r.roomOf(id); room != noRoom && room != 7*id {
						t.Errorf("entry %d is labelled %d", id, room)
						return
					}
				}
				runtime.Gosched()
			}
		})
	}
	for id := int64(1); id <= 20_000; id++ {
		r.push(newEntry(inRoom(id, 7*id)))
	}
	readers.Wait()
}

// BenchmarkPassBy is who comes back behind 10,000 entries of 100 rooms, of which they are in one.
func BenchmarkPassBy(b *testing.B) {
	const missed, rooms = 10_000, 100
	br := New(Options{})
	br.ring.start(0)
	for id := int64(1); id <= missed; id++ {
		br.ring.push(newEntry(inRoom(id, 2+id%rooms)))
	}
	var s subscriber
	s.init(br, 7, 7, Filter{})
	s.view.rooms = []int64{models.LobbyID, 50}
	b.ReportAllocs()
	for b.Loop() {
		s.cursor = 0
		own := 0
		for s.next(missed) != nil {
			own++
		}
		if own != missed/rooms {
			b.Fatalf("%d entries are theirs", own)
		}
	}
}
