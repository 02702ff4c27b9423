package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A histogram's answers are at most 1/32 above the true ones, and never below.
func TestHistogram(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var whole, part histogram
	var times []time.Duration
	for range 20_000 {
		d := time.Duration(math.Exp(random.Float64()*20)) * time.Microsecond
		times = append(times, d)
		if len(times)%3 == 0 {
			part.add(d)
		} else {
			whole.add(d)
		}
	}
	whole.merge(&part)
	slices.Sort(times)
	if whole.total != len(times) || whole.longest != times[len(times)-1] {
		t.Fatalf("%d times up to %v, want %d up to %v", whole.total, whole.longest, len(times), times[len(times)-1])
	}
	for _, p := range []float64{0.001, 0.25, 0.5, 0.95, 0.99, 0.999, 1} {
		want := times[int(math.Ceil(p*float64(len(times))))-1]
		if got := whole.at(p); got < want || got > want+want/32+time.Microsecond {
			t.Errorf("%g of all: %v, want %v", p, got, want)
		}
	}
}

func TestHistogramOfFew(t *testing.T) {
	t.Parallel()
	var h histogram
	if h.at(0.5) != 0 || h.at(1) != 0 {
		t.Errorf("of nothing: %v, %v", h.at(0.5), h.at(1))
	}
	h.add(-time.Second) // a clock that was put back
	h.add(3 * time.Millisecond)
	if low, high := h.at(0.5), h.at(0.99); low > time.Microsecond || high != 3*time.Millisecond {
		t.Errorf("%v and %v", low, high)
	}
}

// No two buckets overlap, and none is missing between them.
func TestBuckets(t *testing.T) {
	t.Parallel()
	for bucket, from := 0, uint64(0); bucket < 1000; bucket++ {
		end := bucketEnd(bucket)
		if end < from || bucketOf(from) != bucket || bucketOf(end) != bucket || bucketOf(end+1) != bucket+1 {
			t.Fatalf("bucket %d: from %d to %d", bucket, from, end)
		}
		from = end + 1
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []float64
		want   spread
	}{
		{nil, spread{}},
		{[]float64{7}, spread{7, 7, 7}},
		{[]float64{3, 1}, spread{2, 1, 3}},
		{[]float64{9, 1, 2}, spread{2, 1, 9}},
	} {
		if got := spreadOf(tt.values); got != tt.want {
			t.Errorf("%v: %+v, want %+v", tt.values, got, tt.want)
		}
	}
}
