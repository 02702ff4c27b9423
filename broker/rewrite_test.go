package broker_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"parley/broker"
	"parley/models"
)

// rewrite changes an entry of the log, as a deletion does, and tells the broker.
func (w *world) rewrite(ids ...int64) {
	w.log.mu.Lock()
	for _, id := range ids {
		e := &w.log.events[id-1]
		if err := e.Encode(map[string]string{"text": ""}); err != nil {
			w.t.Error(err)
		}
	}
	w.log.mu.Unlock()
	e := internal()
	e.Change = models.Change{Kind: models.EntriesGone, EventIDs: ids}
	w.publish(e)
}

// What a slow reader has not read yet when it is rewritten, it gets as it was rewritten: it is not in
// memory any more. Everything comes once, in order.
func TestRewrittenEntriesAreEvicted(t *testing.T) {
	t.Parallel()
	for _, format := range []broker.Format{broker.SSE, broker.NDJSON} {
		synctest.Test(t, func(t *testing.T) {
			w := mustWorld(t, broker.Options{}, joined(9, 2))
			open := make(chan struct{}, 100)
			sub := of(2)
			sub.Format = format
			slow := w.connectTo(sub, &recorder{t: t, format: format, gate: func() error { <-open; return nil }})
			synctest.Wait() // at ready
			for range 20 {
				e := message(9)
				e.ID, e.At = w.log.head()+1, models.At(w.log.events[0].At.Time)
				if err := e.Encode(map[string]string{"text": "secret"}); err != nil {
					t.Fatal(err)
				}
				w.publish(e)
			}
			w.rewrite(3, 4, 5, 12, 21)
			w.publish(message(9))
			close(open)
			synctest.Wait()
			want := "2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 23"
			if got := slow.story(); !strings.HasSuffix(got, want) || strings.Count(got, " ") != strings.Count(want, " ")+1 {
				t.Errorf("it got %s", got)
			}
			for _, f := range slow.got() {
				gone := f.ID >= 3 && f.ID <= 5 || f.ID == 12 || f.ID == 21
				if was := strings.Contains(string(f.Data), "secret"); was == gone && f.ID > 1 && f.ID < 22 {
					t.Errorf("event %d came as %s", f.ID, f.Data)
				}
			}
			slow.stop()
		})
	}
}

// What is let go of does not count for the ring's size any more, and letting go twice is no harm.
func TestEvictionFreesMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{RingSize: 64, RingBytes: 6000}, joined(9, 2))
		c := w.connect(of(2))
		synctest.Wait()
		for range 40 {
			first := w.publish(message(9), message(9), message(9))
			w.rewrite(first, first+1, first, 1)
			w.rewrite(first)
			synctest.Wait()
		}
		read := w.log.pages.Load()
		for range 8 {
			w.publish(message(9))
			synctest.Wait()
		}
		if got := w.log.pages.Load(); got != read {
			t.Errorf("the ring holds nothing any more: %d pages were read", got-read)
		}
		if got := len(c.ids()); got != 40*3+8 {
			t.Errorf("%d events came", got)
		}
		c.stop()
	})
}
