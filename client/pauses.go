package client

import (
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// pauses are the waits between connections: from retry to twice that for the first, then doubling
// up to a maximum, each drawn at random so that clients cut at once do not return at once.
type pauses struct{ b backoff.ExponentialBackOff }

func newPauses(retry, longest time.Duration) pauses {
	p := pauses{backoff.ExponentialBackOff{
		RandomizationFactor: 1. / 3,
		Multiplier:          2,
		MaxInterval:         longest * 3 / 4, // drawn up to a third longer
	}}
	p.retry(retry)
	return p
}

// retry takes the server's wish for the least pause, within reason.
func (p *pauses) retry(d time.Duration) {
	d = min(max(d, time.Millisecond), p.b.MaxInterval*2/3)
	p.b.InitialInterval = d * 3 / 2 // drawn down to a third shorter
}

// well forgets the failures so far.
func (p *pauses) well() { p.b.Reset() }

// next is the pause after err, on top of what the server asked for.
func (p *pauses) next(err error) time.Duration {
	wait := p.b.NextBackOff()
	if e, ok := errors.AsType[*Error](err); ok {
		wait += e.RetryAfter
	}
	return wait
}
