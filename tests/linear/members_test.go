package linear

import "net/http"

// moveMembers is what changes who is in a room, and as what.
func (r *room) moveMembers(in input) (*room, answer) {
	own := r.roles[in.who]
	switch in.kind {
	case join:
		switch {
		case own != outsider:
			return r, is(own)
		case r.banned&bit(in.who) != 0:
			return r, banned
		}
		return r.move(in.who, member), is(member)
	case leave:
		return r.part(in.who, done)
	case put:
		return r.put(in, own)
	case expel:
		return r.expel(in, own)
	default:
		return r.restrict(in, own)
	}
}

// is answers with what somebody is in the room.
func is(as role) answer { return answer{told: told{status: http.StatusOK, role: as}} }

func (r *room) move(who int, to role) *room {
	if r.roles[who] == to {
		return r
	}
	next := *r
	next.roles[who] = to
	return &next
}

// lastOwner says whether the room would be nobody's without them.
func (r *room) lastOwner(who int) bool {
	for other, role := range r.roles {
		if role == owner && other != who {
			return false
		}
	}
	return r.roles[who] == owner
}

// part ends a membership, if there is one and the room has another owner.
func (r *room) part(who int, a answer) (*room, answer) {
	if r.lastOwner(who) {
		return r, conflict
	}
	return r.move(who, outsider), a
}

// put adds somebody, or changes a member's role.
func (r *room) put(in input, own role) (*room, answer) {
	present, as := r.roles[in.whom], max(in.role, member)
	if present != outsider {
		switch {
		case in.role == outsider || in.role == present:
			return r, is(present)
		case own != owner:
			return r, forbidden
		case r.lastOwner(in.whom):
			return r, conflict
		}
		return r.move(in.whom, as), is(as)
	}
	least := member // to a public channel any member may add
	if r.private {
		least = moderator
	}
	if as != member {
		least = owner
	}
	switch {
	case own < least:
		return r, forbidden
	case r.banned&bit(in.whom) != 0:
		return r, conflict // the ban has to be lifted first
	}
	return r.move(in.whom, as), is(as)
}

// expel takes somebody out; oneself is leaving.
func (r *room) expel(in input, own role) (*room, answer) {
	present := r.roles[in.whom]
	switch {
	case in.whom != in.who && own < moderator:
		return r, forbidden
	case present == outsider:
		return r, notFound
	case in.whom != in.who && present > own:
		return r, forbidden
	}
	return r.part(in.whom, done)
}

// restrict bans somebody, who is then out, or lifts that, which brings nobody back.
func (r *room) restrict(in input, own role) (*room, answer) {
	switch {
	case own < moderator:
		return r, forbidden
	case in.whom == in.who:
		return r, conflict
	case in.kind == ban && r.roles[in.whom] > own:
		return r, forbidden
	}
	next := *r
	if in.kind == unban {
		next.banned &^= bit(in.whom)
		return &next, done
	}
	next.banned |= bit(in.whom)
	next.roles[in.whom] = outsider
	return &next, ok(http.StatusOK)
}
