package broker

import (
	"slices"

	"parley/models"
)

// view is what one reader is entitled to at its cursor. It belongs to the goroutine that
// reads and is moved along event by event, so that it is exact wherever the publisher is.
type view struct {
	userID   int64
	everyone bool
	agent    bool
	rooms    []int64 // sorted
	// stale is set by a change that an event does not spell out: the user's role. What comes
	// after it is read from the log, which knows.
	stale bool
}

// reset takes over what one snapshot of the log says.
func (v *view) reset(s models.Standing) {
	v.everyone, v.agent, v.stale = s.Everyone, s.Agent, false
	v.rooms = append(v.rooms[:0], s.Rooms...)
	slices.Sort(v.rooms)
}

// step says whether e is for this reader and moves the view past it. Who comes in by e gets e,
// and so does who goes out by it.
func (v *view) step(e *models.Event) bool {
	own := e.Change.UserID == v.userID
	if e.Change.Kind == models.MemberIn && own {
		v.join(e.Change.RoomID)
	}
	mine := v.entitled(e.Audience)
	switch e.Change.Kind {
	case models.MemberOut:
		if own {
			v.leave(e.Change.RoomID)
		}
	case models.RoomGone:
		v.leave(e.Change.RoomID)
	case models.UserAltered:
		v.stale = v.stale || own
	}
	return mine
}

func (v *view) entitled(a models.Audience) bool {
	switch a.Kind {
	case models.ToEveryone:
		return v.everyone
	case models.ToRoom:
		return v.in(a.ID)
	case models.ToUser:
		return a.ID == v.userID
	case models.ToAgents:
		return v.agent
	default:
		return false
	}
}

// fewRooms are looked through faster than they are searched.
const fewRooms = 8

func (v *view) in(room int64) bool {
	if len(v.rooms) > fewRooms {
		_, in := slices.BinarySearch(v.rooms, room)
		return in
	}
	return slices.Contains(v.rooms, room)
}

func (v *view) join(room int64) {
	if i, in := slices.BinarySearch(v.rooms, room); !in {
		v.rooms = slices.Insert(v.rooms, i, room)
	}
}

func (v *view) leave(room int64) {
	if i, in := slices.BinarySearch(v.rooms, room); in {
		v.rooms = slices.Delete(v.rooms, i, i+1)
	}
}

// Filter narrows what a stream or a waiter gets; the cursor moves on over the rest.
type Filter struct {
	// Types are the types wanted; nil: all.
	Types []models.EventType
	// Rooms are the rooms whose events are wanted where HasRooms is set. Events of no room
	// pass. None are wanted where it is empty.
	Rooms    []int64
	HasRooms bool
}

// Passes says whether e is wanted.
func (f *Filter) Passes(e *models.Event) bool {
	if !f.wants(e.Type) {
		return false
	}
	return !f.HasRooms || e.RoomID == 0 || slices.Contains(f.Rooms, e.RoomID)
}

// wants says whether events of the type may pass.
func (f *Filter) wants(t models.EventType) bool { return f.Types == nil || slices.Contains(f.Types, t) }
