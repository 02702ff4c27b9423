package api

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/throttled/throttled/v2"
	"github.com/throttled/throttled/v2/store/memstore"

	"parley/models"
)

// maxKeys is how many accounts or addresses one limit remembers, about 16 MB when full. Who was not seen
// for longest is forgotten first, which only gives them their burst back.
const maxKeys = 1 << 16

// maxSwaps is how often a count is tried again that another request changed meanwhile. One of those
// who try always succeeds, so this many in a row do not happen.
const maxSwaps = 1000

// limiter counts for one limit.
type limiter struct {
	by   subject
	rate *throttled.GCRARateLimiterCtx
}

func newLimiter(l limit, keys int, clock func() time.Time) (*limiter, error) {
	store, err := memstore.New(keys)
	if err != nil {
		return nil, fmt.Errorf("make its store: %w", err)
	}
	store.SetTimeNow(steady(clock))
	rate, err := throttled.NewGCRARateLimiterCtx(throttled.WrapStoreWithContext(store), throttled.RateQuota{
		MaxRate: throttled.PerDuration(1, l.every), MaxBurst: l.burst - 1,
	})
	if err != nil {
		return nil, fmt.Errorf("make its rate: %w", err)
	}
	rate.SetMaxCASAttemptsLimit(maxSwaps)
	return &limiter{by: l.by, rate: rate}, nil
}

// steady makes a clock go on where the machine's is set back: a limit would last that much longer.
func steady(clock func() time.Time) func() time.Time {
	start := clock()
	return func() time.Time { return start.Add(clock().Sub(start)) }
}

// take counts one call and refuses the one too many. The answer's headers tell where the caller
// stands, by the limit of which least is left.
func (l *limiter) take(ctx context.Context, key string) error {
	limited, r, err := l.rate.RateLimitCtx(ctx, key, 1)
	if err != nil {
		return fmt.Errorf("count a request: %w", err)
	}
	if limited {
		return &models.Error{
			Code: models.CodeRateLimited, RetryAfter: r.RetryAfter, Limit: r.Limit, Reset: r.ResetAfter,
			Detail: fmt.Sprintf("too many calls of this kind by this %s: try again in %d s", l.by, seconds(r.RetryAfter)),
		}
	}
	a := aboutOf(ctx)
	if !a.counted || r.Remaining < a.remaining {
		a.counted, a.remaining = true, r.Remaining
		setRateLimit(a.answer, r.Limit, r.Remaining, r.ResetAfter)
	}
	return nil
}

func setRateLimit(h http.Header, limit, remaining int, reset time.Duration) {
	h["Ratelimit-Limit"] = []string{strconv.Itoa(limit)}
	h["Ratelimit-Remaining"] = []string{strconv.Itoa(remaining)}
	h["Ratelimit-Reset"] = []string{strconv.Itoa(seconds(reset))}
}

// seconds rounds up: who comes after so many is not too early.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// limit counts the call by account and by address, before its body is read and before any work.
func (s *server) limit(c *gin.Context) {
	ctx := c.Request.Context()
	a := aboutOf(ctx)
	for _, l := range operationOf(c).limits {
		key := addressKey(a.address)
		if l.by == byAccount {
			key = accountKey(a.actor.User.ID)
		}
		if err := l.take(ctx, key); err != nil {
			s.refuse(c, err)
			return
		}
	}
}

func accountKey(id int64) string {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(id))
	return string(b[:])
}

// addressKey is an IPv4 address, or the /64 of an IPv6 one: that much a single customer has.
func addressKey(a netip.Addr) string {
	if !a.Is6() {
		return string(a.AsSlice())
	}
	b := a.As16()
	return string(b[:8])
}
