package broker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"parley/broker"
	"parley/models"
)

// poll is one step of a long-poll: what came of Wait.
type poll struct {
	cursor int64
	err    error
}

// wait starts Wait with a page that was read after watch and gives its outcome.
func (w *world) wait(ctx context.Context, waiter *broker.Waiter, user, after int64) chan poll {
	page, err := w.log.Page(ctx, user, after, 10)
	if err != nil {
		w.t.Fatal(err)
	}
	came := make(chan poll, 1)
	go func() {
		cursor, err := waiter.Wait(ctx, page)
		came <- poll{cursor, err}
	}()
	return came
}

func (w *world) mustWatch(user int64, f broker.Filter) *broker.Waiter {
	w.t.Helper()
	waiter, err := w.b.Watch(user, user, f)
	if err != nil {
		w.t.Fatal(err)
	}
	return waiter
}

func TestWaiter(t *testing.T) {
	t.Parallel()
	types := broker.Filter{Types: []models.EventType{models.MessageCreated}}
	for _, tc := range []struct {
		name   string
		filter broker.Filter
		events []models.Event // the first is event 3
		want   int64          // Wait returns there; 0: it does not
	}{
		{name: "foreign", events: []models.Event{message(8), internal(), toUser(3)}},
		{name: "room", events: []models.Event{message(8), message(9)}, want: 3},
		{name: "user", events: []models.Event{toUser(2)}, want: 2},
		{name: "join", events: []models.Event{message(8), message(8), joined(8, 2)}, want: 4},
		{name: "filtered", filter: types, events: []models.Event{toUser(2), left(9, 2), message(9)}},
		{name: "passes", filter: types, events: []models.Event{toUser(2), message(9)}, want: 3},
		{name: "role", events: []models.Event{message(8), roleChanged(2, models.RoleAgent)}, want: 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := mustWorld(t, broker.Options{}, joined(9, 2), joined(7, 3))
				waiter := w.mustWatch(2, tc.filter)
				defer waiter.Close()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				came := w.wait(ctx, waiter, 2, 2)
				synctest.Wait()
				w.publish(tc.events...)
				got := <-came
				if tc.want != 0 {
					if got != (poll{tc.want, nil}) {
						t.Errorf("Wait: %+v, want %d", got, tc.want)
					}
				} else if !errors.Is(got.err, context.DeadlineExceeded) || got.cursor != w.log.head() {
					t.Errorf("Wait: %+v, want the head, %d", got, w.log.head())
				}
			})
		})
	}
}

// What comes between Watch, the page and Wait is not missed.
func TestWaiterBetween(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{RingSize: 4}, joined(9, 2))
		waiter := w.mustWatch(2, broker.Filter{})
		defer waiter.Close()
		page, _ := w.log.Page(t.Context(), 2, 1, 10)
		w.publish(message(8), message(9))
		synctest.Wait() // routed before the waiter stood under any room
		if cursor, err := waiter.Wait(t.Context(), page); cursor != 2 || err != nil {
			t.Errorf("Wait: %d, %v", cursor, err)
		}
		page, _ = w.log.Page(t.Context(), 2, 2, 10)
		for range 10 {
			w.publish(message(8)) // off the ring: only the log knows
		}
		if cursor, err := waiter.Wait(t.Context(), page); cursor != 3 || err != nil {
			t.Errorf("Wait: %d, %v", cursor, err)
		}
		page, _ = w.log.Page(t.Context(), 2, 1, 1)
		if cursor, err := waiter.Wait(t.Context(), page); cursor != page.To || err != nil {
			t.Errorf("Wait with a page below the head: %d, %v", cursor, err)
		}
		page, _ = w.log.Page(t.Context(), 2, 3, 10)
		came := make(chan error)
		go func() {
			_, err := waiter.Wait(t.Context(), page)
			came <- err
		}()
		synctest.Wait()
		w.b.EndSession(2, "logout", "")
		if err := <-came; !errors.Is(err, broker.ErrSessionEnded) {
			t.Errorf("Wait: %v", err)
		}
	})
}
