package faults

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// TestPrunedLog prunes the log under readers: by restarts whose janitor finds old entries, with everybody coming back at that
// moment, and while a reader is in the middle of what is pruned.
func TestPrunedLog(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		s := newScene(t, db, 3, "--retention", "1h", "--max-message-bytes", fmt.Sprint(1<<20))
		dice := diceFor(t, "pruning")
		s.crowd()
		for range more(2) {
			s.must(s.rec.grow(s.ctx, 150+dice.Int64N(100)))
			s.server.kill()
			s.age(dice.Int64N(60))
			for i, p := range s.people() { // who comes late, at the moment of the pruning
				f := p.follower([]string{"sse", "ndjson", "poll"}[i%3], "late", diceFor(t, fmt.Sprint("late ", s.rec.highest(), p.id)))
				f.pos = dice.Int64N(s.rec.highest())
				s.follow(f)
			}
			s.server.start()
			s.must(s.rec.happens(s.ctx, "resets", 1))
		}
		s.halt()
		s.pruneUnder()
		s.bustle()
		s.must(s.rec.grow(s.ctx, 50))
		s.verify(s.finish())
		if s.rec.counted("resets") == 0 {
			t.Error("nobody was reset")
		}
	})
}

// age makes all but the last entries of the log older than the retention. What is pruned then is known by the look at the log.
func (s *scene) age(spared int64) (through int64) {
	s.t.Helper()
	entries, k := s.db.log()
	s.rec.run.Log = merge(s.rec.run.Log, entries)
	through = k.head - spared
	s.db.exec("UPDATE log SET at = at - 7200000 WHERE id <= ?", through)
	return through
}

// pruneUnder prunes what a reader is in the middle of: it has begun, and takes no more until all of it is gone. The janitor comes
// once a minute.
func (s *scene) pruneUnder() {
	s.t.Helper()
	p := s.owners[0]
	from, err := p.head(s.ctx)
	s.must(err)
	for range 15 { // more than the buffers in between hold
		_, err := p.say(s.ctx, directTarget(s.outsider), p.words()+" "+noise(p.dice, 700_000))
		s.must(err)
	}
	f := s.outsider.follower("sse", "in the middle", diceFor(s.t, "in the middle"))
	f.pos, f.window = from, 4096
	begun, pruned := make(chan struct{}), make(chan struct{})
	var once sync.Once
	f.held = func() {
		once.Do(func() { close(begun) })
		select {
		case <-pruned:
		case <-s.ctx.Done():
		}
	}
	s.follow(f)
	select {
	case <-begun:
	case <-s.ctx.Done():
		s.must(context.Cause(s.ctx))
	}
	s.age(0)
	for status := 0; status != http.StatusGone; {
		a, err := p.try(s.ctx, http.MethodGet, fmt.Sprintf("/v1/events?wait=0&after=%d", p.rec.highest()-1), nil)
		s.must(err)
		if status = a.status; status != http.StatusGone {
			s.must(pause(s.ctx))
		}
	}
	resets := s.rec.counted("resets")
	close(pruned)
	s.must(s.rec.await(s.ctx, "a reset in the middle", func() bool { return s.rec.counts["resets"] > resets }))
}
