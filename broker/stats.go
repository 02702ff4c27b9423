package broker

import "slices"

import "sync/atomic"

// Stats are the broker's numbers at one moment. Counters count from New on and never go back.
type Stats struct {
	Streams map[Format]int // open ones by format
	Waiters int            // long-polls
	Online  int            // users with an open stream

	Deliveries     int64 // events written to streams, each stream apart, without control frames
	DeliveredBytes int64 // everything that was written to streams
	Whispers       int64 // typing and read.updated written to streams, each stream apart
	Moments        int   // of these, those that are kept for streams which were perhaps not told yet

	Pages      int64 // read from the log for streams
	PageEvents int64 // events in them
	Behind     int   // streams that are reading the log now
	// Lag is how many ids behind the head the most backward stream is: a bound of the events that
	// it has still to get.
	Lag int64

	Head        int64 // the newest id published
	RingEntries int
	RingBytes   int
}

// tally counts what one stream was given. Only its owner adds, so that a delivery never waits for
// another core; Stats adds all of them up.
type tally struct{ events, bytes, whispers atomic.Int64 }

func (t *tally) add(events, bytes int) {
	t.events.Add(int64(events))
	t.bytes.Add(int64(bytes))
}

// Stats looks at every stream and every slot of the ring, which is for now and then.
func (b *Broker) Stats() Stats {
	s := Stats{
		Streams: map[Format]int{SSE: 0, NDJSON: 0},
		Pages:   b.replayed.pages.Load(), PageEvents: b.replayed.events.Load(),
	}
	b.index.stats(&s, b.ring.head.Load())
	s.RingEntries, s.RingBytes = b.ring.load()
	s.Head = b.ring.head.Load()
	s.Moments = b.whispers.count()
	return s
}

// stats adds up the streams. head was read before: who is flagged after that is not behind it.
func (x *index) stats(s *Stats, head int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	s.Deliveries, s.DeliveredBytes, s.Whispers = x.gone.events.Load(), x.gone.bytes.Load(), x.gone.whispers.Load()
	for _, a := range x.accounts {
		if slices.ContainsFunc(a.subs, func(s *subscriber) bool { return !s.waiter }) {
			s.Online++
		}
		for _, sub := range a.subs {
			if sub.waiter {
				s.Waiters++
				continue
			}
			s.Streams[sub.format]++
			s.Deliveries += sub.given.events.Load()
			s.DeliveredBytes += sub.given.bytes.Load()
			s.Whispers += sub.given.whispers.Load()
			at := sub.replaying.Load()
			if at != 0 {
				s.Behind++
			} else {
				at = sub.from.Load()
			}
			if at != 0 {
				s.Lag = max(s.Lag, head-at+1)
			}
		}
	}
}

// load is what the ring has. It walks over all slots, so that the publisher need not count.
func (r *ring) load() (entries, bytes int) {
	for i := range r.slots {
		if e := r.slots[i].Load(); e != nil {
			entries++
			bytes += e.size()
		}
	}
	return entries, bytes
}
