package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestBadNetwork has the guests call, and everybody read, over networks that become bad in one way after the other.
func TestBadNetwork(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		s := newScene(t, db, 5)
		calls, streams := newNetwork(t, s.server.addr), newNetwork(t, s.server.addr)
		crawl := newNetwork(t, s.server.addr)
		crawl.worsen(`{"type":"slicer","attributes":{"average_size":1,"delay":1000000}}`)
		for _, p := range s.guests {
			p.url, p.once = calls.url(), 5*time.Second
		}
		s.streams = streams.url()
		s.crowd()
		// A reader at a byte a second is nobody's burden, and misses nothing either.
		slow := s.guests[0].follower("sse", "crawling", diceFor(t, "crawling"))
		slow.url, slow.pos = crawl.url(), 0
		s.follow(slow)
		dice := diceFor(t, "weather")
		for range more(1) {
			for _, i := range dice.Perm(len(weathers)) {
				s.must(weathers[i](s, calls, streams, dice))
				calls.mend()
				streams.mend()
				s.must(s.rec.grow(s.ctx, 20))
			}
		}
		s.halt()
		for _, p := range s.guests {
			p.url, p.once = s.server.url(), 0
		}
		before := len(slow.Conns)
		crawl.mend()
		crawl.cut()
		end := s.finish()
		if before > 1 {
			t.Logf("the crawling reader made %d connections", before)
		}
		s.verify(end)
	})
}

// weathers are ways in which a network is bad. Each lasts until something has come of it.
var weathers = []func(s *scene, calls, streams *network, dice *rand.Rand) error{
	// Everything takes its time, and no two bytes the same.
	func(s *scene, calls, streams *network, _ *rand.Rand) error {
		for _, n := range []*network{calls, streams} {
			n.worsen(`{"type":"latency","attributes":{"latency":20,"jitter":20}}`)
			n.worsen(`{"type":"slicer","attributes":{"average_size":60,"size_variation":30,"delay":100}}`)
		}
		return s.rec.grow(s.ctx, 80)
	},
	// Streams are cut in the middle of a frame, calls in the middle of their answer: what was done is not known.
	func(s *scene, calls, streams *network, dice *rand.Rand) error {
		streams.worsen(fmt.Sprintf(`{"type":"limit_data","attributes":{"bytes":%d}}`, 700+dice.IntN(3000)))
		calls.worsen(fmt.Sprintf(`{"type":"limit_data","attributes":{"bytes":%d}}`, 1+dice.IntN(150)))
		calls.cut()
		streams.cut()
		return both(s.ctx, s.rec, 20, 30)
	},
	// Requests are cut before they are whole.
	func(s *scene, calls, _ *network, dice *rand.Rand) error {
		calls.worsen(fmt.Sprintf(`{"type":"limit_data","stream":"upstream","attributes":{"bytes":%d}}`, 1+dice.IntN(350)))
		calls.cut()
		return s.rec.happens(s.ctx, "tries lost", 10)
	},
	// Connections are reset a moment after the first byte.
	func(s *scene, calls, streams *network, _ *rand.Rand) error {
		streams.worsen(`{"type":"reset_peer","attributes":{"timeout":30}}`)
		calls.worsen(`{"type":"reset_peer","stream":"upstream","attributes":{"timeout":5}}`)
		calls.cut()
		streams.cut()
		return both(s.ctx, s.rec, 10, 20)
	},
	// Connections are half open: one side writes, nothing arrives at the other, and nobody is told.
	func(s *scene, calls, streams *network, _ *rand.Rand) error {
		streams.worsen(`{"type":"timeout","attributes":{"timeout":0}}`)
		calls.worsen(`{"type":"timeout","attributes":{"timeout":0}}`)
		err := s.rec.happens(s.ctx, "tries lost", 5)
		calls.cut()
		streams.cut()
		return err
	},
	// The network is down.
	func(s *scene, calls, streams *network, _ *rand.Rand) error {
		calls.proxy.Stop()
		streams.proxy.Stop()
		err := s.rec.grow(s.ctx, 80)
		calls.start()
		streams.start()
		return err
	},
}

// both waits until calls and connections of streams were lost.
func both(ctx context.Context, rec *record, calls, streams int) error {
	calls += rec.counted("tries lost")
	streams += rec.counted("connections lost")
	return rec.await(ctx, "lost calls and connections", func() bool {
		return rec.counts["tries lost"] >= calls && rec.counts["connections lost"] >= streams
	})
}
