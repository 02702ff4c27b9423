package gateway

import (
	"context"
	"time"
)

// pace lets burst things through at once, and then one in each every. It belongs to one goroutine; nil lets all through.
type pace struct {
	every time.Duration
	ahead time.Duration // how far the next one may be before its time
	next  time.Time     // when the next one is due
}

func newPace(burst int, every time.Duration) *pace {
	return &pace{every: every, ahead: time.Duration(burst-1) * every}
}

// wait counts one, and returns when it may go on; the error is ctx's.
func (p *pace) wait(ctx context.Context) error {
	if p == nil {
		return ctx.Err()
	}
	now := time.Now()
	if p.next.Before(now) {
		p.next = now
	}
	early := p.next.Sub(now) - p.ahead
	p.next = p.next.Add(p.every)
	return pause(ctx, early)
}

// pause waits; the error is ctx's.
func pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
