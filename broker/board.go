package broker

import (
	"cmp"
	"slices"
	"sort"
	"sync"
)

// board holds what there is to tell of presence: for each user the newest notice, under the rooms in which
// it is told. Notices are numbered, and a stream remembers the number up to which it was told,
// so that nothing is queued for anybody: memory goes by the users who changed, not by the streams.
//
// What has another number for what it is about (a user) supersedes what was posted before. A
// notice is kept until every stream has seen its number.
type board struct {
	mu    sync.RWMutex // over all below; nothing is waited for or written under it
	seq   int64
	users map[int64]*notice
	rooms map[int64][]posted
	fresh map[int64]struct{} // rooms with something since the last cry
	again []*subscriber      // streams that were not told everything
}

// notice is the newest that there is to tell of one user.
type notice struct {
	seq  int64
	json []byte // a models.PresenceUser; never changed, only replaced
}

// posted is a notice as it was under a number; where the notice has another one now, it is void.
type posted struct {
	seq int64
	*notice
}

func (p posted) void() bool { return p.notice.seq != p.seq }

func newBoard() *board {
	return &board{
		users: make(map[int64]*notice),
		rooms: make(map[int64][]posted),
		fresh: make(map[int64]struct{}),
	}
}

// post puts up a notice about the user in the rooms.
func (b *board) post(userID int64, json []byte, rooms []int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	n := b.users[userID]
	if n == nil {
		n = new(notice)
		b.users[userID] = n
	}
	n.seq, n.json = b.seq, json
	for _, room := range rooms {
		list := b.rooms[room]
		if len(list) == cap(list) {
			list = roomier(list)
		}
		b.rooms[room] = append(list, posted{b.seq, n})
		b.fresh[room] = struct{}{}
	}
}

// roomier drops what is void, and lets the list grow only where little was.
func roomier(list []posted) []posted {
	list = slices.DeleteFunc(list, posted.void)
	if len(list) > cap(list)/2 {
		list = slices.Grow(list, len(list)+1)
	}
	return list
}

// last is the number of the newest notice.
func (b *board) last() int64 {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return b.seq
}

// takeFresh gives the rooms with something new, up to which number that is, and the streams that asked to be
// called again.
func (b *board) takeFresh() (rooms []int64, upTo int64, again []*subscriber) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.fresh) > 0 {
		rooms = make([]int64, 0, len(b.fresh))
		for room := range b.fresh {
			rooms = append(rooms, room)
		}
		clear(b.fresh)
	}
	again, b.again = b.again, nil
	return rooms, b.seq, again
}

// callAgain has the stream woken by the next cry.
func (b *board) callAgain(s *subscriber) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.again = append(b.again, s)
}

// trim drops the notices up to the number: every stream has seen them.
func (b *board) trim(seen int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for room, list := range b.rooms {
		from := after(list, seen)
		switch {
		case from == len(list):
			delete(b.rooms, room)
		case from > 0:
			b.rooms[room] = slices.Clone(list[from:])
		}
	}
	for user, n := range b.users {
		if n.seq <= seen {
			delete(b.users, user)
		}
	}
}

// after is where the notices above the number begin.
func after(list []posted, seq int64) int {
	return sort.Search(len(list), func(i int) bool { return list[i].seq > seq })
}

// tell appends to the frame the notices above seen that stand under the rooms, oldest first and at most limit,
// as the elements of a JSON array, and says how many these are, up to which number that goes and whether there is
// more. rooms are sorted.
func (b *board) tell(c *presenceFrame, rooms []int64, seen int64, limit int) (n int, seq int64, more bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found, lists := c.found[:0], 0
	among(b.rooms, rooms, func(list []posted) {
		lists++
		n := 0
		for _, p := range list[after(list, seen):] {
			if p.void() {
				continue
			}
			// One beyond the limit tells that there is more.
			if found = append(found, p); n == limit {
				break
			}
			n++
		}
	})
	c.found = found
	if lists > 1 { // each is in order
		slices.SortFunc(found, func(x, y posted) int { return cmp.Compare(x.seq, y.seq) })
		found = slices.CompactFunc(found, func(x, y posted) bool { return x.seq == y.seq })
	}
	seq = b.seq
	if len(found) > limit {
		found, more = found[:limit], true
		seq = found[limit-1].seq
	}
	for i, p := range found {
		if i > 0 {
			c.frame = append(c.frame, ',')
		}
		c.frame = append(c.frame, p.json...)
	}
	return len(found), seq, more
}

// among visits the lists of the rooms, by way of whichever are fewer. rooms are sorted.
func among[T any](lists map[int64]T, rooms []int64, visit func(T)) {
	if len(rooms) <= len(lists) {
		for _, room := range rooms {
			if list, ok := lists[room]; ok {
				visit(list)
			}
		}
		return
	}
	for room, list := range lists {
		if _, in := slices.BinarySearch(rooms, room); in {
			visit(list)
		}
	}
}

// empty says whether there is nothing to trim.
func (b *board) empty() bool {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.users) == 0
}
