package oracle

import (
	"encoding/json"
	"fmt"
	"slices"
)

const lobby = 1

// audience says whose an event is.
type audience struct {
	kind int // as the log has it
	id   int64
}

// The kinds of audiences as the log's rows have them.
const (
	toNone     = 0
	toEveryone = 1
	toRoom     = 2
	toUser     = 3
)

// spell is a time of one user in one room. to is 0 while it lasts, gone 0 unless it is revoked.
type spell struct {
	user, room, from, to, gone int64
	revoked                    Tick // when the revocation was asked for
}

func (s *spell) covers(id int64) bool { return s.from <= id && (s.to == 0 || id <= s.to) }

// room is what the log says of a room.
type room struct {
	id       int64
	kind     string
	public   bool
	shown    map[int64]bool // of a direct conversation: to whom its room.created went
	spells   map[int64][]*spell
	messages []int64
}

// payload is what is read of the events' data, whatever their type.
type payload struct {
	ID     int64  `json:"id"`
	Type   string `json:"type"`
	RoomID int64  `json:"room_id"`
	Data   struct {
		User   struct{ ID int64 }
		Reason string
		Room   struct {
			ID               int64
			Kind, Visibility string
			Members          []struct{ ID int64 }
		}
		Message struct {
			ID          int64
			RoomID      int64 `json:"room_id"`
			Sender      struct{ ID int64 }
			Text, Nonce string
		}
		Cursor int64
	}
}

// world is the log, worked out.
type world struct {
	run     *Run
	events  []payload // by id, as Run.Log
	whose   []audience
	byID    map[int64]int
	rooms   map[int64]*room
	people  map[int64]bool
	times   times
	owed    map[int64][]due // by user, worked out once
	texts   map[string]int64
	faults  []Fault
	members map[[2]int64][]int64 // room, user → their member.joined and member.left
}

func newWorld(run *Run) *world {
	w := &world{
		run: run, byID: map[int64]int{}, rooms: map[int64]*room{}, people: map[int64]bool{},
		owed: map[int64][]due{}, texts: map[string]int64{}, members: map[[2]int64][]int64{},
	}
	for i, e := range run.Log {
		var p payload
		if err := json.Unmarshal([]byte(e.JSON), &p); err != nil {
			w.fault(Order, e.ID, "the log's entry %d is no event: %v", e.ID, err)
		}
		w.events = append(w.events, p)
		w.byID[e.ID] = i
	}
	w.whose = make([]audience, len(w.events))
	for i := range w.events {
		w.enter(i)
	}
	return w
}

// enter reads one entry in the state that those before it have made.
func (w *world) enter(i int) {
	e, row := w.events[i], w.run.Log[i]
	w.whose[i] = audience{kind: toRoom, id: e.RoomID}
	if e.ID != row.ID || e.Type != row.Type || e.RoomID != row.Room {
		w.fault(Order, row.ID, "the row %d %s of room %d holds the event %s", row.ID, row.Type, row.Room, row.JSON)
	}
	switch e.Type {
	case "room.created":
		w.roomCreated(i)
	case "member.joined":
		w.joined(e)
	case "member.left":
		w.left(e)
	case "message.created":
		w.message(e)
	case "user.registered":
		w.people[e.Data.User.ID] = true
		w.whose[i] = audience{}
	case "user.banned", "user.unbanned", "session.finished", "state.changed", "log.restored":
		w.whose[i] = audience{}
	default:
		w.fault(Order, e.ID, "event %d is %s, which nobody has caused", e.ID, e.Type)
	}
	if a := w.whose[i]; a.kind != row.AudienceKind || a.id != row.AudienceID {
		w.fault(Leak, e.ID, "event %d (%s) is for %+v, the log has it for %d %d", e.ID, e.Type, a, row.AudienceKind, row.AudienceID)
	}
}

// roomCreated finds out whom a room.created is for, which its JSON does not say.
func (w *world) roomCreated(i int) {
	e, row := w.events[i], w.run.Log[i]
	r := w.rooms[e.RoomID]
	begins := r == nil
	if begins {
		r = &room{
			id: e.RoomID, kind: e.Data.Room.Kind, public: e.Data.Room.Visibility == "public",
			spells: map[int64][]*spell{}, shown: map[int64]bool{},
		}
		w.rooms[e.RoomID] = r
	}
	switch {
	case r.kind == "direct":
		w.whose[i] = audience{toUser, w.direct(r, e, row)}
	case begins && r.public:
		w.whose[i] = audience{kind: toEveryone}
	default: // its creator, or somebody who is added: the next one that the room gets
		w.whose[i] = audience{toUser, w.nextMember(i)}
	}
}

// direct gives a direct conversation's room.created to one of the two. The log's audience is believed as long as each gets one.
func (w *world) direct(r *room, e payload, row Entry) int64 {
	members := e.Data.Room.Members
	user := row.AudienceID
	two := len(members) == 2 && (members[0].ID == user || members[1].ID == user)
	if !two || r.shown[user] {
		w.fault(Leak, e.ID, "the room.created %d of a direct conversation is for user %d: %s", e.ID, user, row.JSON)
	}
	r.shown[user] = true
	w.begin(r, user, e.ID)
	return user
}

func (w *world) nextMember(i int) int64 {
	of := w.events[i].RoomID
	for _, next := range w.events[i+1:] {
		if next.RoomID == of && next.Type == "member.joined" {
			return next.Data.User.ID
		}
	}
	w.fault(Leak, w.events[i].ID, "event %d shows room %d to somebody who never came", w.events[i].ID, of)
	return 0
}

func (w *world) begin(r *room, user, id int64) {
	r.spells[user] = append(r.spells[user], &spell{user: user, room: r.id, from: id})
}

func (w *world) joined(e payload) {
	r, user := w.rooms[e.RoomID], e.Data.User.ID
	if r == nil || w.present(e.RoomID, user, e.ID) {
		w.fault(Order, e.ID, "event %d makes user %d a member of room %d, who is one, or which is not there", e.ID, user, e.RoomID)
		return
	}
	w.begin(r, user, e.ID)
	w.members[[2]int64{e.RoomID, user}] = append(w.members[[2]int64{e.RoomID, user}], e.ID)
}

func (w *world) left(e payload) {
	user := e.Data.User.ID
	s := w.spellAt(e.RoomID, user, e.ID)
	if s == nil {
		w.fault(Order, e.ID, "event %d lets user %d out of room %d, who is not in it", e.ID, user, e.RoomID)
		return
	}
	s.to = e.ID
	if e.Data.Reason != "" {
		s.gone = e.ID
	}
	w.members[[2]int64{e.RoomID, user}] = append(w.members[[2]int64{e.RoomID, user}], e.ID)
}

func (w *world) message(e payload) {
	m := e.Data.Message
	r := w.rooms[e.RoomID]
	if r == nil || m.ID != e.ID || m.RoomID != e.RoomID {
		w.fault(Order, e.ID, "event %d is of message %d in room %d: %+v", e.ID, m.ID, e.RoomID, m)
		return
	}
	r.messages = append(r.messages, e.ID)
	if old, twice := w.texts[m.Text]; twice {
		w.fault(Twice, e.ID, "message %d is there again as %d: %q", old, e.ID, m.Text)
	}
	w.texts[m.Text] = e.ID
	if !w.present(e.RoomID, m.Sender.ID, e.ID) {
		w.fault(Leak, e.ID, "message %d is by user %d, who is not in room %d then", e.ID, m.Sender.ID, e.RoomID)
	}
}

// spellAt gives the user's spell in the room that covers the id.
func (w *world) spellAt(room, user, id int64) *spell {
	r := w.rooms[room]
	if r == nil {
		return nil
	}
	for _, s := range slices.Backward(r.spells[user]) {
		if s.covers(id) {
			return s
		}
	}
	return nil
}

// present says whether the user is a member just behind the entry id: who leaves by it is none any more.
func (w *world) present(room, user, id int64) bool {
	if room == lobby {
		return user <= id
	}
	s := w.spellAt(room, user, id)
	return s != nil && s.to != id
}

// readable says whether the user may read the room just behind the entry id.
func (w *world) readable(room, user, id int64) bool {
	r := w.rooms[room]
	return r != nil && (r.public && r.id <= id || w.present(room, user, id))
}

// gapless looks for ids that no entry has.
func (w *world) gapless() {
	last := int64(0)
	for _, e := range w.run.Log {
		skipped := slices.ContainsFunc(w.run.Holes, func(h Hole) bool { return h.After == last && h.Before == e.ID })
		if e.ID != last+1 && !skipped {
			w.fault(Gap, e.ID, "the log goes from %d to %d", last, e.ID)
		}
		last = e.ID
	}
}

func (w *world) head() int64 {
	if len(w.run.Log) == 0 {
		return 0
	}
	return w.run.Log[len(w.run.Log)-1].ID
}

func (w *world) fault(kind FaultKind, id int64, format string, args ...any) {
	w.faults = append(w.faults, Fault{Kind: kind, ID: id, Text: fmt.Sprintf(format, args...)})
}
