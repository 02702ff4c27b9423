package faults

import (
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
		crawl := newNetwork(t, s.server.addr, `{"type":"slicer","attributes":{"average_size":1,"delay":1000000}}`)
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
				calls.become()
				streams.become()
				s.must(s.rec.grow(s.ctx, 20))
			}
		}
		s.halt()
		for _, p := range s.guests {
			p.url, p.once = s.server.url(), 0
		}
		crawl.become()
		s.verify(s.finish())
	})
}

// weathers are ways in which a network is bad. Each lasts until something has come of it.
var weathers = []func(s *scene, calls, streams *network, dice *rand.Rand) error{
	// Everything takes its time, and no two bytes the same.
	func(s *scene, calls, streams *network, _ *rand.Rand) error {
		for _, n := range []*network{calls, streams} {
			n.become(`{"type":"latency","attributes":{"latency":20,"jitter":20}}`,
				`{"type":"slicer","attributes":{"average_size":60,"size_variation":30,"delay":100}}`)
		}
		return s.rec.grow(s.ctx, 60)
	},
	// Streams are cut in the middle of a frame, calls in the middle of their answer: what was done is not known.
	func(s *scene, calls, streams *network, dice *rand.Rand) error {
		streams.become(fmt.Sprintf(`{"type":"limit_data","attributes":{"bytes":%d}}`, 700+dice.IntN(3000)))
		calls.become(fmt.Sprintf(`{"type":"limit_data","attributes":{"bytes":%d}}`, 1+dice.IntN(150)))
		return s.lost(20, 30)
	},
	// Requests are cut before they are whole.
	func(s *scene, calls, _ *network, dice *rand.Rand) error {
		calls.become(fmt.Sprintf(`{"type":"limit_data","stream":"upstream","attributes":{"bytes":%d}}`, 1+dice.IntN(350)))
		return s.lost(10, 0)
	},
	// Connections are reset a moment after the first byte.
	func(s *scene, calls, streams *network, _ *rand.Rand) error {
		streams.become(`{"type":"reset_peer","attributes":{"timeout":30}}`)
		calls.become(`{"type":"reset_peer","stream":"upstream","attributes":{"timeout":5}}`)
		return s.lost(10, 20)
	},
	// Connections are half open: one side writes, nothing arrives at the other, and nobody is told.
	func(s *scene, calls, streams *network, _ *rand.Rand) error {
		streams.become(`{"type":"timeout","attributes":{"timeout":0}}`)
		calls.become(`{"type":"timeout","attributes":{"timeout":0}}`)
		return s.lost(3, 0)
	},
	// The network is down.
	func(s *scene, calls, streams *network, _ *rand.Rand) error {
		calls.proxy.Stop()
		streams.proxy.Stop()
		return s.rec.grow(s.ctx, 60)
	},
}

// lost waits until calls and connections of streams were lost.
func (s *scene) lost(calls, streams int) error {
	calls += s.rec.counted("tries lost")
	streams += s.rec.counted("connections lost")
	return s.rec.await(s.ctx, "lost calls and connections", func() bool {
		return s.rec.counts["tries lost"] >= calls && s.rec.counts["connections lost"] >= streams
	})
}
