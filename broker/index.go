package broker

import (
	"cmp"
	"slices"
	"sync"

	"parley/models"
)

// index routes: which users stand under a topic and which subscribers a user has. It
// is a superset, used for waking only; what a reader may see is decided by its view. A
// topic is an audience of more than one user.
type index struct {
	maxPerSession int
	attended      bool // accounts are kept until Forget

	mu       sync.Mutex // over all below; nothing is waited for under it
	accounts map[int64]*account
	topics   map[models.Audience]map[*account]struct{}
	sessions map[int64][]*subscriber
	gone     tally // what the streams that are no more were given
	closed   bool
	empty    chan struct{} // closed when the index is closed and nobody is left
}

// account is a user with at least one subscriber, or one whose going was not told yet.
type account struct {
	userID int64
	subs   []*subscriber
	topics []models.Audience // sorted
	first  struct {          // most have no more
		subs   [1]*subscriber
		topics [3]models.Audience
	}
	// left has the rooms that the user went out of, each with the id of that event: a snapshot from
	// before it must not bring the room back, or the user's presence would be told there.
	left map[int64]int64
	kept bool // arrived and not forgotten
}

func newIndex(maxPerSession int, attended bool) *index {
	return &index{
		maxPerSession: maxPerSession,
		attended:      attended,
		accounts:      make(map[int64]*account),
		topics:        make(map[models.Audience]map[*account]struct{}),
		sessions:      make(map[int64][]*subscriber),
		empty:         make(chan struct{}),
	}
}

// attach registers s under its user and session.
func (x *index) attach(s *subscriber) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return ErrClosed
	}
	same := 0
	for _, o := range x.sessions[s.sessionID] {
		if o.waiter == s.waiter {
			same++
		}
	}
	if same >= x.maxPerSession {
		return ErrTooManyStreams
	}
	x.sessions[s.sessionID] = append(x.sessions[s.sessionID], s)
	a := x.accounts[s.view.userID]
	if a == nil {
		a = &account{userID: s.view.userID}
		a.subs, a.topics = a.first.subs[:0], a.first.topics[:0]
		x.accounts[a.userID] = a
	}
	a.subs = append(a.subs, s)
	return nil
}

// detach undoes attach and frees what nobody needs any more.
func (x *index) detach(s *subscriber) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if rest := without(x.sessions[s.sessionID], s); len(rest) > 0 {
		x.sessions[s.sessionID] = rest
	} else {
		delete(x.sessions, s.sessionID)
	}
	a := x.accounts[s.view.userID]
	a.subs = without(a.subs, s)
	if !s.waiter {
		x.gone.add(int(s.given.events.Load()), int(s.given.bytes.Load()))
		x.gone.whispers.Add(s.given.whispers.Load())
	}
	x.release(a)
	x.settle()
}

// release frees an account that nobody needs any more. It needs mu.
func (x *index) release(a *account) {
	if len(a.subs) > 0 || a.kept {
		return
	}
	for len(a.topics) > 0 {
		x.leave(a, a.topics[len(a.topics)-1])
	}
	delete(x.accounts, a.userID)
}

// keep holds the user's account, who has a subscriber, until forget: those who share a room hear of
// their going only after it.
func (x *index) keep(userID int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.accounts[userID].kept = x.attended
}

// forget lets go of accounts whose going was told.
func (x *index) forget(userIDs []int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, id := range userIDs {
		if a := x.accounts[id]; a != nil {
			a.kept = false
			x.release(a)
		}
	}
}

// without removes s; the order is lost.
func without(subs []*subscriber, s *subscriber) []*subscriber {
	last := len(subs) - 1
	for i, o := range subs {
		if o == s {
			subs[i], subs[last] = subs[last], nil
			return subs[:last]
		}
	}
	return subs
}

// place puts the user under the topics that the log names. It only ever adds: the user was
// attached before the log was read, so that whatever has changed since then reaches the index
// by the waker, before or after this. A room that the user was seen to leave after the
// snapshot is left out.
func (x *index) place(userID int64, st models.Standing) {
	x.mu.Lock()
	defer x.mu.Unlock()
	a := x.accounts[userID]
	if st.Everyone {
		x.join(a, models.Everyone())
	}
	if st.Agent {
		x.join(a, agents)
	}
	for _, room := range st.Rooms {
		if a.left[room] <= st.Head {
			x.join(a, models.InRoom(room))
		}
	}
}

var agents = models.Audience{Kind: models.ToAgents}

func compareAudiences(a, b models.Audience) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

// join needs mu.
func (x *index) join(a *account, t models.Audience) {
	if x.topics[t] == nil {
		x.topics[t] = make(map[*account]struct{})
	}
	x.topics[t][a] = struct{}{}
	if i, in := slices.BinarySearchFunc(a.topics, t, compareAudiences); !in {
		a.topics = slices.Insert(a.topics, i, t)
	}
}

// leave needs mu.
func (x *index) leave(a *account, t models.Audience) {
	if i, in := slices.BinarySearchFunc(a.topics, t, compareAudiences); in {
		a.topics = slices.Delete(a.topics, i, i+1)
	}
	delete(x.topics[t], a)
	if len(x.topics[t]) == 0 {
		delete(x.topics, t)
	}
}

// shut refuses newcomers and gives those who are there.
func (x *index) shut() (waiters, streams []*subscriber) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.closed {
		x.closed = true
		x.settle()
	}
	for _, subs := range x.sessions {
		for _, s := range subs {
			if s.waiter {
				waiters = append(waiters, s)
			} else {
				streams = append(streams, s)
			}
		}
	}
	return waiters, streams
}

// settle tells Close when the last one has gone. It needs mu. Nobody comes after closed, so
// that the last detach, or shut itself, gets here exactly once with nobody left.
func (x *index) settle() {
	if x.closed && len(x.sessions) == 0 {
		close(x.empty)
	}
}
