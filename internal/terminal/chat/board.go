package chat

import (
	"time"

	"parley/client"
)

// board is what one knows of the chat, and what one looks at.
type board struct {
	me     int64
	people people
	rooms  []*room // as they are listed
	here   *room   // what one looks at; nil before the rooms are known
	known  map[int64]client.EventRoom
	public []string // names of channels that one may join, as far as heard of

	at      int64 // the last event
	listed  int64 // the list of rooms is true of this position; 0: none yet
	loads   int   // how many answers are being waited for
	epoch   int   // counts the resets: what was asked for before one is of no use behind it
	journal []client.Event
	now     func() time.Time
}

func newBoard(me int64, name string, now func() time.Time) *board {
	b := &board{me: me, people: people{}, known: map[int64]client.EventRoom{}, now: now}
	b.people.met(me, name)
	return b
}

// wish is what an event makes necessary to be asked for.
type wish struct {
	everything bool   // rooms, people and histories
	counts     bool   // what is unread
	who        bool   // who is there
	room       int64  // a room that one has come into
	gone       string // a room that one is not in any more
	called     bool   // somebody wants one's attention
}

// asked begins the time for which events are kept, until answered.
func (b *board) asked() { b.loads++ }

// answered ends it. Events after the answer's position that came before it are given to redo.
func (b *board) answered(at int64, redo func(e client.Event)) {
	if redo != nil {
		for _, e := range b.journal {
			if e.ID > at {
				redo(e)
			}
		}
	}
	if b.loads--; b.loads == 0 {
		b.journal = nil
	}
}

// take takes the list of rooms at a position.
func (b *board) take(rooms []client.Room, at int64) {
	listed := map[int64]bool{}
	for _, from := range rooms {
		listed[from.ID] = true
		r := b.room(from.ID)
		if r == nil && b.leftAfter(from.ID, at) {
			continue
		}
		if r == nil {
			r = b.add(from, 0)
		}
		if at >= r.changedAt {
			r.take(from, b.me)
		}
		r.count(from, at)
	}
	for _, r := range append([]*room(nil), b.rooms...) {
		if r.id != 0 && !listed[r.id] && r.since <= at {
			b.remove(r)
		}
	}
	b.listed = at
	b.sortRooms()
	if b.here == nil && len(b.rooms) > 0 {
		b.here = b.rooms[0]
	}
	b.answered(at, func(e client.Event) {
		if e.Type == client.EventTypeMessageCreated {
			b.countEvent(e)
		}
	})
}

// leftAfter says whether one has left a room behind a position.
func (b *board) leftAfter(id, at int64) bool {
	for _, e := range b.journal {
		if e.RoomID != id || e.ID <= at {
			continue
		}
		data, err := client.DataOf[client.MemberData](e)
		if e.Type == client.EventTypeRoomDeleted || e.Type == client.EventTypeMemberLeft && err == nil && data.User.ID == b.me {
			return true
		}
	}
	return false
}

// history takes a page of a room.
func (b *board) history(r *room, list client.MessageList, before int64) {
	for _, m := range list.Messages {
		b.people.mentioned(m.Sender.ID, m.Sender.Name)
	}
	r.line.page(list, before)
	b.answered(list.Cursor, func(e client.Event) {
		if e.RoomID == r.id {
			b.message(r, e)
		}
	})
}

// reset forgets what may not be so any more.
func (b *board) reset() {
	for _, r := range b.rooms {
		r.line.clear()
		r.present = nil
	}
	b.journal, b.loads, b.listed = nil, 0, 0
	b.epoch++
}

// unread is how much there is in all rooms, and how much of it calls for attention.
func (b *board) unread() (messages, calls int) {
	for _, r := range b.rooms {
		messages += r.unread
		calls += r.mentions
		if r.kind == client.RoomKindDirect {
			calls += r.unread
		}
	}
	return messages, calls
}
