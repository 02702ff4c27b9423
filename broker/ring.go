package broker

import (
	"sync/atomic"
	"unsafe"

	"parley/models"
)

// ring holds the newest events by id. There is one writer, the publisher; readers take no
// lock: an entry never changes once it is in a slot, and who finds another one than the wanted
// there has fallen behind and reads the log.
type ring struct {
	slots  []atomic.Pointer[entry]
	labels []label
	head   atomic.Int64 // the newest id; stored after its slot

	// Of the publisher alone:
	maxBytes int
	bytes    int
	tail     int64 // where eviction goes on
}

func newRing(size, maxBytes int) *ring {
	return &ring{slots: make([]atomic.Pointer[entry], size), labels: make([]label, size), maxBytes: maxBytes}
}

// label tells whom the entry of an id is for, so that others pass by it without looking: the members of a
// room. The id is 0 while the label changes. What it says stays true when the entry has gone.
type label struct{ id, room atomic.Int64 }

// noRoom labels an entry that everybody has to look at.
const noRoom = -1

// describe labels an entry. An internal entry is for room 0, which nobody is in.
func (r *ring) describe(e *entry) {
	room := int64(noRoom)
	if kind := e.Audience.Kind; e.Change.Kind == models.NoChange && (kind == models.ToRoom || kind == models.ToNone) {
		room = e.Audience.ID
	}
	l := &r.labels[e.ID&int64(len(r.labels)-1)]
	l.id.Store(0)
	l.room.Store(room)
	l.id.Store(e.ID)
}

// roomOf gives the room for whose members alone the entry of the id is, which changes nothing that anybody may see;
// noRoom where it is another one, or not known.
func (r *ring) roomOf(id int64) int64 {
	l := &r.labels[id&int64(len(r.labels)-1)]
	if l.id.Load() != id {
		return noRoom
	}
	if room := l.room.Load(); l.id.Load() == id {
		return room
	}
	return noRoom
}

func (r *ring) start(head int64) {
	r.head.Store(head)
	r.tail = head + 1
}

// at gives the entry of the id, nil when it is not held (any more).
func (r *ring) at(id int64) *entry {
	e := r.slot(id).Load()
	if e == nil || e.ID != id {
		return nil
	}
	return e
}

func (r *ring) slot(id int64) *atomic.Pointer[entry] {
	return &r.slots[id&int64(len(r.slots)-1)]
}

// push appends an entry with an id above the head and evicts the oldest until both bounds hold. An
// entry greater than the whole ring is not kept either: its readers have the log. The tail walks
// over slots and takes what is older there too: that was left behind by a hole in the ids.
func (r *ring) push(e *entry) {
	if old := r.slot(e.ID).Swap(e); old != nil {
		r.bytes -= old.size()
	}
	r.describe(e)
	r.bytes += e.size()
	r.tail = max(r.tail, e.ID-int64(len(r.slots))+1)
	for ; r.bytes > r.maxBytes; r.tail++ {
		slot := r.slot(r.tail)
		if old := slot.Load(); old != nil && old.ID <= r.tail {
			slot.Store(nil)
			r.bytes -= old.size()
		}
	}
	r.head.Store(e.ID)
}

// fill puts an entry before all that are there, and says whether the bounds let it. It comes before the first push.
func (r *ring) fill(e *entry) bool {
	if r.bytes+e.size() > r.maxBytes || e.ID <= r.head.Load()-int64(len(r.slots)) {
		return false
	}
	r.slot(e.ID).Store(e)
	r.describe(e)
	r.bytes += e.size()
	r.tail = e.ID
	return true
}

// evict lets go of entries that are not what the log has any more: whoever has not read them yet reads the
// log. A reader that holds one at this moment may still write it.
func (r *ring) evict(ids []int64) {
	for _, id := range ids {
		if e := r.at(id); e != nil {
			r.slot(id).Store(nil)
			r.bytes -= e.size()
		}
	}
}

// size is what an entry costs in memory, near enough.
func (e *entry) size() int { return int(unsafe.Sizeof(*e)) + cap(e.frame) }
