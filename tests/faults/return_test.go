package faults

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

// crowdSize is how many come back at once.
const crowdSize = 1000

// TestAllAtOnce has a thousand people come back after a kill, and after a stop, all in the same moment; each misses nothing. When all
// are gone the process is as small as it was after the first time.
func TestAllAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		s := newScene(t, db, 0)
		crowd := s.settle(crowdSize)
		s.talkAll()
		s.must(s.rec.grow(s.ctx, 20))
		for _, end := range []func(){s.server.kill, s.server.stop} {
			end()
			s.server.start()
			from := s.rec.highest()
			s.must(s.allAt(crowd, from))
			s.must(s.rec.grow(s.ctx, 10))
		}
		end := s.finish()
		first := s.afterAWave(crowd, end)
		second := s.afterAWave(crowd, end)
		if second.heap > 1.5*first.heap+(4<<20) {
			t.Errorf("after one wave of %d streams the heap has %.0f bytes, after another %.0f", crowdSize, first.heap, second.heap)
		}
		s.verify(end)
	})
}

// settle makes many guests, each with a stream from now on.
func (s *scene) settle(n int) (crowd []*follower) {
	s.t.Helper()
	crowd = make([]*follower, n)
	var all sync.WaitGroup
	next := make(chan int)
	for range 16 {
		all.Go(func() {
			for i := range next {
				p := &person{rec: s.rec, url: s.server.url(), http: s.owners[0].http}
				if err := p.enter(s.ctx, "/v1/guest", ""); err != nil {
					s.note(err)
					continue
				}
				p.dice = diceFor(s.t, p.name)
				crowd[i] = p.follower("sse", "one of many", p.dice)
			}
		})
	}
	for i := range crowd {
		next <- i
	}
	close(next)
	all.Wait()
	s.must(s.failure())
	for _, f := range crowd {
		s.follow(f)
	}
	s.opened(crowd...)
	return crowd
}

// allAt waits until everybody has come further than that.
func (s *scene) allAt(crowd []*follower, id int64) error {
	return s.rec.await(s.ctx, fmt.Sprintf("everybody to be behind %d", id), func() bool {
		for _, f := range crowd {
			if f.reached(id) {
				continue
			}
			return false
		}
		return true
	})
}

// reached looks at what was recorded. It needs the record's lock.
func (f *follower) reached(id int64) bool {
	for _, c := range slices.Backward(f.Conns) {
		if items := c.Items; len(items) > 0 {
			return items[len(items)-1].Cursor > id
		}
	}
	return false
}

// afterAWave has everybody read a part of the log once more, and gives what the server holds when they are gone.
func (s *scene) afterAWave(crowd []*follower, end int64) load {
	s.t.Helper()
	var all sync.WaitGroup
	for _, one := range crowd {
		f := one.p.follower("sse", "wave", one.dice)
		f.pos, f.until, f.End = max(0, end-50), end, end
		all.Go(func() { s.note(f.run(s.ctx)) })
	}
	all.Wait()
	s.must(s.failure())
	s.calls.CloseIdleConnections()
	s.atRest()
	return s.load()
}
