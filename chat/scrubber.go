package chat

import (
	"context"
	"log/slog"
	"time"
)

const (
	// scrubRest is how long the scrubber rests at least after each scrub, so that many deletions cost one.
	scrubRest = time.Second
	// scrubShare is how many times as long as a scrub took it rests after it, where that is longer.
	scrubShare = 20
)

// scrubber clears the database's files of single messages that were deleted, on a goroutine of its own: nobody who
// deletes waits for it, and all who deleted meanwhile share the next scrub.
type scrubber struct {
	bell  chan struct{} // one slot
	scrub func(ctx context.Context) error
	log   *slog.Logger
}

func newScrubber(scrub func(ctx context.Context) error, log *slog.Logger) *scrubber {
	return &scrubber{bell: make(chan struct{}, 1), scrub: scrub, log: log}
}

// ring says that there is something to clear away.
func (s *scrubber) ring() {
	select {
	case s.bell <- struct{}{}:
	default:
	}
}

// loop scrubs until ctx ends. What is left then goes with the end of the store, or where that does not come, with its next start.
func (s *scrubber) loop(ctx context.Context) {
	for {
		select {
		case <-s.bell:
		case <-ctx.Done():
			return
		}
		began := time.Now()
		s.once(ctx)
		if !sleep(ctx, max(scrubRest, scrubShare*time.Since(began))) {
			return
		}
	}
}

// once makes one scrub. One that fails is made again after the rest.
func (s *scrubber) once(ctx context.Context) {
	limited, cancel := context.WithTimeout(ctx, scrubLimit)
	defer cancel()
	if err := guarded(func() error { return s.scrub(limited) }); err != nil && ctx.Err() == nil {
		s.log.Warn("clear the database's files of deleted messages, will try again", "error", err)
		s.ring()
	}
}
