package broker_test

import (
	"testing"
	"testing/synctest"

	"parley/broker"
)

// The numbers follow what happens: who is there, what was written, and who is behind by how much.
func TestStats(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{RingSize: 8, PageSize: 4}, joined(9, 2), joined(9, 3))
		lines := of(2)
		lines.Format = broker.NDJSON
		two, three, ndjson := w.connect(of(2)), w.connect(of(3)), w.connectTo(lines, &recorder{t: t, format: broker.NDJSON})
		waiter, err := w.b.Watch(3, 3, broker.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s := w.b.Stats()
		if s.Streams[broker.SSE] != 2 || s.Streams[broker.NDJSON] != 1 || s.Waiters != 1 || s.Online != 2 {
			t.Errorf("streams %v, %d waiters, %d online", s.Streams, s.Waiters, s.Online)
		}
		if s.Deliveries != 0 || s.DeliveredBytes != two.bytes()+three.bytes()+ndjson.bytes() {
			t.Errorf("after ready: %d deliveries of %d bytes", s.Deliveries, s.DeliveredBytes)
		}
		w.publish(message(9), message(9))
		w.publish(message(7)) // nobody's
		synctest.Wait()
		s = w.b.Stats()
		if s.Deliveries != 6 || s.DeliveredBytes != two.bytes()+three.bytes()+ndjson.bytes() {
			t.Errorf("%d deliveries of %d bytes", s.Deliveries, s.DeliveredBytes)
		}
		if s.Head != 5 || s.RingEntries != 3 || s.RingBytes == 0 || s.Lag != 0 || s.Behind != 0 {
			t.Errorf("%+v", s)
		}
		two.stop()
		three.stop()
		ndjson.stop()
		waiter.Close()
		if end := w.b.Stats(); end.Streams[broker.SSE] != 0 || end.Streams[broker.NDJSON] != 0 || end.Waiters != 0 ||
			end.Online != 0 || end.Deliveries != s.Deliveries || end.DeliveredBytes != s.DeliveredBytes {
			t.Errorf("after all have gone: %+v", end)
		}
	})
}

// A reader that takes nothing is behind by what was published since, and is seen reading the log
// when it goes on.
func TestStatsOfAReaderThatIsBehind(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := mustWorld(t, broker.Options{RingSize: 8, PageSize: 4}, joined(9, 2))
		gate := make(chan struct{})
		c := w.connectTo(of(2), &recorder{t: t, gate: func() error { <-gate; return nil }})
		synctest.Wait()
		for range 20 {
			w.publish(message(9))
			synctest.Wait()
		}
		if s := w.b.Stats(); s.Lag != 20 || s.Behind != 0 || s.RingEntries != 8 {
			t.Errorf("while it takes nothing: %+v", s)
		}
		gate <- struct{}{} // ready
		synctest.Wait()    // the first page of four waits to be written
		if s := w.b.Stats(); s.Lag != 20 || s.Behind != 1 || s.Pages != 1 || s.PageEvents != 4 {
			t.Errorf("with its first page: %+v", s)
		}
		gate <- struct{}{}
		synctest.Wait()
		if s := w.b.Stats(); s.Lag != 16 || s.Behind != 1 || s.Pages != 2 || s.PageEvents != 8 {
			t.Errorf("with its second page: %+v", s)
		}
		close(gate)
		synctest.Wait()
		if s := w.b.Stats(); s.Lag != 0 || s.Behind != 0 || s.Pages != 3 || s.PageEvents != 12 || s.Deliveries != 20 { // the ring has the last eight
			t.Errorf("at the head: %+v", s)
		}
		c.stop()
	})
}

// bytes is the length of all that was written.
func (r *recorder) bytes() (n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.writes {
		n += int64(len(p))
	}
	return n
}
