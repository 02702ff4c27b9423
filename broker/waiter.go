package broker

import (
	"context"
	"sync"

	"parley/models"
)

// Waiter waits for the user's next event on behalf of a long-poll. It writes nothing: what
// has come is read from the log. First Watch, then read a page, then Wait with that page:
// nothing falls between.
type Waiter struct {
	subscriber
	bell    bell
	release sync.Once
}

// Watch registers a waiter, to be closed by the caller. It answers ErrTooManyStreams or ErrClosed.
func (b *Broker) Watch(userID, sessionID int64, f Filter) (*Waiter, error) {
	w := &Waiter{bell: newBell()}
	w.waiter, w.host = true, w.bell
	w.init(b, userID, sessionID, f)
	if err := b.index.attach(&w.subscriber); err != nil {
		return nil, err
	}
	return w, nil
}

// Arrive says that the poll is a good one, with what the log says of its user: from now on it counts as
// presence. It may be called again.
func (w *Waiter) Arrive(st models.Standing) {
	if w.arrived {
		return
	}
	w.broker.index.place(w.view.userID, st)
	w.arrive()
}

// Wait returns when there may be something after page for the user that passes the filter: read
// the log from cursor on and, if there is nothing, Wait with the new page. page was read after
// Watch; where it does not reach the head, Wait returns at once.
//
// cursor is never below page.To: between the two is nothing for this user and filter, so that a
// long-poll that comes back empty moves on all the same. It is good whatever the error:
// ctx's, ErrSessionEnded or ErrClosed.
func (w *Waiter) Wait(ctx context.Context, page models.LogPage) (cursor int64, err error) {
	if page.To < page.Head {
		return page.To, nil
	}
	w.cursor, w.behind = page.Head, false
	w.place(page.Standing)
	for {
		w.begin()
		if end := w.end.Load(); end != nil {
			return w.cursor, end.err
		}
		if cursor, came := w.look(); came {
			return cursor, nil
		}
		if !w.rest() {
			continue
		}
		select {
		case <-w.bell:
		case <-ctx.Done():
			cursor, _ := w.look() // for the cursor: what was routed meanwhile concerned others
			return cursor, ctx.Err()
		}
	}
}

// look examines the ring; what it cannot tell from there counts as come.
func (w *Waiter) look() (cursor int64, came bool) {
	if !w.take() {
		return w.cursor, false
	}
	// The head is read after the flag was taken; see Stream.advance.
	if e := w.next(w.broker.ring.head.Load()); e != nil {
		return e.ID - 1, true
	}
	return w.cursor, w.behind
}

// Close releases the waiter.
func (w *Waiter) Close() {
	w.release.Do(w.leave)
}
