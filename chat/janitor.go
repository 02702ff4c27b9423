package chat

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	// restShare is how many times as long as a step the janitor rests after it: so much of the writer's time
	// is the senders' at least.
	restShare = 4
	leastRest = 2 * time.Millisecond
)

// Janitor does the chores in rounds, on one goroutine.
type Janitor struct {
	chores []Chore
	every  time.Duration
	log    *slog.Logger
	cancel context.CancelFunc
	done   sync.WaitGroup
}

// StartJanitor begins with a round and makes another one after each pause. Close must follow.
func StartJanitor(chores []Chore, every time.Duration, log *slog.Logger) *Janitor {
	ctx, cancel := context.WithCancel(context.Background())
	j := &Janitor{chores: chores, every: every, log: log, cancel: cancel}
	j.done.Go(func() { j.loop(ctx) })
	return j
}

// Close breaks off what is being done and waits for it. A step that was begun is done or not, like any command.
func (j *Janitor) Close() {
	j.cancel()
	j.done.Wait()
}

func (j *Janitor) loop(ctx context.Context) {
	for {
		j.round(ctx)
		if !sleep(ctx, j.every) {
			return
		}
	}
}

// round does a step of each chore in turn until none has more to do: a long one keeps no other waiting. One
// that fails is tried again in the next round.
func (j *Janitor) round(ctx context.Context) {
	done := make([]int, len(j.chores))
	over := make([]bool, len(j.chores))
	for open := len(j.chores); open > 0; {
		for i, c := range j.chores {
			if over[i] {
				continue
			}
			n, more := j.step(ctx, c)
			if ctx.Err() != nil {
				return
			}
			done[i] += n
			if !more {
				over[i] = true
				open--
			}
		}
	}
	for i, n := range done {
		if n > 0 {
			j.log.Info(j.chores[i].Name, "rows", n)
		}
	}
}

// step does one step, and rests after it if there is more.
func (j *Janitor) step(ctx context.Context, c Chore) (done int, more bool) {
	began := time.Now()
	done, more, err := c.Step(ctx)
	if err != nil {
		if ctx.Err() == nil {
			j.log.Warn("cannot "+c.Name+", will try again", "error", err)
		}
		return done, false
	}
	return done, more && sleep(ctx, max(leastRest, restShare*time.Since(began)))
}

// sleep waits and says whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
