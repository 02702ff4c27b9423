package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"parley/models"
)

const (
	// touchBatch and touchPause spread the notes of last uses: when thousands come back at once, each
	// transaction that a message waits for has a few of them at most.
	touchBatch = 16
	touchPause = 50 * time.Millisecond
	// touchLag is more than such a note ever waits: the time in which tens of thousands are written.
	touchLag = time.Minute
	// touchTimeout bounds the last notes, when the server stops.
	touchTimeout = 5 * time.Second
)

// toucher writes down when sessions were used last, off the requests that used them: nobody waits for
// it, and what fails is noted with a later use. It holds one moment for each session, so that it is
// bounded by their number.
type toucher struct {
	store Store
	log   *slog.Logger

	mu   sync.Mutex
	uses map[int64]time.Time
	bell chan struct{} // one slot
}

func newToucher(store Store, log *slog.Logger) *toucher {
	return &toucher{store: store, log: log, uses: map[int64]time.Time{}, bell: make(chan struct{}, 1)}
}

// note has the use written down soon.
func (t *toucher) note(sessionID int64, at time.Time) {
	t.mu.Lock()
	if at.After(t.uses[sessionID]) {
		t.uses[sessionID] = at
	}
	t.mu.Unlock()
	select {
	case t.bell <- struct{}{}:
	default:
	}
}

// take gives some that wait.
func (t *toucher) take(most int) map[int64]time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	some := make(map[int64]time.Time, min(most, len(t.uses)))
	for id, at := range t.uses {
		if len(some) == most {
			break
		}
		some[id] = at
		delete(t.uses, id)
	}
	return some
}

// loop writes until stop, and then what is left.
func (t *toucher) loop(stop <-chan struct{}) {
	for {
		select {
		case <-t.bell:
		case <-stop:
			t.finish()
			return
		}
		for some := t.take(touchBatch); len(some) > 0; some = t.take(touchBatch) {
			t.save(context.Background(), some)
			select {
			case <-time.After(touchPause):
			case <-stop:
				t.finish()
				return
			}
		}
	}
}

func (t *toucher) finish() {
	ctx, cancel := context.WithTimeout(context.Background(), touchTimeout)
	defer cancel()
	for some := t.take(16 * touchBatch); len(some) > 0 && ctx.Err() == nil; some = t.take(16 * touchBatch) {
		t.save(ctx, some)
	}
}

func (t *toucher) save(ctx context.Context, uses map[int64]time.Time) {
	err := t.store.Do(ctx, func(tx Tx) error {
		for id, at := range uses {
			err := tx.TouchSession(id, models.At(at), slideTo(at))
			if err != nil && !errors.Is(err, ErrNotFound) { // it may have ended
				return fmt.Errorf("touch session %d: %w", id, err)
			}
		}
		return nil
	})
	if err != nil {
		t.log.Warn("write last uses of sessions", "error", err)
	}
}
