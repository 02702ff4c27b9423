package limit

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"parley/models"
)

// counting is a counter with a clock that stands until it is moved.
func counting(t *testing.T, l Limit, keys int) (take func(key string) error, advance func(time.Duration)) {
	t.Helper()
	now := time.Unix(1_700_000_000, 0)
	counter, err := newCounter(l, keys, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	take = func(key string) error {
		_, err := counter.take(t.Context(), key)
		return err
	}
	return take, func(d time.Duration) { now = now.Add(d) }
}

func TestCounterGivesBackWithTime(t *testing.T) {
	t.Parallel()
	take, advance := counting(t, Limit{By: ByAccount, Burst: 3, Every: 10 * time.Second}, 10)
	for range 3 {
		if err := take("ann"); err != nil {
			t.Fatal(err)
		}
	}
	for wait := 10 * time.Second; wait > 0; wait -= 2500 * time.Millisecond {
		e, ok := take("ann").(*models.Error)
		if !ok || e.Code != models.CodeRateLimited || e.RetryAfter != wait || e.Limit != 3 || e.Reset != wait+20*time.Second {
			t.Fatalf("%v before one is given back: %+v", wait, e)
		}
		advance(2500 * time.Millisecond)
	}
	if err := take("ann"); err != nil {
		t.Error(err)
	}
	if take("ann") == nil {
		t.Error("two for one interval")
	}
}

// Memory is bounded: who was not seen for longest is forgotten, and stands as at first.
func TestCounterForgets(t *testing.T) {
	t.Parallel()
	take, _ := counting(t, Limit{By: ByAccount, Burst: 1, Every: time.Hour}, 100)
	for i := range 101 {
		if err := take(fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := take("0"); err != nil {
		t.Errorf("the oldest of 101 is remembered by 100: %v", err)
	}
	if take("100") == nil {
		t.Error("the newest is forgotten")
	}
}

func TestAddressKey(t *testing.T) {
	t.Parallel()
	same := func(a, b string) bool {
		return addressKey(netip.MustParseAddr(a)) == addressKey(netip.MustParseAddr(b))
	}
	if !same("2001:db8::1", "2001:db8::ffff:1:2:3") || same("2001:db8::1", "2001:db8:0:1::1") {
		t.Error("an IPv6 address does not count by its /64")
	}
	if same("192.0.2.1", "192.0.2.2") || !same("192.0.2.1", "192.0.2.1") {
		t.Error("an IPv4 address does not count by itself")
	}
	_ = addressKey(netip.Addr{}) // of nobody knows whom: counted together
}

// The waiting goes on when the limit gives something back, and ends with its ctx.
func TestWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := New(time.Now)
		if err != nil {
			t.Fatal(err)
		}
		who := Who{Account: 57, Address: netip.MustParseAddr("192.0.2.1")}
		began := time.Now()
		for range 52 {
			if err := s.Wait(t.Context(), "send", who); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took != 400*time.Millisecond {
			t.Errorf("52 took %s", took)
		}
		if err := s.Wait(t.Context(), "send", Who{Account: 58, Address: who.Address}); err != nil || time.Since(began) != 400*time.Millisecond {
			t.Errorf("another account waited: %v", err)
		}
		if s.Take(t.Context(), "send", who) == nil {
			t.Error("one too many was not refused")
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Millisecond, cancel)
		if err := s.Wait(ctx, "send", who); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
		var none *Set
		if none.Wait(t.Context(), "send", who) != nil || none.Take(t.Context(), "send", who) != nil || none.Guesses() != nil {
			t.Error("no limits refuse something")
		}
	})
}

// BenchmarkSend is what the two limits of a send cost.
func BenchmarkSend(b *testing.B) {
	who := Who{Account: 57, Address: netip.MustParseAddr("192.0.2.1")}
	var counters []*Counter
	for _, by := range []Subject{ByAccount, ByAddress} {
		counter, err := newCounter(Limit{By: by, Burst: 1 << 30, Every: time.Nanosecond}, maxKeys, time.Now)
		if err != nil {
			b.Fatal(err)
		}
		counters = append(counters, counter)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, c := range counters {
			if _, err := c.Take(b.Context(), who); err != nil {
				b.Fatal(err)
			}
		}
	}
}
