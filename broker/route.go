package broker

import "parley/models"

// route flags everybody whom the notes concern, moves the routing to where it stands after
// them and says how many it woke. Topics come first, by the routing as it was: who leaves by a note
// is still under the room then. Who joins is flagged by the change itself, at an id that
// is not above any event of the room that it gets.
func (x *index) route(n *notes) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	woken := 0
	for topic, first := range n.topics {
		woken += x.wake(topic, first)
	}
	for i := range n.changes {
		woken += x.apply(&n.changes[i])
	}
	return woken
}

// wake needs mu.
func (x *index) wake(topic models.Audience, id int64) int {
	if topic.Kind == models.ToUser {
		return x.accounts[topic.ID].mark(id)
	}
	woken := 0
	for a := range x.topics[topic] {
		woken += a.mark(id)
	}
	return woken
}

// mark flags all of the user's; a nil account has none.
func (a *account) mark(id int64) int {
	if a == nil {
		return 0
	}
	woken := 0
	for _, s := range a.subs {
		if s.mark(id) {
			woken++
		}
	}
	return woken
}

// apply acts on one change and flags those whose view it moves. It needs mu.
func (x *index) apply(c *change) int {
	room := models.InRoom(c.RoomID)
	a := x.accounts[c.UserID]
	switch c.Kind {
	case models.MemberIn:
		if a != nil {
			x.join(a, room)
			delete(a.left, c.RoomID)
		}
		return a.mark(c.id)
	case models.MemberOut:
		if a != nil {
			x.leave(a, room)
			if a.left == nil {
				a.left = make(map[int64]int64)
			}
			a.left[c.RoomID] = c.id
		}
		return a.mark(c.id)
	case models.UserAltered:
		return a.mark(c.id)
	case models.RoomGone:
		woken := x.wake(room, c.id)
		for a := range x.topics[room] {
			x.leave(a, room)
		}
		return woken
	case models.SessionGone:
		for _, s := range x.sessions[c.SessionID] {
			s.finish(&ending{data: c.ended, err: ErrSessionEnded})
		}
	}
	return 0
}
