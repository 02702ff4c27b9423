package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"parley/chat"
)

// What came of a look-up in a cache.
const (
	hit  = "hit"
	miss = "miss"
)

var (
	sessionCache = counter("session_cache_lookups_total", "Look-ups of a session's token in memory.", "result")
	sessionsHeld = gauge("session_cache_entries", "Sessions kept in memory.")

	hashes       = counter("password_hashes_total", "Password hashes computed.")
	hashesAtWork = gauge("password_hashes_running", "Password hashes being computed.")
	hashSlots    = gauge("password_hashes_limit", "Password hashes that may be computed at once.")
	hashesWait   = gauge("password_hashes_waiting", "Password hashes that wait for their turn.")
)

func collectChat(ch chan<- prometheus.Metric, s chat.Stats) {
	sessionCache.is(ch, float64(s.SessionHits), hit)
	sessionCache.is(ch, float64(s.SessionMisses), miss)
	sessionsHeld.is(ch, float64(s.Sessions))
	hashes.is(ch, float64(s.Hashes.Computed))
	hashesAtWork.is(ch, float64(s.Hashes.Running))
	hashSlots.is(ch, float64(s.Hashes.Slots))
	hashesWait.is(ch, float64(s.Hashes.Waiting))
	collectSupport(ch, s.Support)
}
