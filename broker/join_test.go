package broker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"parley/broker"
	"parley/models"
)

// Whatever is published around the snapshot that a stream starts from comes exactly once. The
// snapshot's head is event 4, published while the user is registered already.
func TestJoinRaces(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name          string
		before, after []models.Event // published right before and after the snapshot
		want          string
	}{
		{"messages", []models.Event{message(9)}, []models.Event{message(9)}, "ready@4 5 7"},
		{"join before", []models.Event{joined(8, 2)}, []models.Event{message(8)}, "ready@4 5 6 7"},
		{"join after", []models.Event{message(8)}, []models.Event{joined(8, 2), message(8)}, "ready@4 5 6 7 8"},
		{"leave before", []models.Event{left(9, 2)}, []models.Event{message(9)}, "ready@4 7"},
		{"leave after", []models.Event{message(9)}, []models.Event{left(9, 2), message(9)}, "ready@4 5 8"},
		{"deleted after", []models.Event{message(9)}, []models.Event{roomDeleted(9), message(9)}, "ready@4 5 8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := mustWorld(t, broker.Options{}, joined(9, 2), joined(7, 3), message(9))
				w.log.onStanding = func(before bool) {
					batch := tc.after
					if before {
						batch = tc.before
					}
					w.publish(batch...)
					synctest.Wait() // the waker has routed it
				}
				c := w.connect(of(2))
				w.log.onStanding = nil
				w.publish(message(8), toUser(2))
				synctest.Wait()
				c.expect(tc.want)
				c.stop()
			})
		})
	}
}

func TestAlive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{MaxStreamsPerSession: 1}, joined(9, 2))
		dead := errors.New("unauthorized")
		sub := of(2)
		sub.Alive = func(context.Context) error { return dead }
		if _, err := w.b.Subscribe(t.Context(), sub); !errors.Is(err, dead) {
			t.Errorf("Subscribe: %v", err)
		}
		// A session that ends while it is asked for is found by its end.
		sub.Alive = func(context.Context) error {
			w.publish(sessionGone(2, "logout"))
			synctest.Wait()
			return nil
		}
		c := w.connect(sub)
		<-c.done
		c.expect(`ready@2 session.ended{"reason":"logout"}`)
	})
}
