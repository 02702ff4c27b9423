package linear

import (
	"fmt"
	"math/bits"
	"net/http"
	"slices"
)

// room is a channel where one operation comes after the other. It is never changed: each operation makes another one.
type room struct {
	private bool
	floor   int64 // the newest position of the log that an answer has told; what is written later is beyond it
	roles   [people]role
	banned  uint16 // a bit for each
	said    []message
}

// message is one of a room's, with the nonce and the text of its first request.
type message struct {
	id              int64
	by              int
	nonce, first    string
	text            string
	edited, deleted bool
	likes           uint16 // a bit for each
}

func (m message) seenBy(who int) shown {
	if m.deleted {
		return shown{id: m.id, by: m.by, deleted: true}
	}
	return shown{m.id, m.by, m.text, m.edited, false, bits.OnesCount16(m.likes), m.likes&bit(who) != 0}
}

func bit(who int) uint16 { return 1 << who }

// apply gives the room after the operation and what has to be answered. What the model cannot foretell it takes from what
// came of it: the id of a message that was sent, and the position of the log that an answer is of. nil where they
// cannot be: a message is later than all that the room has and than every answer that was given without it.
func (r *room) apply(in input, of output) (*room, answer) {
	if r.private && r.roles[in.who] == outsider && in.kind != send {
		return r, notFound // nothing may tell that it is there
	}
	switch in.kind {
	case send:
		return r.send(in, of.id)
	case list, get, members, look:
		return r.read(in, of.cursor)
	case edit, erase, like, unlike:
		return r.change(in)
	default:
		return r.moveMembers(in)
	}
}

func (r *room) send(in input, id int64) (*room, answer) {
	first := slices.IndexFunc(r.said, func(m message) bool {
		return in.nonce != "" && m.by == in.who && m.nonce == in.nonce
	})
	switch {
	case first >= 0 && r.said[first].first != in.text:
		return r, refused(http.StatusConflict, "nonce_reused")
	case first >= 0: // whatever became of the right to send
		return r, ok(http.StatusOK, r.said[first].seenBy(in.who))
	case r.roles[in.who] == outsider && r.private:
		return r, notFound
	case r.roles[in.who] == outsider:
		return r, r.orBanned(in.who)
	case id <= r.floor:
		return nil, answer{}
	}
	m := message{id: id, by: in.who, nonce: in.nonce, first: in.text, text: in.text}
	next := *r
	next.said = append(slices.Clip(r.said), m)
	next.floor = id
	return &next, ok(http.StatusCreated, m.seenBy(in.who))
}

// orBanned is how somebody is refused what only members may.
func (r *room) orBanned(who int) answer {
	if r.banned&bit(who) != 0 {
		return banned
	}
	return forbidden
}

func (r *room) read(in input, cursor int64) (*room, answer) {
	switch in.kind {
	case get:
		at, found := r.find(in.id)
		if !found {
			return r, notFound
		}
		return r, ok(http.StatusOK, r.said[at].seenBy(in.who))
	case members:
		return r, answer{told: told{status: http.StatusOK, roles: r.roles, count: r.count()}}
	case look:
		a := answer{told: told{status: http.StatusOK, role: r.roles[in.who], count: r.count()}}
		if n := len(r.said); n > 0 {
			m := r.said[n-1].seenBy(in.who)
			a.shown = []shown{{id: m.id, by: m.by, text: m.text, deleted: m.deleted}}
		}
		return r, a
	}
	if cursor < r.floor {
		return nil, answer{}
	}
	next := *r
	next.floor = cursor
	return &next, r.list(in)
}

// list is a piece of history. Of `around` half lies before the message, then it and the other half, and what one
// side lacks the other does not make up for.
func (r *room) list(in input) answer {
	w := in.window
	from, to := len(r.said)-w.limit, len(r.said)
	switch {
	case w.after != 0:
		from = r.from(w.after + 1)
		to = from + w.limit
	case w.before != 0:
		to = r.from(w.before)
		from = to - w.limit
	case w.around != 0:
		from = r.from(w.around) - w.limit/2
		to = from + w.limit
	}
	from, to = max(0, from), min(to, len(r.said))
	a := ok(http.StatusOK)
	for _, m := range r.said[from:to] {
		a.shown = append(a.shown, m.seenBy(in.who))
	}
	a.older, a.more = from > 0, to < len(r.said)
	return a
}

// from is the place of the first message with that id or a later one.
func (r *room) from(id int64) int {
	at, _ := r.find(id)
	return at
}

func (r *room) find(id int64) (at int, found bool) {
	return slices.BinarySearchFunc(r.said, id, func(m message, id int64) int { return int(m.id - id) })
}

func (r *room) count() (n int) {
	for _, role := range r.roles {
		if role != outsider {
			n++
		}
	}
	return n
}

// change is what happens to one message.
func (r *room) change(in input) (*room, answer) {
	at, found := r.find(in.id)
	if !found {
		return r, notFound
	}
	m, role := r.said[at], r.roles[in.who]
	switch in.kind {
	case edit:
		switch {
		case m.by != in.who:
			return r, forbidden
		case role == outsider && r.banned&bit(in.who) != 0:
			return r, banned
		case m.deleted:
			return r, conflict
		case in.onlyIf != "" && in.onlyIf != m.text:
			return r, refused(http.StatusPreconditionFailed, "precondition_failed")
		}
		m.text, m.edited = in.text, true
		return r.with(at, m), ok(http.StatusOK, m.seenBy(in.who))
	case erase:
		if m.by != in.who && role < moderator {
			return r, forbidden
		}
		m.deleted = true
	case like:
		if role == outsider {
			return r, r.orBanned(in.who)
		}
		if m.deleted {
			return r, conflict
		}
		m.likes |= bit(in.who)
	default:
		m.likes &^= bit(in.who)
	}
	return r.with(at, m), done
}

func (r *room) with(at int, m message) *room {
	if r.said[at] == m {
		return r
	}
	next := *r
	next.said = slices.Clone(r.said)
	next.said[at] = m
	return &next
}

// equals compares what two rooms are, whatever led to it.
func (r *room) equals(o *room) bool {
	return r.private == o.private && r.floor == o.floor && r.roles == o.roles && r.banned == o.banned && slices.Equal(r.said, o.said)
}

// hash is quick rather than good: rooms of one history differ in these.
func (r *room) hash() uint64 {
	h := uint64(r.floor)*1099511628211 ^ uint64(r.banned)<<40 ^ uint64(len(r.said))
	for _, role := range r.roles {
		h = h*31 + uint64(role)
	}
	return h
}

func (r *room) String() string {
	text := fmt.Sprintf("roles %v banned %b floor %d", r.roles, r.banned, r.floor)
	for _, m := range r.said[max(0, len(r.said)-12):] {
		text += " " + m.seenBy(m.by).String()
	}
	return text
}
