package oracle

import "slices"

// due is an event that is a user's, with the spell by which it is, if any.
type due struct {
	id    int64
	at    int // its place in the log
	spell *spell
}

// hidden says whether it is given no more after the revocation of its spell.
func (d due) hidden() bool { return d.spell != nil && d.spell.gone != 0 && d.id != d.spell.to }

// dues are all events that a user was entitled to when they happened.
func (w *world) dues(user int64) []due {
	if list, ok := w.owed[user]; ok {
		return list
	}
	var list []due
	for i, e := range w.events {
		switch a := w.whose[i]; {
		case a.kind == toUser && a.id == user:
			list = append(list, due{id: e.ID, at: i})
		case a.kind == toEveryone, a.kind == toRoom && a.id == lobby:
			if e.ID > user { // a user's id is that of their registration
				list = append(list, due{id: e.ID, at: i})
			}
		case a.kind == toRoom:
			if s := w.spellAt(a.id, user, e.ID); s != nil {
				list = append(list, due{e.ID, i, s})
			}
		}
	}
	w.owed[user] = list
	return list
}

// following is a reader on its way through what is its user's.
type following struct {
	*world
	*Reader
	dues   []due
	next   int // of dues
	pos    int64
	begun  bool
	broken map[*spell]int64 // revoked spells that something is missing of
	conn   *Conn
	mark   int64 // the log had come so far before the connection was made
}

// reader holds what a reader got against what was its user's.
func (w *world) reader(r *Reader) {
	f := &following{world: w, Reader: r, dues: w.dues(r.User), broken: map[*spell]int64{}}
	for _, c := range r.Conns {
		f.conn, f.mark = c, w.times.low(c.Start)
		f.connection()
	}
	if r.End > f.pos {
		f.reach(r.End, 0)
	}
}

func (f *following) connection() {
	c := f.conn
	if f.begun && c.Asked != f.pos {
		f.fault(Order, c.Asked, "%s: the test is wrong, it asked for %d and was at %d", f.Name, c.Asked, f.pos)
	}
	for i, item := range c.Items {
		switch item.Kind {
		case Ready:
			f.ready(i, item)
		case Beat:
			f.beat(item)
		case Event:
			f.event(item)
		case Reset:
			f.reset(item)
		case Whisper:
			f.whisper(item)
		case Ended:
		}
	}
}

// start puts the reader at a position for the first time, or after a reset.
func (f *following) start(at int64) {
	f.begun, f.pos = true, at
	f.next, _ = slices.BinarySearchFunc(f.dues, at+1, func(d due, id int64) int { return int(d.id - id) })
}

// ready is where the stream begins: the position asked for, or the head where none was, or where a reset comes next.
func (f *following) ready(i int, item Item) {
	c := f.conn
	if c.Asked >= 0 && !f.begun {
		f.start(c.Asked)
	}
	switch {
	case c.Asked < 0 && !f.begun:
		if item.Cursor < f.mark {
			f.fault(Lost, item.Cursor, "%s begins at %d, the log was at %d before", f.Name, item.Cursor, f.mark)
		}
		f.start(item.Cursor)
	case item.Cursor == c.Asked:
	case i+1 < len(c.Items) && c.Items[i+1].Kind != Reset:
		f.fault(Skip, item.Cursor, "%s asked for %d and begins at %d without a reset", f.Name, c.Asked, item.Cursor)
	}
}

func (f *following) beat(item Item) {
	if !f.begun { // a poll
		f.start(max(f.conn.Asked, 0))
		if f.conn.Asked < 0 {
			f.start(item.Cursor)
		}
	}
	if item.Cursor < f.pos {
		f.fault(Order, item.Cursor, "%s: the cursor %d came at %d", f.Name, item.Cursor, f.pos)
		return
	}
	f.lostPlace(item)
	f.reach(item.Cursor, item.At)
}

func (f *following) event(item Item) {
	if !f.begun {
		f.start(max(f.conn.Asked, 0))
	}
	i, known := f.byID[item.Cursor]
	switch {
	case item.Cursor == f.pos:
		f.fault(Twice, item.Cursor, "%s: event %d came twice", f.Name, item.Cursor)
		return
	case item.Cursor < f.pos:
		f.fault(Order, item.Cursor, "%s: event %d came at %d", f.Name, item.Cursor, f.pos)
		return
	case !known:
		f.fault(Forged, item.Cursor, "%s: event %d is not in the log: %s", f.Name, item.Cursor, item.JSON)
		return
	case f.run.Log[i].JSON != item.JSON:
		f.fault(Forged, item.Cursor, "%s: event %d is %s, in the log %s", f.Name, item.Cursor, item.JSON, f.run.Log[i].JSON)
	}
	f.lostPlace(item)
	f.reach(item.Cursor-1, item.At)
	f.pos = item.Cursor
	if f.next == len(f.dues) || f.dues[f.next].id != item.Cursor {
		f.fault(Leak, item.Cursor, "%s: event %d is not its user's: %s", f.Name, item.Cursor, item.JSON)
		return
	}
	d := f.dues[f.next]
	f.next++
	switch {
	case d.hidden() && f.mark >= d.spell.gone:
		f.fault(Leak, d.id, "%s: event %d came on a connection made after %d had revoked it", f.Name, d.id, d.spell.gone)
	case d.hidden() && f.broken[d.spell] != 0:
		f.fault(Lost, f.broken[d.spell], "%s: event %d did not come, although %d of the same spell did", f.Name, f.broken[d.spell], d.id)
	}
}

// reach notes that all up to an id was given: what is missing was revoked before, or is lost. At tick 0 all is over.
func (f *following) reach(id int64, at Tick) {
	for ; f.next < len(f.dues) && f.dues[f.next].id <= id; f.next++ {
		d := f.dues[f.next]
		revoked := d.hidden() && (at == 0 || d.spell.revoked < at)
		pruned := f.pos == 0 && d.id < f.run.Oldest // from 0 on is all that is kept
		if !revoked && !pruned {
			f.fault(Lost, d.id, "%s: event %d did not come, and it is at %d: %s", f.Name, d.id, id, f.run.Log[d.at].JSON)
		} else if revoked && f.broken[d.spell] == 0 {
			f.broken[d.spell] = d.id
		}
	}
	f.pos = max(f.pos, id)
}

// lostPlace demands that nothing goes on from a position that a restore undid.
func (f *following) lostPlace(item Item) {
	for _, h := range f.run.Holes {
		if h.After < f.pos && f.pos < h.Before && item.Cursor >= h.Before {
			f.fault(Skip, item.Cursor, "%s goes on with %d from %d, which a restore undid, without a reset", f.Name, item.Cursor, f.pos)
		}
	}
}

// reset is right only where the position cannot be resumed from.
func (f *following) reset(item Item) {
	at := f.pos
	if !f.begun {
		at = f.conn.Asked
	}
	pruned := at < f.run.Oldest-1
	lost := slices.ContainsFunc(f.run.Holes, func(h Hole) bool { return h.After < at && at < h.Before })
	if !pruned && !lost && at <= f.head() {
		f.fault(Skip, item.Cursor, "%s: reset to %d from %d, which could be resumed from", f.Name, item.Cursor, at)
	}
	if item.Cursor < f.mark {
		f.fault(Skip, item.Cursor, "%s: reset to %d, the log was at %d before", f.Name, item.Cursor, f.mark)
	}
	f.start(item.Cursor)
}

// whisper must be of no room, or of one that its user was in at some time.
func (f *following) whisper(item Item) {
	r := f.rooms[item.Room]
	if item.Room != 0 && item.Room != lobby && (r == nil || len(r.spells[f.User]) == 0) {
		f.fault(Leak, item.Room, "%s heard of room %d, which its user never was in: %s", f.Name, item.Room, item.JSON)
	}
}
