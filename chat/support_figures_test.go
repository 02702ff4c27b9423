package chat

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/models"
)

// A day begins when its date does, also where midnight is left out or comes twice.
func TestDaysBegin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ zone, date, want string }{
		{"UTC", "2026-03-29", "2026-03-29T00:00:00Z"},
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"},
		{"Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z"},
		{"America/Havana", "2026-03-08", "2026-03-08T05:00:00Z"}, // begins at one o'clock
		{"America/Havana", "2026-11-01", "2026-11-01T04:00:00Z"}, // has midnight twice
		{"America/Havana", "2026-11-02", "2026-11-02T05:00:00Z"},
		{"Africa/Cairo", "2026-04-24", "2026-04-23T22:00:00Z"}, // begins at one o'clock
		{"Africa/Cairo", "2026-10-30", "2026-10-29T22:00:00Z"}, // the day before ends twice
		{"Atlantic/Azores", "2026-10-25", "2026-10-25T00:00:00Z"},
		{"Atlantic/Azores", "2026-03-29", "2026-03-29T01:00:00Z"},
		{"Asia/Amman", "2021-10-29", "2021-10-28T21:00:00Z"}, // has midnight twice, east of Greenwich
		{"Asia/Kathmandu", "2026-01-01", "2025-12-31T18:15:00Z"},
		{"Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z"},
		{"Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z"}, // the 30th was left out
	} {
		zone, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		date, _ := time.Parse(time.DateOnly, tt.date)
		got := begin(date, zone)
		if got.UTC().Format(time.RFC3339) != tt.want {
			t.Errorf("%s begins in %s at %v, want %s", tt.date, tt.zone, got.UTC(), tt.want)
		}
		if here, before := got.In(zone), got.Add(-1).In(zone); !dateOf(here).Equal(date) || dateOf(before).Equal(date) {
			t.Errorf("%s begins in %s at %v, just before it is %v", tt.date, tt.zone, here, before)
		}
	}
}

// What an agent had at once, by going through every millisecond.
func TestLoad(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		spells := make([]spell, random.IntN(8))
		const end = 30
		for i := range spells {
			from := random.Int64N(end)
			spells[i] = spell{from, from + random.Int64N(end-from)}
		}
		var busy, held, most int64
		for ms := range int64(end) {
			var n, beside, moment int64
			for _, s := range spells {
				if s.from <= ms && ms < s.to {
					n++
				}
				if s.from < ms && ms < s.to {
					beside++
				}
				if s.from == ms && s.to == ms { // for no time: beside those that go on
					moment = 1
				}
			}
			most = max(most, n, moment*(beside+1))
			held += n
			busy += min(n, 1)
		}
		average := 0.0
		if busy > 0 {
			average = float64(held) / float64(busy)
		}
		before := slices.Clone(spells)
		gotBusy, gotAverage, gotMost := load(spells)
		if gotBusy.Milliseconds() != busy || gotAverage != average || int64(gotMost) != most {
			t.Fatalf("%v: busy %v, %v on average, %d at most; want %d ms, %v, %d", before, gotBusy, gotAverage, gotMost, busy, average, most)
		}
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	if got := spread(nil); got != (models.Spread{}) {
		t.Errorf("of none: %+v", got)
	}
	up := func(n int) (ms []int64) {
		for i := range n {
			ms = append(ms, int64(n-i)) // n…1
		}
		return ms
	}
	for n, want := range map[int][4]float64{ // average, median, p95, max
		1: {1, 1, 1, 1}, 2: {1.5, 1.5, 2, 2}, 3: {2, 2, 3, 3}, 20: {10.5, 10.5, 19, 20}, 21: {11, 11, 20, 21}, 100: {50.5, 50.5, 95, 100},
	} {
		got := spread(up(n))
		if got != (models.Spread{Count: n, Average: milli(want[0]), Median: milli(want[1]), P95: milli(want[2]), Max: milli(want[3])}) {
			t.Errorf("of 1 to %d: %+v", n, got)
		}
	}
}
