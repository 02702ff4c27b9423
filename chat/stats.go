package chat

import "parley/models"

// Stats are the rules' numbers at one moment. Counters count from New on and never go back.
type Stats struct {
	SessionHits, SessionMisses int64 // tokens found, and not found, in memory
	Sessions                   int   // kept in memory
	Hashes                     HashStats
	Support                    models.SupportNow
}

// HashStats are the computations of password hashes.
type HashStats struct {
	Running, Slots int   // at work, and how many may be at once
	Waiting        int64 // for a slot
	Computed       int64 // begun so far
}

// Stats gives the numbers.
func (s *Service) Stats() Stats {
	return Stats{
		SessionHits: s.sessions.hits.Load(), SessionMisses: s.sessions.misses.Load(), Sessions: s.sessions.size(),
		Hashes: s.hasher.Stats(), Support: s.floorNow.read(s),
	}
}

func (c *sessionCache) size() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.byHash)
}

// Stats gives the numbers.
func (h *Hasher) Stats() HashStats {
	return HashStats{
		Running: len(h.slots), Slots: cap(h.slots), Waiting: h.waiting.Load(), Computed: h.computed.Load(),
	}
}
