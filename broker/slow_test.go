package broker_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"parley/broker"
	"parley/models"
)

// One that reads nothing holds up neither the publisher nor the others; when it reads again, it
// gets everything from the log and then is live.
func TestStalledReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{RingSize: 8, PageSize: 10}, joined(9, 2), joined(9, 3))
		open := make(chan struct{})
		stalled := w.connectTo(of(2), &recorder{t: t, gate: func() error { <-open; return nil }})
		quick := w.connect(of(3))
		synctest.Wait()
		for range 100 {
			w.publish(message(9)) // would deadlock the bubble if it waited
			synctest.Wait()
		}
		if got := len(quick.ids()); got != 100 {
			t.Errorf("the other one got %d events", got)
		}
		if w.log.pages.Load() != 0 {
			t.Error("the log was read for one that takes nothing")
		}
		close(open)
		synctest.Wait()
		if got := w.log.pages.Load(); got != 10 {
			t.Errorf("%d pages were read", got)
		}
		w.publish(message(9))
		synctest.Wait()
		if got := w.log.pages.Load(); got != 10 {
			t.Error("it did not come back to live")
		}
		if got, want := stalled.ids(), quick.ids(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", got, want)
		}
		stalled.stop()
		quick.stop()
	})
}

// No more than LagReaders read the log at once, and no place is held during a write.
func TestLagReaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{LagReaders: 2, PageSize: 1}, joined(9, 2), message(9), message(9))
		var now, most atomic.Int64
		reading := make(chan struct{})
		w.log.onPage = func() {
			most.Store(max(most.Load(), now.Add(1)))
			<-reading
			now.Add(-1)
		}
		writing := make(chan struct{})
		var clients []*client
		for range 6 {
			sub := of(2)
			sub.Cursor = new(int64(1))
			r := &recorder{t: t}
			r.gate = func() error {
				if len(r.got()) > 0 { // all but ready
					<-writing
				}
				return nil
			}
			clients = append(clients, w.connectTo(sub, r))
		}
		synctest.Wait()
		if now.Load() != 2 {
			t.Errorf("%d read at once", now.Load())
		}
		close(reading)
		synctest.Wait() // all are writing their first event
		if got := w.log.pages.Load(); got != 6 {
			t.Errorf("%d of 6 got to read while others write", got)
		}
		close(writing)
		synctest.Wait()
		for _, c := range clients {
			c.expect("ready@1 2 3")
			c.stop()
		}
		if most.Load() > 2 {
			t.Errorf("%d read at once", most.Load())
		}
	})
}

// A page of great events is cut: the rest is read again, in pages of the size that fits.
func TestPageBytes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var before []models.Event
		before = append(before, joined(9, 2))
		for i := range 40 {
			e := message(9)
			e.JSON = fmt.Appendf(nil, `{"id":%d,"type":"message.created","data":%q}`, i+2, strings.Repeat("x", 15000))
			before = append(before, e)
		}
		w := mustWorld(t, broker.Options{}, before...)
		sub := of(2)
		sub.Cursor = new(int64(1))
		c := w.connect(sub)
		synctest.Wait()
		if got := len(c.ids()); got != 40 {
			t.Errorf("got %d events", got)
		}
		c.checkCursors(t)
		if got := w.log.pages.Load(); got < 10 || got > 20 {
			t.Errorf("%d pages for 600 kB", got)
		}
		c.stop()
	})
}
