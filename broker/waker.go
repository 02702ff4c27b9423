package broker

import (
	"sync"
	"time"

	"parley/models"
)

// Pacing: after many were woken the waker lets them write for a while, so that what comes
// meanwhile is gathered into one write each. It brings more than anything else in bursts.
const (
	paceAbove = 64
	pacePer   = 5 * time.Microsecond
	paceMost  = 20 * time.Millisecond
)

// notes are what the waker has to act on: the first new id of each topic, and the changes
// in the order in which they were published.
type notes struct {
	topics  map[models.Audience]int64
	changes []change
	head    int64 // the last id noted, 0 for none
}

// change is a models.Change with the id of its event.
type change struct {
	models.Change
	id    int64
	ended models.EndedData // with SessionGone
}

// notebook passes notes from the publisher to the waker, which swaps two of them.
type notebook struct {
	mu   sync.Mutex // held for the writing of a few words; never while anybody is woken
	now  *notes
	bell chan struct{} // one slot
}

func (n *notebook) init() {
	n.now = newNotes()
	n.bell = make(chan struct{}, 1)
}

func newNotes() *notes { return &notes{topics: make(map[models.Audience]int64)} }

func (n *notebook) note(events []models.Event) {
	n.mu.Lock()
	for i := range events {
		n.now.add(&events[i])
	}
	n.mu.Unlock()
	n.ring()
}

func (n *notes) add(e *models.Event) {
	if e.Audience.Kind != models.ToNone {
		if _, ok := n.topics[e.Audience]; !ok {
			n.topics[e.Audience] = e.ID
		}
	}
	if e.Change.Kind != models.NoChange {
		n.changes = append(n.changes, change{
			Change: e.Change, id: e.ID, ended: models.EndedData{Reason: e.Change.Reason, Detail: e.Change.Detail},
		})
	}
	n.head = max(n.head, e.ID)
}

// clear empties n for its next use.
func (n *notes) clear() *notes {
	clear(n.topics)
	clear(n.changes)
	n.changes, n.head = n.changes[:0], 0
	return n
}

// end notes the end of a session behind everything published so far.
func (n *notebook) end(sessionID int64, data models.EndedData) {
	n.mu.Lock()
	n.now.changes = append(n.now.changes, change{
		Change: models.Change{Kind: models.SessionGone, SessionID: sessionID}, ended: data,
	})
	n.mu.Unlock()
	n.ring()
}

func (n *notebook) ring() {
	select {
	case n.bell <- struct{}{}:
	default:
	}
}

// swap gives what was noted and takes an empty one instead.
func (n *notebook) swap(empty *notes) *notes {
	n.mu.Lock()
	defer n.mu.Unlock()
	full := n.now
	n.now = empty
	return full
}

// wakeLoop is the waker: one goroutine off the publish path.
func (b *Broker) wakeLoop() {
	spare := newNotes()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-b.dirty.bell:
		case <-b.stop:
			return
		}
		began := time.Now()
		full := b.dirty.swap(spare)
		woken := b.wakeAll(full)
		spare = full.clear()
		if woken >= paceAbove {
			b.pause(timer, pace(woken)-time.Since(began))
		}
	}
}

// wakeAll flags all whom the notes concern and only then says that they are routed.
func (b *Broker) wakeAll(n *notes) int {
	woken := b.index.route(n)
	if n.head > 0 {
		b.routed.Store(n.head)
	}
	return woken
}

func pace(woken int) time.Duration {
	return min(pacePer*time.Duration(woken), paceMost)
}

func (b *Broker) pause(timer *time.Timer, d time.Duration) {
	if d <= 0 {
		return
	}
	timer.Reset(d)
	select {
	case <-timer.C:
	case <-b.stop:
	}
}
