package chat

import (
	"cmp"
	"math"
	"slices"
	"time"

	"parley/client"
)

// Sizes of a timeline.
const (
	pageSize  = 50   // messages asked for at once
	keepMost  = 1500 // entries of a room that is read at its end
	keepAgain = 1000 // what is left of them then
)

// fate is what became of a message.
type fate int

const (
	stored fate = iota
	sending
	refused
)

// entry is a message in a room, or a note of the program's own.
type entry struct {
	message client.Message // of a note only CreatedAt
	asOf    int64          // the position in the log that message is true of
	fate    fate
	reason  string // why it was refused
	note    string // not empty: no message
	place   int64  // what it is sorted by: the message's id, or behind which one the note came

	shown rendering
}

// timeline is what is shown of a room, in its order.
type timeline struct {
	entries   []*entry
	loaded    bool // the newest page is there, and all that came since
	loadedAt  int64
	loading   bool
	hasBefore bool
	newFrom   int64 // the first message that was unread when the room was opened; 0 where none was

	// Where one looks: at the end, or so that rows of the entry anchor are the last ones seen.
	anchor *entry
	rows   int
}

// atEnd says whether the newest is seen.
func (t *timeline) atEnd() bool { return t.anchor == nil }

// last is the id of the newest message that is stored, 0 where none is known.
func (t *timeline) last() int64 {
	for _, e := range slices.Backward(t.entries) {
		if e.fate == stored && e.note == "" {
			return e.message.ID
		}
	}
	return 0
}

// oldest is the id of the oldest message, 0 where none is known.
func (t *timeline) oldest() int64 {
	for _, e := range t.entries {
		if e.fate == stored && e.note == "" {
			return e.message.ID
		}
	}
	return 0
}

func (t *timeline) find(id int64) *entry {
	i, found := slices.BinarySearchFunc(t.entries, id, func(e *entry, id int64) int { return cmp.Compare(e.place, id) })
	for ; found && i < len(t.entries) && t.entries[i].place == id; i++ {
		if e := t.entries[i]; e.note == "" {
			return e
		}
	}
	return nil
}

// insert puts an entry where it belongs: behind what has the same place.
func (t *timeline) insert(e *entry) {
	i := len(t.entries)
	for i > 0 && t.entries[i-1].place > e.place {
		i--
	}
	t.entries = slices.Insert(t.entries, i, e)
}

// put takes a message as it was at a position of the log. What is known to be newer stays.
func (t *timeline) put(m client.Message, asOf int64) {
	if e := t.find(m.ID); e != nil {
		if asOf > e.asOf {
			e.message, e.asOf, e.shown = m, asOf, rendering{}
		}
		return
	}
	t.insert(&entry{message: m, asOf: asOf, place: m.ID})
}

// page takes a page of history: the newest, or one before the oldest.
func (t *timeline) page(list client.MessageList, before int64) {
	t.loading = false
	if before == 0 {
		t.loaded, t.loadedAt, t.hasBefore = true, list.Cursor, list.HasBefore
	} else if before == t.oldest() {
		t.hasBefore = list.HasBefore
	} else {
		return // what it goes on from is not there any more
	}
	for _, m := range list.Messages {
		t.put(m, list.Cursor)
	}
}

// clear forgets what the server has, and keeps what it does not have yet.
func (t *timeline) clear() {
	t.entries = slices.DeleteFunc(t.entries, func(e *entry) bool { return e.fate == stored })
	t.loaded, t.loading, t.hasBefore, t.anchor = false, false, false, nil
}

// trim forgets the oldest of very many, which a look back loads again.
func (t *timeline) trim() {
	if len(t.entries) <= keepMost || !t.atEnd() {
		return
	}
	t.entries = slices.Clone(t.entries[len(t.entries)-keepAgain:])
	t.hasBefore = true
}

// write adds a message of one's own that the server does not have yet.
func (t *timeline) write(m client.Message) *entry {
	e := &entry{message: m, fate: sending, place: math.MaxInt64}
	t.insert(e)
	return e
}

// arrived takes a message that came, perhaps one of one's own, which then is not being sent any more.
func (t *timeline) arrived(m client.Message, mine bool) {
	if mine && m.Nonce != nil {
		t.drop(*m.Nonce)
	}
	if t.loaded && m.ID > t.loadedAt {
		t.put(m, m.ID)
		t.trim()
	}
}

// drop takes the unsent message of a nonce away.
func (t *timeline) drop(nonce string) {
	t.entries = slices.DeleteFunc(t.entries, func(e *entry) bool {
		gone := e.fate != stored && e.message.Nonce != nil && *e.message.Nonce == nonce
		if gone && t.anchor == e {
			t.anchor = nil
		}
		return gone
	})
}

// tell adds a note behind what is known at a position of the log.
func (t *timeline) tell(note string, position int64, at time.Time) {
	t.insert(&entry{message: client.Message{CreatedAt: at}, note: note, place: max(t.last(), position)})
}

// change applies an event to a message that is there, once.
func (t *timeline) change(id, event int64, do func(m *client.Message)) {
	e := t.find(id)
	if e == nil || event <= e.asOf {
		return
	}
	do(&e.message)
	e.asOf, e.shown = event, rendering{}
}

// redraw forgets how the entries look.
func (t *timeline) redraw() {
	for _, e := range t.entries {
		e.shown = rendering{}
	}
}

// markNew draws the line above the first message of others behind an id; behind 0 there is none.
func (t *timeline) markNew(me, after int64) {
	t.newFrom = 0
	if after == 0 {
		return
	}
	for _, e := range t.entries {
		if e.note == "" && e.fate == stored && e.message.ID > after && e.message.Sender.ID != me {
			t.newFrom = e.message.ID
			return
		}
	}
}
