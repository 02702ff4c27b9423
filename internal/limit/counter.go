package limit

import (
	"context"
	"fmt"
	"time"

	"github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/memstore"

	"parley/models"
)

// maxKeys is how many accounts or addresses one limit remembers, about 16 MB when full. Who was not seen
// for longest is forgotten first, which only gives them their burst back.
const maxKeys = 1 << 16

// maxSwaps is how often a count is tried again that another call changed meanwhile. One of those
// who try always succeeds, so this many in a row do not happen.
const maxSwaps = 1000

// Counter counts for one limit. It is safe for concurrent use.
type Counter struct {
	Limit
	rate *throttled.GCRARateLimiterCtx
}

// Standing is where somebody stands with a limit.
type Standing struct {
	Limit, Remaining int
	Reset            time.Duration // until all of it is there again
}

func newCounter(l Limit, keys int, clock func() time.Time) (*Counter, error) {
	store, err := memstore.New(keys)
	if err != nil {
		return nil, fmt.Errorf("make its store: %w", err)
	}
	store.SetTimeNow(steady(clock))
	rate, err := throttled.NewGCRARateLimiterCtx(throttled.WrapStoreWithContext(store), throttled.RateQuota{
		MaxRate: throttled.PerDuration(1, l.Every), MaxBurst: l.Burst - 1,
	})
	if err != nil {
		return nil, fmt.Errorf("make its rate: %w", err)
	}
	rate.SetMaxCASAttemptsLimit(maxSwaps)
	return &Counter{Limit: l, rate: rate}, nil
}

// steady makes a clock go on where the machine's is set back: a limit would last that much longer.
func steady(clock func() time.Time) func() time.Time {
	start := clock()
	return func() time.Time { return start.Add(clock().Sub(start)) }
}

// Take counts one call and refuses the one too many.
func (c *Counter) Take(ctx context.Context, w Who) (Standing, error) { return c.take(ctx, w.key(c.By)) }

func (c *Counter) take(ctx context.Context, key string) (Standing, error) {
	limited, r, err := c.rate.RateLimitCtx(ctx, key, 1)
	if err != nil {
		return Standing{}, fmt.Errorf("count a call: %w", err)
	}
	at := Standing{Limit: r.Limit, Remaining: r.Remaining, Reset: r.ResetAfter}
	if !limited {
		return at, nil
	}
	return at, &models.Error{
		Code: models.CodeRateLimited, RetryAfter: r.RetryAfter, Limit: r.Limit, Reset: r.ResetAfter,
		Detail: fmt.Sprintf("too many calls of this kind by this %s: try again in %d s", c.By, Seconds(r.RetryAfter)),
	}
}

// Seconds rounds up: who comes after so many is not too early.
func Seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }
