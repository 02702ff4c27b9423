package faults

import "testing"

// TestKills kills the server at random moments, and stops it once, with everything open, while people talk, come and go.
func TestKills(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		s := newScene(t, db, 4)
		dice := diceFor(t, "havoc")
		s.crowd()
		kills := more(6)
		stopAt := dice.IntN(kills)
		for i := range kills {
			s.must(s.rec.grow(s.ctx, 40+dice.Int64N(120)))
			if i == stopAt {
				s.server.stop()
			} else {
				s.server.kill()
			}
			s.server.start()
		}
		s.must(s.rec.grow(s.ctx, 100))
		s.verify(s.finish())
	})
}
