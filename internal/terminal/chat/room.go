package chat

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"parley/client"
)

// lobbyID is the room that everybody is in.
const lobbyID = 1

// room is a room that one is in, or a conversation that nobody has written in yet.
type room struct {
	id       int64 // 0: a conversation that is not there yet
	kind     client.RoomKind
	name     string // of a channel
	topic    string
	archived bool
	peer     int64 // in a conversation: the other one
	since    int64 // the event by which one came in; 0 where it is not known

	changedAt int64 // the last event that changed what the room is

	unread, mentions int
	readID           int64
	countedAt        int64 // unread and mentions are true of this position in the log
	marking          int64 // what the server is being told to have been read; 0: nothing
	newAfter         int64 // what was read when the room was opened with something unread; 0 where nothing was

	line    timeline
	typing  writing
	present map[int64]bool // who of the room is or was online; nil: not asked yet
	asking  bool           // for present
	queue   []*entry       // what is to be sent, in turn; the first is on its way
	draft   string         // what is typed while one looks at another room
}

func newRoom(r client.Room, me int64) *room {
	out := &room{id: r.ID, kind: r.Kind, typing: writing{}}
	out.take(r, me)
	return out
}

// take takes what the server says of the room, but for what is unread.
func (r *room) take(from client.Room, me int64) {
	r.kind, r.topic, r.archived = from.Kind, from.Topic, from.Archived
	if from.Name != nil {
		r.name = *from.Name
	}
	r.peer = peer(from.Members, me)
}

// peer is the other one of a conversation's two.
func peer(members []client.Peer, me int64) int64 {
	for _, m := range members {
		if m.ID != me {
			return m.ID
		}
	}
	return 0
}

// count takes how much is unread at a position of the log, unless one has read on meanwhile.
func (r *room) count(from client.Room, at int64) {
	if value(from.ReadID) < r.readID {
		return
	}
	r.unread, r.mentions, r.countedAt, r.readID = value(from.Unread), value(from.Mentions), at, value(from.ReadID)
}

// seen makes all up to a message read.
func (r *room) seen(id int64) {
	r.readID = max(r.readID, id)
	r.unread, r.mentions = 0, 0
}

func value[T any](p *T) (v T) {
	if p != nil {
		return *p
	}
	return v
}

// ref is the room in a path.
func (b *board) ref(r *room) string {
	if r.id == 0 {
		return "@" + b.people[r.peer].name
	}
	return strconv.FormatInt(r.id, 10)
}

// title is the room as people write it.
func (b *board) title(r *room) string {
	switch r.kind {
	case client.RoomKindDirect:
		return "@" + b.people.name(r.peer)
	case client.RoomKindSupport:
		return "support " + strconv.FormatInt(r.id, 10)
	default:
		return "#" + cleanLine(r.name)
	}
}

// sortRooms puts the lobby first, then channels, then conversations, by name.
func (b *board) sortRooms() {
	slices.SortStableFunc(b.rooms, func(x, y *room) int {
		return cmp.Or(rank(x)-rank(y), cmp.Compare(strings.ToLower(b.title(x)), strings.ToLower(b.title(y))), cmp.Compare(x.id, y.id))
	})
}

func rank(r *room) int {
	switch {
	case r.id == lobbyID:
		return 0
	case r.kind == client.RoomKindChannel:
		return 1
	case r.kind == client.RoomKindSupport:
		return 2
	}
	return 3
}

// room gives the room of an id, nil where one is not in it.
func (b *board) room(id int64) *room {
	for _, r := range b.rooms {
		if r.id == id && id != 0 {
			return r
		}
	}
	return nil
}

// called gives the room of a name as people type it: `#lobby`, `lobby`, `@ann`, or the id.
func (b *board) called(name string) *room {
	for _, r := range b.rooms {
		title := b.title(r)
		if strings.EqualFold(title, name) || strings.EqualFold(title, "#"+name) || name == strconv.FormatInt(r.id, 10) {
			return r
		}
	}
	return nil
}

// with gives the conversation with a user, nil where there is none.
func (b *board) with(user int64) *room {
	for _, r := range b.rooms {
		if r.kind == client.RoomKindDirect && r.peer == user {
			return r
		}
	}
	return nil
}

// add makes a room one that one is in.
func (b *board) add(from client.Room, since int64) *room {
	r := b.room(from.ID)
	if r == nil && from.Kind == client.RoomKindDirect {
		r = b.with(peer(from.Members, b.me)) // it was opened before it was there
	}
	if r == nil {
		r = newRoom(from, b.me)
		b.rooms = append(b.rooms, r)
	}
	for _, m := range from.Members {
		b.people.mentioned(m.ID, m.Name)
	}
	r.id, r.since = from.ID, max(r.since, since)
	r.take(from, b.me)
	b.sortRooms()
	return r
}

// remove takes a room off the list. Where it was being looked at, the lobby is.
func (b *board) remove(r *room) {
	b.rooms = slices.DeleteFunc(b.rooms, func(other *room) bool { return other == r })
	if b.here == r {
		b.here = nil
		if len(b.rooms) > 0 {
			b.here = b.rooms[0]
		}
	}
}
