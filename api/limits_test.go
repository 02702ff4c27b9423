package api

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/models"
)

// tableRow is a line of the table of limits in the spec's description.
var tableRow = regexp.MustCompile("(?m)^    \\| (`.*) \\| (account|address|name) \\| (\\d+) \\| ([\\d.]+ m?s) \\|$")

// What people are told of the limits is what holds, and the spec has a 429 wherever one does.
func TestLimitsAreDocumented(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, l := range limits {
		want = append(want, fmt.Sprintf("%v by %v: %v, %v", l.operations, l.by, l.burst, l.every))
	}
	for _, row := range tableRow.FindAllStringSubmatch(string(specYAML), -1) {
		var operations []string
		for _, name := range regexp.MustCompile("`(.*?)`").FindAllStringSubmatch(row[1], -1) {
			operations = append(operations, name[1])
		}
		every, err := time.ParseDuration(strings.ReplaceAll(row[4], " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%v by %v: %v, %v", operations, row[2], row[3], every))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the spec's description has\n%s\nthe code\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// counting is a limiter with a clock that stands until it is moved.
func counting(t *testing.T, l limit, keys int) (take func(key string) error, advance func(time.Duration)) {
	t.Helper()
	now := time.Unix(1_700_000_000, 0)
	counter, err := newLimiter(l, keys, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	take = func(key string) error {
		ctx := context.WithValue(t.Context(), aboutKey, &about{answer: http.Header{}})
		return counter.take(ctx, key)
	}
	return take, func(d time.Duration) { now = now.Add(d) }
}

func TestLimiterGivesBackWithTime(t *testing.T) {
	t.Parallel()
	take, advance := counting(t, limit{by: byAccount, burst: 3, every: 10 * time.Second}, 10)
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
func TestLimiterForgets(t *testing.T) {
	t.Parallel()
	take, _ := counting(t, limit{by: byAccount, burst: 1, every: time.Hour}, 100)
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

// BenchmarkLimitSend is what the two limits of a send cost, beside the headers that they set.
func BenchmarkLimitSend(b *testing.B) {
	a := &about{answer: http.Header{}, address: netip.MustParseAddr("192.0.2.1")}
	a.actor.User.ID = 57
	ctx := context.WithValue(b.Context(), aboutKey, a)
	var counters []*limiter
	for _, by := range []subject{byAccount, byAddress} {
		counter, err := newLimiter(limit{by: by, burst: 1 << 30, every: time.Nanosecond}, maxKeys, time.Now)
		if err != nil {
			b.Fatal(err)
		}
		counters = append(counters, counter)
	}
	b.ReportAllocs()
	for b.Loop() {
		a.counted = false
		if err := counters[0].take(ctx, accountKey(a.actor.User.ID)); err != nil {
			b.Fatal(err)
		}
		if err := counters[1].take(ctx, addressKey(a.address)); err != nil {
			b.Fatal(err)
		}
	}
}
