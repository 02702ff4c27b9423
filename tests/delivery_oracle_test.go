package tests

import (
	"fmt"
	"maps"
	"slices"

	"parley/client"
)

// The oracle. From the answers and from what everybody got it works out who was entitled to what,
// with nothing of the server's but the promises of the API:
//
//   - The log is what all readers together got. Entries that no client sees are the lobby's own (1,
//     before anybody), registrations (their ids are the users'), ended sessions (as many as
//     logouts were acknowledged) and one before each message.deleted. Whatever else is missing between 1 and the end is lost.
//   - A spell goes from a member.joined to its member.left, both included, or to the room.deleted;
//     in a direct conversation from one's own room.created on; in the lobby from one's
//     registration on.
//   - A spell that ended by a removal, which has a reason, is revoked by its last event; those of a
//     deleted room are revoked by the deletion, the finished ones too. Of a revoked spell a
//     reader gets a part from its beginning, as long as it was there before the revocation, and
//     always its last event.
//   - The events that carried the text of a message carry its tombstone from the answer to its deletion on, and may
//     from the deletion on. Its message.updated events follow its message.created and each other as they were answered.
const (
	lobby      = 1
	theCreator = "owner"
)

// spell is a time of one user in one room. to is 0 while it lasts, gone 0 unless it is revoked.
type spell struct{ user, room, from, to, gone int64 }

// audience says whose an event is: one user's, a room's members', or everyone's where both are 0.
type audience struct{ user, room int64 }

// books are the log, worked out.
type books struct {
	ledger   *ledger
	entries  []entry // by id
	byID     map[int64]entry
	whose    map[int64]audience
	spells   map[[2]int64][]*spell // by room and user
	present  map[int64]map[int64]*spell
	roles    map[[2]int64]string
	kinds    map[int64]string // of rooms that have begun
	deleted  map[int64]bool
	names    map[int64]string
	removals map[[2]int64]int
	open     map[int64]bool   // channels that are public
	texts    map[int64]string // of messages
	gone     map[int64]int64  // message → its message.deleted
	faults   []string
}

// readBooks works the ledger out. The log is complete up to end.
func readBooks(l *ledger, end int64) *books {
	b := &books{
		ledger: l, byID: l.entries, whose: map[int64]audience{}, spells: map[[2]int64][]*spell{},
		present: map[int64]map[int64]*spell{}, roles: map[[2]int64]string{}, kinds: map[int64]string{lobby: "channel"},
		deleted: map[int64]bool{}, names: maps.Clone(l.people), removals: map[[2]int64]int{},
		open: map[int64]bool{lobby: true}, texts: map[int64]string{}, gone: map[int64]int64{},
	}
	for id, tomb := range l.tombs { // of what nobody got in time
		if _, got := l.entries[id]; !got {
			l.entries[id] = tomb
		}
	}
	for _, id := range slices.Sorted(maps.Keys(l.entries)) {
		b.entries = append(b.entries, l.entries[id])
	}
	b.gapless(end)
	for i := range b.entries {
		b.enter(i)
	}
	b.answers()
	return b
}

func (b *books) fault(format string, args ...any) {
	b.faults = append(b.faults, fmt.Sprintf(format, args...))
}

// gapless counts what nobody got.
func (b *books) gapless(end int64) {
	var missing []int64
	for id := int64(2); id <= end; id++ {
		_, got := b.byID[id]
		_, person := b.ledger.people[id]
		if next := b.byID[id+1]; next.kind == client.EventTypeMessageDeleted && !got && !person {
			continue
		}
		if got == person {
			missing = append(missing, id)
		}
	}
	if len(missing) != b.ledger.logouts {
		b.fault("nobody got %d ids, or somebody got a registration's, and %d sessions ended: %v", len(missing), b.ledger.logouts, missing)
	}
	if last := b.entries[len(b.entries)-1].id; last != end {
		b.fault("the log ends at %d, but somebody got %d", end, last)
	}
}

// enter reads one entry in the state that those before it have made.
func (b *books) enter(i int) {
	e := b.entries[i]
	b.whose[e.id] = audience{room: e.room}
	if b.deleted[e.room] {
		b.fault("event %d (%s) is of room %d, which is deleted", e.id, e.kind, e.room)
	}
	if e.room != 0 && b.kinds[e.room] == "" && e.id != e.room {
		b.fault("event %d (%s) is of room %d, which has not begun", e.id, e.kind, e.room)
	}
	switch e.kind {
	case client.EventTypeRoomCreated:
		b.roomCreated(i)
	case client.EventTypeRoomDeleted:
		b.roomDeleted(e)
	case client.EventTypeRoomUpdated:
		b.open[e.room] = e.data.Room.Visibility == "public"
	case client.EventTypeMemberJoined:
		b.start(e, e.data.User.ID)
		b.roles[[2]int64{e.room, e.data.User.ID}] = e.data.Role
	case client.EventTypeMemberLeft:
		b.left(e)
	case client.EventTypeMemberUpdated:
		if b.present[e.room][e.data.User.ID] == nil {
			b.fault("%d gives a role to user %d, who is not in room %d", e.id, e.data.User.ID, e.room)
		}
		b.roles[[2]int64{e.room, e.data.User.ID}] = e.data.Role
	case client.EventTypeMessageCreated:
		b.message(e)
	case client.EventTypeMessageUpdated:
		b.edited(e)
	case client.EventTypeMessageDeleted:
		b.erased(e)
	case client.EventTypeUserRenamed:
		b.renamed(e)
	default:
		b.fault("event %d is %s, which nobody has caused", e.id, e.kind)
	}
}

// roomCreated finds out whom a room.created is for, which its JSON does not say.
func (b *books) roomCreated(i int) {
	e := b.entries[i]
	begins := b.kinds[e.room] == ""
	b.kinds[e.room] = e.data.Room.Kind
	b.open[e.room] = e.data.Room.Visibility == "public"
	if e.data.Room.ID != e.room || begins != (e.id == e.room) {
		b.fault("event %d makes room %d under id %d", e.id, e.data.Room.ID, e.room)
	}
	switch {
	case e.data.Room.Kind == "direct":
		b.direct(e)
	case begins && e.data.Room.Visibility == "public":
		b.whose[e.id] = audience{}
	case begins:
		b.whose[e.id] = audience{user: b.ledger.rooms[e.room]}
	default: // somebody is being added, by the next member.joined of the room
		for _, next := range b.entries[i+1:] {
			if next.room == e.room && next.kind == client.EventTypeMemberJoined {
				b.whose[e.id] = audience{user: next.data.User.ID}
				return
			}
		}
		b.fault("event %d shows room %d to somebody whom nobody added", e.id, e.room)
	}
}

// direct gives one room.created of a conversation to whoever got it; it must be one of the two,
// who has had none before.
func (b *books) direct(e entry) {
	var who []int64
	for _, p := range e.data.Room.Members {
		if b.ledger.tapped[e.id][p.ID] {
			who = append(who, p.ID)
		}
	}
	if len(who) != 1 || len(e.data.Room.Members) != 2 {
		b.fault("the room.created %d of a direct conversation went to %v", e.id, who)
		return
	}
	b.whose[e.id] = audience{user: who[0]}
	b.start(e, who[0])
}

func (b *books) start(e entry, user int64) {
	if b.present[e.room] == nil {
		b.present[e.room] = map[int64]*spell{}
	}
	if b.present[e.room][user] != nil {
		b.fault("%d makes user %d a member of room %d, who is one", e.id, user, e.room)
	}
	s := &spell{user: user, room: e.room, from: e.id}
	b.present[e.room][user] = s
	at := [2]int64{e.room, user}
	b.spells[at] = append(b.spells[at], s)
}

func (b *books) left(e entry) {
	user := e.data.User.ID
	s := b.present[e.room][user]
	if s == nil {
		b.fault("%d lets user %d out of room %d, who is not in it", e.id, user, e.room)
		return
	}
	s.to = e.id
	if e.data.Reason != "" {
		s.gone = e.id
		b.removals[[2]int64{e.room, user}]++
	}
	delete(b.present[e.room], user)
}

func (b *books) roomDeleted(e entry) {
	b.deleted[e.room] = true
	for at, spells := range b.spells {
		if at[0] != e.room {
			continue
		}
		for _, s := range spells {
			if s.to == 0 {
				s.to = e.id
			}
			if s.gone == 0 {
				s.gone = e.id
			}
		}
	}
	delete(b.present, e.room)
}

// message holds a message against what its sender was told and was allowed.
func (b *books) message(e entry) {
	m := e.data.Message
	admin := m.Sender.ID == b.ledger.admin && b.kinds[e.room] == "channel" // does what owners do
	if b.at(e.room, m.Sender.ID, e.id) == nil && !admin && !(e.room == lobby && m.Sender.ID < e.id) {
		b.fault("message %d is by user %d, who is not in room %d then", e.id, m.Sender.ID, e.room)
	}
	if want := b.names[m.Sender.ID]; m.Sender.Name != want {
		b.fault("message %d is by %q, who is called %q then", e.id, m.Sender.Name, want)
	}
	got := said{m.ID, m.RoomID, m.Sender.ID, m.Text, m.Nonce}
	b.texts[m.ID] = m.Text
	if s := b.ledger.said[e.id]; e.tomb() {
		b.tombstone(e)
		got.text, got.nonce = s.text, s.nonce
	}
	if want, answered := b.ledger.said[e.id]; !answered || got != want || m.RoomID != e.room {
		b.fault("event %d has the message %+v, its sender was told %+v", e.id, got, want)
	}
}

// tombstone demands that nothing is left of the message.
func (b *books) tombstone(e entry) {
	if m := e.data.Message; m.Text != "" || m.Nonce != "" || m.EditedAt != "" {
		b.fault("event %d is a tombstone and has %s", e.id, e.raw)
	}
	if b.ledger.deletes[e.data.Message.ID] == 0 {
		b.fault("event %d is a tombstone, and nobody has deleted message %d", e.id, e.data.Message.ID)
	}
}

// edited holds an edit against what its author was told and may see.
func (b *books) edited(e entry) {
	m := e.data.Message
	want, answered := b.ledger.edits[e.id]
	of, sent := b.ledger.said[m.ID]
	switch {
	case !sent || of.room != e.room || of.sender != m.Sender.ID || m.ID >= e.id:
		b.fault("event %d edits %+v, which was sent as %+v", e.id, m, of)
	case b.gone[m.ID] != 0:
		b.fault("event %d edits message %d, which %d has deleted", e.id, m.ID, b.gone[m.ID])
	case !b.seen(e.room, m.Sender.ID, e.id):
		b.fault("event %d edits a message in room %d, which user %d does not see then", e.id, e.room, m.Sender.ID)
	case !answered || want.message != m.ID:
		b.fault("event %d edits message %d, its author was told %+v", e.id, m.ID, want)
	case e.tomb():
		b.tombstone(e)
	case m.Text != want.text || m.EditedAt == "":
		b.fault("event %d edits message %d to %q, its author was told %q", e.id, m.ID, m.Text, want.text)
	}
	b.texts[m.ID] = want.text
}

// erased notes the deletion of a message, and that one entry before it is nobody's.
func (b *books) erased(e entry) {
	m := e.data.MessageID
	of, sent := b.ledger.said[m]
	switch {
	case !sent || of.room != e.room || m >= e.id:
		b.fault("event %d deletes message %d of room %d, which was sent as %+v", e.id, m, e.room, of)
	case b.gone[m] != 0:
		b.fault("event %d deletes message %d, which %d has deleted", e.id, m, b.gone[m])
	case b.ledger.deletes[m] == 0:
		b.fault("event %d deletes message %d, and nobody was told so", e.id, m)
	}
	b.gone[m] = e.id
	b.texts[m] = ""
}

// seen says whether the user may read the room at that event.
func (b *books) seen(room, user, id int64) bool {
	admin := user == b.ledger.admin && b.kinds[room] == "channel"
	return b.at(room, user, id) != nil || admin || b.open[room]
}

func (b *books) renamed(e entry) {
	b.whose[e.id] = audience{}
	if b.names[e.data.User.ID] != e.data.OldName {
		b.fault("%d renames %q, who is called %q then", e.id, e.data.OldName, b.names[e.data.User.ID])
	}
	b.names[e.data.User.ID] = e.data.User.Name
}

// answers looks for what was answered and is not in the log, and the other way round.
func (b *books) answers() {
	for id, s := range b.ledger.said {
		if _, ok := b.byID[id]; !ok {
			b.fault("message %d (%q) was answered and nobody ever got it", id, s.text)
		}
	}
	for id, e := range b.ledger.edits {
		if b.byID[id].kind != client.EventTypeMessageUpdated {
			b.fault("edit %d (%+v) was answered and nobody ever got it", id, e)
		}
	}
	for id := range b.ledger.deletes {
		if b.gone[id] == 0 {
			b.fault("the deletion of message %d was answered and nobody ever got it", id)
		}
	}
	if !maps.Equal(b.removals, b.ledger.removals) {
		b.fault("removals in the log %v, answered %v", b.removals, b.ledger.removals)
	}
	for room, by := range b.ledger.rooms {
		if b.spells[[2]int64{room, by}] == nil || b.roles[[2]int64{room, by}] != theCreator {
			b.fault("user %d made room %d and is no owner of it", by, room)
		}
	}
}

// at gives the user's spell in the room that covers the id.
func (b *books) at(room, user, id int64) *spell {
	for _, s := range b.spells[[2]int64{room, user}] {
		if s.from <= id && (s.to == 0 || id <= s.to) {
			return s
		}
	}
	return nil
}

// due is an event that is a user's, with the spell by which it is, if any.
type due struct {
	entry
	spell *spell
}

// hidden says whether it is given no more after the revocation of its spell.
func (d due) hidden() bool { return d.spell != nil && d.spell.gone != 0 && d.id != d.spell.to }

// dues are all events that a user was entitled to when they happened.
func (b *books) dues(user int64) []due {
	var list []due
	for _, e := range b.entries {
		switch a := b.whose[e.id]; {
		case a.user != 0:
			if a.user == user {
				list = append(list, due{entry: e})
			}
		case a.room == 0 || a.room == lobby:
			if e.id > user { // a user's id is that of their registration
				list = append(list, due{entry: e})
			}
		default:
			if s := b.at(a.room, user, e.id); s != nil {
				list = append(list, due{e, s})
			}
		}
	}
	return list
}

// kept are the ids that a replay from cursor gives a user when all is over.
func (b *books) kept(user, cursor int64) []int64 {
	var ids []int64
	for _, d := range b.dues(user) {
		if d.id > cursor && !d.hidden() {
			ids = append(ids, d.id)
		}
	}
	return ids
}
