package app

import (
	"context"
	"time"
)

// repetition is work that is done again and again on a goroutine of its own.
type repetition struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// repeat does the work every period, until stop is called.
func repeat(period time.Duration, work func(ctx context.Context)) *repetition {
	ctx, cancel := context.WithCancel(context.Background())
	r := &repetition{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		ticker := time.NewTicker(period)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				work(ctx)
			case <-ctx.Done():
				return
			}
		}
	}()
	return r
}

// stop ends the work and waits for it. Nil is none.
func (r *repetition) stop() {
	if r == nil {
		return
	}
	r.cancel()
	<-r.done
}
