package tests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"parley/client"
)

// entry is one event of the log as readers got it.
type entry struct {
	id   int64
	kind client.EventType
	room int64
	raw  string
	data payload
}

// payload is what the oracle reads of the events' data, whatever their type.
type payload struct {
	User struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	} `json:"user"`
	OldName string `json:"old_name"`
	Role    string `json:"role"`
	Reason  string `json:"reason"`
	Room    struct {
		ID         int64  `json:"id"`
		Kind       string `json:"kind"`
		Visibility string `json:"visibility"`
		Members    []peer `json:"members"`
	} `json:"room"`
	Message struct {
		ID     int64  `json:"id"`
		RoomID int64  `json:"room_id"`
		Sender peer   `json:"sender"`
		Text   string `json:"text"`
		Nonce  string `json:"nonce"`

		EditedAt  string `json:"edited_at"`
		DeletedAt string `json:"deleted_at"`
	} `json:"message"`
	MessageID int64 `json:"message_id"`
	Cursor    int64 `json:"cursor"`
}

// tomb says whether the event carries what is left of a deleted message.
func (e entry) tomb() bool { return e.data.Message.DeletedAt != "" }

type peer struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

func parseEntry(raw []byte) (entry, error) {
	var wire struct {
		ID     int64            `json:"id"`
		Type   client.EventType `json:"type"`
		RoomID int64            `json:"room_id"`
		Data   payload          `json:"data"`
	}
	if err := json.Unmarshal(raw, &wire); err != nil {
		return entry{}, broken("no event: %.200q: %v", raw, err)
	}
	return entry{wire.ID, wire.Type, wire.RoomID, string(raw), wire.Data}, nil
}

// said is a message as its sender's answer has it.
type said struct {
	id, room, sender int64
	text, nonce      string
}

// edited is an edit as its author's answer has it.
type edited struct {
	message int64
	text    string
}

// ledger collects what the server has answered and what the readers got. All that the oracle
// knows is in here.
type ledger struct {
	mu       sync.Mutex
	people   map[int64]string // user id → name at registration
	admin    int64
	said     map[int64]said
	talk     []said                   // the same in the order of the answers
	edits    map[int64]edited         // by the event
	deletes  map[int64]int            // message → how many deletions had been acknowledged then, this one included
	rooms    map[int64]int64          // channel → who made it
	removals map[[2]int64]int         // room, user → acknowledged removals
	logouts  int                      // acknowledged
	entries  map[int64]entry          // every event that anybody got, as it was sent
	tombs    map[int64]entry          // those that came without the text of a deleted message
	tapped   map[int64]map[int64]bool // event → users whose tap got it
	readers  []*reader                // those that have ended
	faults   []string                 // broken promises that need no oracle
	top      int64                    // the highest id of any answer
	over     bool                     // nobody changes anything any more
	moved    chan struct{}            // closed when top or over changes
}

func newLedger() *ledger {
	return &ledger{
		people: map[int64]string{}, said: map[int64]said{}, rooms: map[int64]int64{},
		removals: map[[2]int64]int{}, entries: map[int64]entry{}, tapped: map[int64]map[int64]bool{},
		edits: map[int64]edited{}, deletes: map[int64]int{}, tombs: map[int64]entry{},
		moved: make(chan struct{}),
	}
}

func (l *ledger) fault(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.complain(format, args...)
}

// complain needs mu.
func (l *ledger) complain(format string, args ...any) {
	if len(l.faults) < 50 {
		l.faults = append(l.faults, fmt.Sprintf(format, args...))
	}
}

// reached notes an id that an answer had: the log is at least that long.
func (l *ledger) reached(id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if id > l.top {
		l.top = id
		l.wake()
	}
}

// wake needs mu.
func (l *ledger) wake() {
	close(l.moved)
	l.moved = make(chan struct{})
}

// highest is the highest id that was answered so far: whatever is asked for from now on comes
// later in the log.
func (l *ledger) highest() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.top
}

// finish says that nothing changes any more.
func (l *ledger) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
	l.wake()
}

func (l *ledger) isOver() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

// await waits until the log has grown to id, or nothing grows it any more.
func (l *ledger) await(ctx context.Context, id int64) {
	for {
		l.mu.Lock()
		done, moved := l.over || l.top >= id, l.moved
		l.mu.Unlock()
		if done {
			return
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return
		}
	}
}

func (l *ledger) registered(u client.User) {
	l.mu.Lock()
	l.people[u.ID] = u.Name
	if u.Role == client.RoleAdmin {
		l.admin = u.ID
	}
	l.mu.Unlock()
	l.reached(u.ID)
}

func (l *ledger) opened(room, by int64) {
	l.mu.Lock()
	l.rooms[room] = by
	l.mu.Unlock()
	l.reached(room)
}

func (l *ledger) removed(room, user int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.removals[[2]int64{room, user}]++
}

func (l *ledger) loggedOut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.logouts++
}

// sent notes a new message. before is what highest said when the request was made: an answer
// that was given then has a smaller id, or the log is not in the order in which it was written.
func (l *ledger) sent(s said, before int64) {
	l.mu.Lock()
	if s.id <= before {
		l.complain("message %d was sent after %d was answered", s.id, before)
	}
	if old, twice := l.said[s.id]; twice {
		l.complain("two sends were answered with message %d: %q and %q", s.id, old.text, s.text)
	}
	l.said[s.id] = s
	l.talk = append(l.talk, s)
	l.mu.Unlock()
	l.reached(s.id)
}

// edited notes an edit by its version; before is as for sent.
func (l *ledger) edited(version int64, e edited, before int64) {
	l.mu.Lock()
	if version <= before {
		l.complain("edit %d was made after %d was answered", version, before)
	}
	if old, twice := l.edits[version]; twice {
		l.complain("two edits were answered with version %d: %+v and %+v", version, old, e)
	}
	l.edits[version] = e
	l.mu.Unlock()
	l.reached(version)
}

// erased notes that a message is deleted, by whomever first.
func (l *ledger) erased(message int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deletes[message] == 0 {
		l.deletes[message] = len(l.deletes) + 1
	}
}

// deletions counts what is deleted for certain: no connection made from now on may get the text of it.
func (l *ledger) deletions() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.deletes)
}

// recall gives a message that somebody sent, of the sender where that is not 0.
func (l *ledger) recall(sender int64, dice *rand.Rand) (said, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range min(len(l.talk), 50) {
		if s := l.talk[dice.IntN(len(l.talk))]; sender == 0 || s.sender == sender {
			return s, true
		}
	}
	return said{}, false
}

// saw notes an event that a reader got. Everybody must get the same bytes, before a deletion and after it.
func (l *ledger) saw(who string, e entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entries := l.entries
	if e.tomb() {
		entries = l.tombs
	}
	old, known := entries[e.id]
	switch {
	case !known:
		entries[e.id] = e
	case old.raw != e.raw:
		l.complain("%s got event %d as\n    %s\n  but others as\n    %s", who, e.id, e.raw, old.raw)
	}
}

func (l *ledger) tap(user, id int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tapped[id] == nil {
		l.tapped[id] = map[int64]bool{}
	}
	l.tapped[id][user] = true
}

// ended hands a reader over to the oracle.
func (l *ledger) ended(r *reader) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers = append(l.readers, r)
}

// refused says whether err is a refusal that may meet somebody whose rights or rooms others change
// at the same time.
func refused(err error) bool {
	for _, code := range []client.ErrorCode{
		client.ErrorCodeForbidden, client.ErrorCodeBanned, client.ErrorCodeNotFound, client.ErrorCodeNameTaken,
		client.ErrorCodeConflict,
	} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}
