package broker

import (
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"parley/models"
)

const (
	// laneMost is how many moments stand under one room or user; the oldest goes.
	laneMost = 64
	// momentsMost bounds all of them; beyond that nobody is told.
	momentsMost = 1 << 14
)

// moment is an ephemeral event, encoded once for all who are told. A newer one about the same takes its place.
type moment struct {
	*entry
	seq   int64
	about int64 // the user who is typing; the room that was read; the conversation in a queue
	rank  int64 // what has a lower one came too late
	at    time.Time
	ends  time.Time // told to nobody from then on
}

// moments holds what was whispered lately, in lanes: one for each room and each user that it is for. It has a number
// line of its own, of which a stream remembers how far it was told: nothing is queued for any stream, however slow,
// and what has ended needs nobody's leave to go.
type moments struct {
	typing atomic.Int64 // lanes of rooms: where there are none, a publish has nothing to end

	mu     sync.RWMutex // over all below; nothing is waited for or written under it
	seq    int64
	opened int64 // what is above is not for the streams yet
	size   int
	rooms  map[int64][]moment
	users  map[int64][]moment
	fresh  map[models.Audience]struct{} // lanes with something since the crier looked
}

func newMoments() *moments {
	return &moments{
		rooms: make(map[int64][]moment),
		users: make(map[int64][]moment),
		fresh: make(map[models.Audience]struct{}),
	}
}

// lanes needs mu.
func (w *moments) lanes(to models.Audience) map[int64][]moment {
	if to.Kind == models.ToRoom {
		return w.rooms
	}
	return w.users
}

// put replaces a lane. It needs mu.
func (w *moments) put(to models.Audience, before int, list []moment) {
	w.size += len(list) - before
	if lanes := w.lanes(to); len(list) > 0 {
		lanes[to.ID] = list
	} else {
		delete(lanes, to.ID)
	}
	w.typing.Store(int64(len(w.rooms)))
}

// post puts m at the end of its lane, in place of what was there about the same.
func (w *moments) post(to models.Audience, m moment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.lanes(to)[to.ID]
	before := len(list)
	same := slices.IndexFunc(list, func(o moment) bool { return o.about == m.about && o.Type == m.Type })
	switch {
	case same >= 0 && list[same].rank > m.rank:
		return
	case same >= 0:
		list = slices.Delete(list, same, same+1)
	case before == laneMost:
		list = slices.Delete(list, 0, 1)
	case w.size >= momentsMost:
		return
	}
	w.seq++
	m.seq = w.seq
	w.put(to, before, append(list, m))
	w.fresh[to] = struct{}{}
}

// typed says whether the user's typing in the room was posted after that time and has not ended since.
func (w *moments) typed(room, user int64, after time.Time) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.ContainsFunc(w.rooms[room], func(m moment) bool { return m.about == user && m.at.After(after) })
}

// overtaken takes out the typing that the events end: who has said it, or is no longer there, is not typing it. It
// comes before the events reach any stream, so that none is told after them.
func (w *moments) overtaken(events []models.Event) {
	if w.typing.Load() == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range events {
		e := &events[i]
		switch {
		case e.Type == models.MessageCreated, e.Change.Kind == models.MemberOut:
			w.remove(models.InRoom(e.RoomID), func(m moment) bool { return m.about == e.Change.UserID })
		case e.Change.Kind == models.RoomGone:
			w.remove(models.InRoom(e.Change.RoomID), func(moment) bool { return true })
		}
	}
}

// remove needs mu.
func (w *moments) remove(to models.Audience, over func(moment) bool) {
	list := w.lanes(to)[to.ID]
	w.put(to, len(list), slices.DeleteFunc(list, over))
}

// drop takes out a whole lane.
func (w *moments) drop(to models.Audience) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remove(to, func(moment) bool { return true })
}

// sweep takes out what has ended.
func (w *moments) sweep(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	over := func(m moment) bool { return !m.ends.After(now) }
	for room := range w.rooms {
		w.remove(models.InRoom(room), over)
	}
	for user := range w.users {
		w.remove(models.ForUser(user), over)
	}
}

// takeFresh gives the lanes with something new, and up to which number that is.
func (w *moments) takeFresh() (lanes []models.Audience, upTo int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for to := range w.fresh {
		lanes = append(lanes, to)
	}
	clear(w.fresh)
	return lanes, w.seq
}

// open lets the streams have what is up to the number.
func (w *moments) open(upTo int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.opened = upTo
}

// last is the number of the newest moment.
func (w *moments) last() int64 {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.seq
}

// count is how many there are.
func (w *moments) count() int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.size
}

// forUser appends what is open in the user's lane above the number, and says up to which one that goes.
func (w *moments) forUser(to []moment, user, seen int64, now time.Time) ([]moment, int64) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.between(to, w.users[user], seen, now), max(seen, w.opened)
}

// inRooms is forUser for the lanes of rooms, which are sorted.
func (w *moments) inRooms(to []moment, rooms []int64, seen int64, now time.Time) ([]moment, int64) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	among(w.rooms, rooms, func(list []moment) { to = w.between(to, list, seen, now) })
	return to, max(seen, w.opened)
}

// between appends what of a lane is above the number, open, and not over. It needs mu.
func (w *moments) between(to, list []moment, seen int64, now time.Time) []moment {
	from := sort.Search(len(list), func(i int) bool { return list[i].seq > seen })
	for _, m := range list[from:] {
		if m.seq <= w.opened && m.ends.After(now) {
			to = append(to, m)
		}
	}
	return to
}
