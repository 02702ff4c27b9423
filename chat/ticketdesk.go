package chat

import (
	"sync"
	"time"
)

// ticketDesk knows the streams of each ticket in this process.
type ticketDesk struct {
	mu   sync.Mutex
	uses map[string]*ticketUse
}

type ticketUse struct {
	taken int // streams that are open, or whose ticket is being looked at
	open  int // of these, those that were let in
	// closed is when the last open one closed, until the database has it. Who comes back in
	// between, or while the database cannot be written, still comes in time.
	closed time.Time
}

func newTicketDesk() *ticketDesk { return &ticketDesk{uses: map[string]*ticketUse{}} }

// take counts one stream more and says how many were taken before.
func (d *ticketDesk) take(hash []byte) (before int, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.uses[string(hash)]
	if u == nil {
		u = &ticketUse{}
		d.uses[string(hash)] = u
	}
	if u.taken >= TicketStreams {
		return u.taken, false
	}
	u.taken++
	return u.taken - 1, true
}

// refuse takes a stream back that was not let in.
func (d *ticketDesk) refuse(hash []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.uses[string(hash)]
	u.taken--
	d.tidy(hash, u)
}

// admit lets a stream in that was taken.
func (d *ticketDesk) admit(hash []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.uses[string(hash)]
	u.open++
	u.closed = time.Time{}
}

// leave counts a stream out that was let in, and says whether it was the last.
func (d *ticketDesk) leave(hash []byte, now time.Time) (last bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.uses[string(hash)]
	u.taken--
	if u.open--; u.open == 0 {
		u.closed = now
	}
	return u.open == 0
}

// noted says that the database has the close at that time.
func (d *ticketDesk) noted(hash []byte, closed time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if u := d.uses[string(hash)]; u != nil && u.closed.Equal(closed) {
		u.closed = time.Time{}
		d.tidy(hash, u)
	}
}

// tidy forgets a ticket that there is nothing to know of. It needs mu.
func (d *ticketDesk) tidy(hash []byte, u *ticketUse) {
	if u.taken == 0 && u.closed.IsZero() {
		delete(d.uses, string(hash))
	}
}

// state says whether a stream is open on the ticket, and else when the last one closed where only
// this desk knows it.
func (d *ticketDesk) state(hash []byte) (open bool, closed time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	u := d.uses[string(hash)]
	if u == nil {
		return false, time.Time{}
	}
	return u.open > 0, u.closed
}
