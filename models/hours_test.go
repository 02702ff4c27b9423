package models

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// office is open on weekdays with a break, on saturday mornings, and around new year not at all.
func office(zone string) OpeningHours {
	h := OpeningHours{Timezone: zone, Closed: []string{"2025-12-25", "2025-12-26", "2026-01-01"}}
	for _, day := range Weekdays()[:5] {
		h.Weekly = append(h.Weekly, OpeningTime{day, "13:30", "18:00"}, OpeningTime{day, "09:00", "12:30"})
	}
	h.Weekly = append(h.Weekly, OpeningTime{"saturday", "10:00", "12:00"})
	return h
}

func TestOpeningHoursAt(t *testing.T) {
	t.Parallel()
	night := OpeningHours{Timezone: "Europe/Berlin", Weekly: []OpeningTime{
		{"saturday", "22:00", "24:00"}, {"sunday", "00:00", "06:00"},
	}}
	early := OpeningHours{Timezone: "Europe/Berlin", Weekly: []OpeningTime{{"sunday", "02:15", "02:45"}}}
	midnight := OpeningHours{Timezone: "Africa/Cairo", Weekly: []OpeningTime{{"friday", "00:00", "24:00"}}}
	for _, c := range []struct {
		name  string
		hours OpeningHours
		now   string
		next  string // empty: it is open; never: it never opens
	}{
		{"within", office("UTC"), "2025-03-05T10:00:00Z", ""},
		{"the first moment", office("UTC"), "2025-03-05T09:00:00Z", ""},
		{"just before", office("UTC"), "2025-03-05T08:59:59.999Z", "2025-03-05T09:00:00Z"},
		{"the last moment", office("UTC"), "2025-03-05T12:29:59.999Z", ""},
		{"the break", office("UTC"), "2025-03-05T12:30:00Z", "2025-03-05T13:30:00Z"},
		{"the evening", office("UTC"), "2025-03-05T18:00:00Z", "2025-03-06T09:00:00Z"},
		{"friday evening", office("UTC"), "2025-03-07T18:00:00Z", "2025-03-08T10:00:00Z"},
		{"the week-end", office("UTC"), "2025-03-08T12:00:00Z", "2025-03-10T09:00:00Z"},
		{"days off", office("UTC"), "2025-12-24T18:00:00Z", "2025-12-27T10:00:00Z"},
		{"on a day off", office("UTC"), "2026-01-01T10:00:00Z", "2026-01-02T09:00:00Z"},

		{"a zone ahead", office("Asia/Tokyo"), "2025-03-05T00:00:00Z", ""},
		{"a zone behind", office("America/New_York"), "2025-03-05T13:59:00Z", "2025-03-05T14:00:00Z"},
		{"it is another day there", office("Pacific/Auckland"), "2025-03-09T19:59:00Z", "2025-03-09T20:00:00Z"},
		{"a half hour", office("Asia/Kolkata"), "2025-03-05T03:30:00Z", ""},
		{"before summer time", office("Europe/Berlin"), "2025-03-29T12:00:00Z", "2025-03-31T07:00:00Z"},
		{"before winter time", office("Europe/Berlin"), "2025-10-25T12:00:00Z", "2025-10-27T08:00:00Z"},

		{"before midnight", night, "2025-03-08T22:59:59Z", ""},
		{"past midnight", night, "2025-03-08T23:00:00Z", ""},
		{"the morning after", night, "2025-03-09T05:00:00Z", "2025-03-15T21:00:00Z"},
		{"the short night", night, "2025-03-30T03:59:59Z", ""},
		{"after the short night", night, "2025-03-30T04:00:00Z", "2025-04-05T20:00:00Z"},
		{"the long night", night, "2025-10-26T04:59:59Z", ""},

		{"the clock leaves it out", early, "2025-03-29T12:00:00Z", "2025-04-06T00:15:00Z"},
		{"the clock shows it twice", early, "2025-10-26T00:45:00Z", "2025-10-26T01:15:00Z"},
		{"the second time", early, "2025-10-26T01:15:00Z", ""},
		{"a day without a midnight", midnight, "2025-04-24T12:00:00Z", "2025-04-24T22:00:00Z"},
		{"twice before midnight", OpeningHours{Timezone: "Africa/Cairo", Weekly: []OpeningTime{{"friday", "00:00", "24:00"}}}, "2025-10-30T20:59:00Z", "2025-10-30T22:00:00Z"},

		{"never", OpeningHours{Timezone: "UTC"}, "2025-03-05T10:00:00Z", "never"},
		{"an unknown zone", office("Nowhere/Atall"), "2025-03-09T03:00:00Z", ""},
	} {
		now, err := time.Parse(time.RFC3339Nano, c.now)
		if err != nil {
			t.Fatal(err)
		}
		open, next := c.hours.At(now)
		switch {
		case open != (c.next == "") || open && !next.IsZero():
			t.Errorf("%s: open %v, next %v", c.name, open, next)
		case c.next == "never" && !next.IsZero():
			t.Errorf("%s: it opens at %v", c.name, next)
		case !open && c.next != "never" && next.UTC().Format(time.RFC3339Nano) != c.next:
			t.Errorf("%s: it opens at %v, want %s", c.name, next, c.next)
		}
	}
}

// Every day off but the last: the one opening that is left is found.
func TestOpeningHoursBehindManyDaysOff(t *testing.T) {
	t.Parallel()
	monday := time.Date(2025, 3, 3, 9, 0, 0, 0, time.UTC)
	h := OpeningHours{Timezone: "UTC", Weekly: []OpeningTime{{"monday", "09:00", "10:00"}}}
	for i := range MaxDaysOff {
		h.Closed = append(h.Closed, monday.AddDate(0, 0, 7*i).Format(time.DateOnly))
	}
	if err := h.Check(); err != nil {
		t.Fatal(err)
	}
	if open, next := h.At(monday); open || !next.Equal(monday.AddDate(0, 0, 7*MaxDaysOff)) {
		t.Errorf("open %v, next %v", open, next)
	}
}

// Hours of any kind, in zones whose clocks are changed in any way, against one who looks at the clock each minute.
func TestOpeningHoursAgainstTheClock(t *testing.T) {
	t.Parallel()
	zones := []string{
		"UTC", "Europe/Berlin", "America/New_York", "America/St_Johns", "Africa/Cairo", "Asia/Beirut", "Australia/Lord_Howe",
		"Africa/Casablanca", "Asia/Kathmandu", "Pacific/Apia", "America/Santiago", "Antarctica/Troll",
	}
	const week = 7 * 24 * 60
	for i := range 24 {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		zone, err := time.LoadLocation(zones[i%len(zones)])
		if err != nil {
			t.Fatal(err)
		}
		start := someChange(r, zone).Add(-time.Duration(r.IntN(week)) * time.Minute).Truncate(time.Minute)
		h := someHours(r, zone, start)
		if err := h.Check(); err != nil {
			t.Fatalf("%+v: %v", h, err)
		}
		// From the end backwards, so that each minute knows the next opening.
		opens := make([]bool, 3*week)
		for m := range opens {
			opens[m] = shows(h, start.Add(time.Duration(m)*time.Minute).In(zone))
		}
		var next time.Time
		for m, want := range slices.Backward(opens) {
			now := start.Add(time.Duration(m) * time.Minute)
			if want {
				next = now
			}
			if m >= 2*week || m%7 != 0 && want == opens[m+1] {
				continue
			}
			open, at := h.At(now)
			if open != want || !open && !next.IsZero() && !at.Equal(next) || open && !at.IsZero() {
				t.Fatalf("seed %d, %+v, at %v: open %v, next %v; the clock says %v, %v", seed, h, now, open, at, want, next)
			}
		}
	}
}

// shows is what one says who reads the clock and the plan.
func shows(h OpeningHours, wall time.Time) bool {
	if slices.Contains(h.Closed, wall.Format(time.DateOnly)) {
		return false
	}
	for _, o := range h.Weekly {
		clock := wall.Format("15:04")
		if o.Day == weekday(wall) && o.From <= clock && clock < o.To {
			return true
		}
	}
	return false
}

// someChange is a moment at which the zone's clock was changed, where it ever is, between 2010 and now or so.
func someChange(r *rand.Rand, zone *time.Location) time.Time {
	t := time.Date(2010+r.IntN(18), time.Month(1+r.IntN(12)), 1, 0, 0, 0, 0, zone)
	if _, end := t.ZoneBounds(); !end.IsZero() {
		return end
	}
	return t
}

func someHours(r *rand.Rand, zone *time.Location, start time.Time) OpeningHours {
	h := OpeningHours{Timezone: zone.String()}
	for range 1 + r.IntN(10) {
		from := r.IntN(24 * 60)
		to := from + 1 + r.IntN(24*60-from)
		if r.IntN(4) == 0 {
			to = 24 * 60
		}
		more := h
		more.Weekly = append(slices.Clone(h.Weekly), OpeningTime{Weekdays()[r.IntN(7)], clockAt(from), clockAt(to)})
		if more.Check() == nil {
			h = more
		}
	}
	for range r.IntN(5) {
		h.Closed = append(h.Closed, start.In(zone).AddDate(0, 0, r.IntN(14)).Format(time.DateOnly))
	}
	return h
}

func clockAt(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

func TestOpeningHoursCheck(t *testing.T) {
	t.Parallel()
	change := func(change func(h *OpeningHours)) OpeningHours {
		h := office("Europe/Berlin")
		change(&h)
		return h
	}
	first := func(o OpeningTime) OpeningHours { return change(func(h *OpeningHours) { h.Weekly[0] = o }) }
	for _, c := range []struct {
		field string // empty: it is good
		hours OpeningHours
	}{
		{"", office("Europe/Berlin")},
		{"", OpeningHours{Timezone: "UTC"}},
		{"", first(OpeningTime{"sunday", "00:00", "24:00"})},
		{"", first(OpeningTime{"monday", "12:30", "13:30"})}, // right behind another
		{"hours/timezone", change(func(h *OpeningHours) { h.Timezone = "" })},
		{"hours/timezone", change(func(h *OpeningHours) { h.Timezone = "Local" })},
		{"hours/timezone", change(func(h *OpeningHours) { h.Timezone = "Europe" })},
		{"hours/timezone", change(func(h *OpeningHours) { h.Timezone = "../../etc/passwd" })},
		{"hours/weekly/0/day", first(OpeningTime{"Monday", "09:00", "10:00"})},
		{"hours/weekly/0/day", first(OpeningTime{"", "09:00", "10:00"})},
		{"hours/weekly/0/from", first(OpeningTime{"sunday", "9:00", "10:00"})},
		{"hours/weekly/0/from", first(OpeningTime{"sunday", "", "10:00"})},
		{"hours/weekly/0/from", first(OpeningTime{"sunday", "24:00", "24:00"})},
		{"hours/weekly/0/from", first(OpeningTime{"sunday", "09:60", "10:00"})},
		{"hours/weekly/0/from", first(OpeningTime{"sunday", "09-00", "10:00"})},
		{"hours/weekly/0/to", first(OpeningTime{"sunday", "09:00", "24:01"})},
		{"hours/weekly/0/to", first(OpeningTime{"sunday", "09:00", "10:0"})},
		{"hours/weekly/0/to", first(OpeningTime{"sunday", "09:00", "09:00"})},
		{"hours/weekly/0/to", first(OpeningTime{"sunday", "22:00", "06:00"})},
		{"hours/weekly/1/from", first(OpeningTime{"monday", "08:00", "09:01"})}, // named is the one that begins later
		{"hours/weekly/0/from", first(OpeningTime{"monday", "12:29", "13:00"})},
		{"hours/weekly/10/from", first(OpeningTime{"saturday", "00:00", "24:00"})},
		{"hours/weekly", change(func(h *OpeningHours) { h.Weekly = make([]OpeningTime, MaxOpeningTimes+1) })},
		{"hours/closed/1", change(func(h *OpeningHours) { h.Closed[1] = "2025-02-29" })},
		{"hours/closed/0", change(func(h *OpeningHours) { h.Closed[0] = "25.12.2025" })},
		{"hours/closed", change(func(h *OpeningHours) { h.Closed = make([]string, MaxDaysOff+1) })},
	} {
		err := c.hours.Check()
		var field string
		if e, ok := errors.AsType[*Error](err); ok {
			field = e.Fields[0].Field
		}
		if field != c.field || (err == nil) != (c.field == "") {
			t.Errorf("%+v: %v, want a fault of %q", c.hours, err, c.field)
		}
	}
}
