package chat

import (
	"sync"
	"sync/atomic"
	"time"

	"parley/models"
)

// requestGrace is how long an agent without a stream is here after a request.
const requestGrace = 2 * time.Minute

// DefaultSupportLeaveAfter is the program's.
const DefaultSupportLeaveAfter = 2 * time.Minute

// desk knows who of support's people is here: whoever has an open stream or a long-poll, by the tracker, and who makes
// requests without one. It is in memory; after a restart nobody is taken for gone within startGrace.
type desk struct {
	now        Clock
	presence   *Tracker
	leaveAfter time.Duration // 0: a conversation is never closed for the visitor's being away
	started    time.Time

	watched  sync.Map      // user id → *attendance
	visitors sync.Map      // user id → *atomic.Int64: Unix ms of their last request, of all visitors online
	bell     chan struct{} // one slot

	mu     sync.Mutex
	comers map[int64]struct{} // who came since the last look

	told map[int64]int // of the loop: conversation → the place that its visitor was told of
}

// attendance is what somebody did by whom support is used or served, in Unix ms.
type attendance struct {
	asked atomic.Int64 // their last request since their last stream went; 0: none
	went  atomic.Int64 // when that was; 0: not since they are watched
}

func newDesk(o Options) *desk {
	d := &desk{
		now: o.Clock, presence: o.Presence, leaveAfter: o.SupportLeaveAfter, started: o.Clock(),
		bell: make(chan struct{}, 1), comers: map[int64]struct{}{}, told: map[int64]int{},
	}
	d.ring() // for those who are to be watched from the start
	o.Presence.attend(d)
	return d
}

// ring has support looked at now.
func (d *desk) ring() {
	select {
	case d.bell <- struct{}{}:
	default:
	}
}

// watch has the user's requests noted from now on, this one too.
func (d *desk) watch(userID int64) {
	d.watched.LoadOrStore(userID, new(attendance))
	d.saw(userID)
}

// saw notes a request.
func (d *desk) saw(userID int64) {
	if at, ok := d.watched.Load(userID); ok {
		at.(*attendance).asked.Store(d.now().UnixMilli())
	}
}

// note notes who makes a request.
func (d *desk) note(u models.User) {
	d.saw(u.ID)
	if u.Role == models.RoleVisitor {
		at, _ := d.visitors.LoadOrStore(u.ID, new(atomic.Int64))
		at.(*atomic.Int64).Store(d.now().UnixMilli())
	}
}

// isVisitor says whether somebody online is a support visitor, of whom only agents know.
func (d *desk) isVisitor(userID int64) bool {
	_, is := d.visitors.Load(userID)
	return is
}

// came hears from the tracker that somebody has a stream or a long-poll more.
func (d *desk) came(userID int64) {
	if _, ok := d.watched.Load(userID); !ok {
		return
	}
	d.mu.Lock()
	d.comers[userID] = struct{}{}
	d.mu.Unlock()
	d.ring()
}

// went hears from the tracker that somebody's last one has ended: what they asked for before says nothing any more.
func (d *desk) went(userID int64) {
	if at, ok := d.watched.Load(userID); ok {
		at.(*attendance).went.Store(d.now().UnixMilli())
		at.(*attendance).asked.Store(0)
	}
}

// streams says whether the user has a stream or a long-poll, or had one within the grace.
func (d *desk) streams(userID int64) bool { return d.presence.Of(userID).Status != models.Offline }

// asked is when the user last made a request without having a stream, or since their last stream went.
func (d *desk) asked(userID int64) time.Time {
	at, ok := d.watched.Load(userID)
	if !ok {
		return time.Time{}
	}
	return time.UnixMilli(at.(*attendance).asked.Load())
}

// here says whether an agent can be given conversations.
func (d *desk) here(userID int64) bool {
	return d.streams(userID) || d.now().Sub(d.asked(userID)) < requestGrace
}

// gone says whether what an agent has is to be given to others.
func (d *desk) gone(userID int64) bool {
	return !d.here(userID) && !d.starting()
}

// starting says whether it is too early after the start to take anybody for gone.
func (d *desk) starting() bool { return d.now().Before(d.started.Add(startGrace)) }

// left says whether a visitor with an open conversation has been away for so long that it ends.
func (d *desk) left(userID int64) bool {
	if d.leaveAfter == 0 || d.starting() || d.streams(userID) {
		return false
	}
	here := d.started
	if at, ok := d.watched.Load(userID); ok {
		here = latest(here, time.UnixMilli(max(at.(*attendance).asked.Load(), at.(*attendance).went.Load())))
	}
	return d.now().Sub(here) >= d.leaveAfter
}

// takeComers gives who came since the last time.
func (d *desk) takeComers() map[int64]struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	comers := d.comers
	d.comers = map[int64]struct{}{}
	return comers
}
