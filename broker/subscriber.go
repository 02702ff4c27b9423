package broker

import (
	"sync/atomic"

	"parley/models"
)

// subscriber is what the index knows: the part that a Stream and a Waiter share. Others
// flag it; one goroutine at a time, its owner's, reads.
type subscriber struct {
	broker    *Broker
	sessionID int64
	waiter    bool
	format    Format // of a stream
	arrived   bool   // Attendance heard of it; of the owner

	// from is the first id that may be this reader's and has not been looked at, 0 for none.
	// The waker lowers it, the reader takes it; whoever sets it also nudges.
	from atomic.Int64
	waking
	// end is set once, when the session or the broker has ended.
	end atomic.Pointer[ending]
	// beat asks for a heartbeat; wrote is the tick of the last write.
	beat  atomic.Bool
	wrote atomic.Int64
	// given and replaying are for Stats: what a stream has had, and, while it reads the log, the first
	// id that it was not given yet.
	given     tally
	replaying atomic.Int64

	// hears says that this is a stream that wants presence. news is set by the crier when there may be
	// some, telling while it is written; seen is the number of the board up to which it was.
	hears   bool
	news    atomic.Bool
	telling atomic.Bool
	seen    atomic.Int64
	called  int64 // the last cry that woke it; of the crier
	told    int64 // the last cry after which it wrote; of the reader
	// stirred is set by the crier when there are whispers that may be for this stream.
	stirred atomic.Bool

	// Of the reader:
	heard  struct{ own, rooms int64 } // up to where whispers were told: the user's own, and in rooms
	view   view
	filter Filter
	cursor int64 // examined up to here
	// behind says that the view is not valid at cursor, or the ring does not hold what follows it:
	// go on with the log.
	behind bool
}

func (s *subscriber) init(b *Broker, userID, sessionID int64, f Filter) {
	s.broker, s.sessionID, s.filter = b, sessionID, f
	s.view.userID = userID
	s.hears = !s.waiter && f.wants(models.PresenceChanged)
}

// ending is how a subscriber ends: err is ErrSessionEnded with data, or any other without.
type ending struct {
	data models.EndedData
	err  error
}

// mark flags the id and wakes the reader; it says whether the reader had no flag before.
func (s *subscriber) mark(id int64) bool {
	for {
		old := s.from.Load()
		if old != 0 && old <= id {
			return false
		}
		if s.from.CompareAndSwap(old, id) {
			if old == 0 {
				s.nudge()
			}
			return old == 0
		}
	}
}

// finish ends the subscriber; the first ending counts.
func (s *subscriber) finish(e *ending) {
	s.end.CompareAndSwap(nil, e)
	s.nudge()
}

// take clears the flag and says whether there was one, and moves the cursor over all that was
// routed and concerned others. The order matters: every event up to `routed` has set its flag
// before routed says so, hence what lies below both routed and the flag taken after it is not
// ours, or was looked at. The flag alone does not tell: a batch sets its flags in any order.
func (s *subscriber) take() bool {
	passed := s.broker.routed.Load()
	from := s.from.Swap(0)
	if from != 0 {
		passed = min(passed, from-1)
	}
	if !s.behind {
		s.cursor = max(s.cursor, passed)
	}
	return from != 0
}

// next moves the cursor over the ring up to h and stops at the first event for this reader; nil
// at h. It sets behind where the ring ends or the view cannot follow.
func (s *subscriber) next(h int64) *entry {
	for !s.behind && s.cursor < h {
		if room := s.broker.ring.roomOf(s.cursor + 1); room != noRoom && !s.view.in(room) {
			s.cursor++
			continue
		}
		e := s.broker.ring.at(s.cursor + 1)
		if e == nil {
			s.behind = true
			return nil
		}
		s.cursor = e.ID
		mine := s.view.step(&e.Event) && s.filter.Passes(&e.Event)
		// At once, not with the next event: the user may not stand under the topic of that one.
		s.behind = s.view.stale
		if mine {
			return e
		}
	}
	return nil
}

// place takes over what the log says of the user, which must hold at the cursor already. What was published
// before the user stood under its topics is found by looking: hence the flag.
func (s *subscriber) place(st models.Standing) {
	s.view.reset(st)
	s.broker.index.place(s.view.userID, st)
	s.mark(s.cursor + 1)
}

// remembered says whether the reader can go on from memory: what may be seen by it was the same at its cursor as it
// is by the log, and the ring holds what follows, or nothing follows yet.
func (s *subscriber) remembered(st models.Standing) bool {
	return s.cursor >= st.Since && (s.cursor >= s.broker.ring.head.Load() || s.broker.ring.at(s.cursor+1) != nil)
}
