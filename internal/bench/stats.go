package bench

import (
	"math/bits"
	"slices"
	"time"
)

// A histogram counts times in buckets that are 1/32 of their value wide at most, from a microsecond to hours. The zero
// value is empty; it is used by one goroutine at a time.
type histogram struct {
	buckets []uint32
	total   int
	longest time.Duration
}

// perOctave is how many buckets lie between a value and its double.
const perOctave = 32

// bucketOf gives the bucket of so many microseconds.
func bucketOf(us uint64) int {
	octave := bits.Len64(us/perOctave) - 1
	if octave < 0 {
		return int(us)
	}
	return (octave+1)*perOctave + int(us>>octave) - perOctave
}

// bucketEnd is the largest number of microseconds in a bucket.
func bucketEnd(bucket int) uint64 {
	if bucket < perOctave {
		return uint64(bucket)
	}
	octave := bucket/perOctave - 1
	return uint64(bucket%perOctave+perOctave+1)<<octave - 1
}

func (h *histogram) add(d time.Duration) {
	d = max(d, 0)
	b := bucketOf(uint64(d / time.Microsecond))
	if b >= len(h.buckets) {
		h.buckets = append(h.buckets, make([]uint32, b+1-len(h.buckets))...)
	}
	h.buckets[b]++
	h.total++
	h.longest = max(h.longest, d)
}

func (h *histogram) merge(o *histogram) {
	if more := len(o.buckets) - len(h.buckets); more > 0 {
		h.buckets = append(h.buckets, make([]uint32, more)...)
	}
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
	h.total += o.total
	h.longest = max(h.longest, o.longest)
}

// at gives the time that a part of all times, such as 0.99, do not exceed.
func (h *histogram) at(part float64) time.Duration {
	rest := int(part*float64(h.total) + 0.999999)
	for i, n := range h.buckets {
		if rest -= int(n); rest <= 0 && n > 0 {
			return min(time.Duration(bucketEnd(i)+1)*time.Microsecond, h.longest)
		}
	}
	return h.longest
}

// spread is the median of some values, with the lowest and the highest.
type spread struct {
	Median  float64 `json:"median"`
	Lowest  float64 `json:"lowest"`
	Highest float64 `json:"highest"`
}

// spreadOf is zero where there are no values.
func spreadOf(values []float64) spread {
	if len(values) == 0 {
		return spread{}
	}
	v := slices.Sorted(slices.Values(values))
	middle := len(v) / 2
	median := v[middle]
	if len(v)%2 == 0 {
		median = (v[middle-1] + v[middle]) / 2
	}
	return spread{Median: median, Lowest: v[0], Highest: v[len(v)-1]}
}
