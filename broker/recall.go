package broker

import (
	"context"
	"fmt"

	"parley/models"
)

// Tail gives the newest entries of the log up to an id, the internal ones too, newest first.
type Tail func(ctx context.Context, through int64, limit int) ([]models.Event, error)

// Recall takes what the log has before Start's head into memory, as much as fits: those who come back after a
// start are served from there and do not read the log, each for itself, all at once. Call it between Start and the
// first Publish.
//
// These entries lack their Change. Nobody needs it: a stream begins among them only where none of them changes what
// it may see (remembered).
func (b *Broker) Recall(ctx context.Context, tail Tail) error {
	for through := b.ring.head.Load(); ; {
		events, err := tail(ctx, through, b.opt.PageSize)
		if err != nil {
			return fmt.Errorf("recall the log up to %d: %w", through, err)
		}
		for i := range events {
			if !b.ring.fill(newEntry(events[i])) {
				return nil
			}
			through = events[i].ID - 1
		}
		if len(events) < b.opt.PageSize {
			return nil
		}
	}
}
