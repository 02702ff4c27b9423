package models

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// OpeningHours are a department's hours in a week, and its days off, by the clock of its time zone. The JSON is how
// it is stored.
type OpeningHours struct {
	Timezone string        `json:"timezone"` // IANA name
	Weekly   []OpeningTime `json:"weekly"`
	Closed   []string      `json:"closed,omitempty"` // days off, as 2006-01-02
}

// OpeningTime is from when to when it is open on one day of the week: from From on, until just before To. Times are
// 15:04; To may be 24:00.
type OpeningTime struct {
	Day  string `json:"day"` // monday…
	From string `json:"from"`
	To   string `json:"to"`
}

// Bounds of opening hours.
const (
	MaxOpeningTimes = 50
	MaxDaysOff      = 100
)

// spareWeeks is for how many weeks a yearly change of the clock may leave out an opening, and some more.
const spareWeeks = 8

// At says whether it is open at the moment, and when it opens next where it is not: zero where it never does. It goes
// by what a clock on the wall shows: what a clock that is put forward leaves out is no opening, and what it shows twice
// is two. Without hours, nil, it is always open.
func (h *OpeningHours) At(now time.Time) (open bool, next Time) {
	if h == nil {
		return true, Time{}
	}
	zone, err := time.LoadLocation(h.Timezone)
	if err != nil {
		return true, Time{} // it was known when it was set; to be closed for ever would be worse
	}
	// Each day off takes away one opening of a week at most.
	last := now.AddDate(0, 0, 7*(len(h.Closed)+spareWeeks))
	for from := now; from.Before(last); {
		_, until := from.In(zone).ZoneBounds() // the clock runs evenly until then
		if until.IsZero() || until.After(last) {
			until = last
		}
		ahead := offset(from, zone)
		if opening, ok := h.first(from.UTC().Add(ahead), until.UTC().Add(ahead)); ok {
			opening = opening.Add(-ahead)
			if opening.Equal(now) {
				return true, Time{}
			}
			return false, At(opening)
		}
		from = until
	}
	return false, Time{}
}

// offset is how far the zone's clock is ahead of UTC.
func offset(t time.Time, zone *time.Location) time.Duration {
	_, seconds := t.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// first gives the first moment that is within the hours, of those from one to just before another. Both are what a
// clock shows that runs evenly between them, written as UTC.
func (h *OpeningHours) first(from, until time.Time) (opening time.Time, ok bool) {
	for day := from.Truncate(24 * time.Hour); day.Before(until) && !ok; day = day.AddDate(0, 0, 1) {
		if slices.Contains(h.Closed, day.Format(time.DateOnly)) {
			continue
		}
		for _, t := range h.Weekly {
			if t.Day != weekday(day) {
				continue
			}
			start, end := day.Add(sinceMidnight(t.From)), day.Add(sinceMidnight(t.To))
			if start.Before(from) {
				start = from
			}
			if start.Before(end) && start.Before(until) && (!ok || start.Before(opening)) {
				opening, ok = start, true
			}
		}
	}
	return opening, ok
}

func weekday(day time.Time) string { return strings.ToLower(day.Weekday().String()) }

// sinceMidnight is how far a clock has gone that shows a time which Check let through.
func sinceMidnight(clock string) time.Duration {
	minutes, _ := minutesOf(clock)
	return time.Duration(minutes) * time.Minute
}

// minutesOf reads 15:04, and 24:00.
func minutesOf(clock string) (minutes int, ok bool) {
	if clock == endOfDay {
		return 24 * 60, true
	}
	t, err := time.Parse("15:04", clock)
	if err != nil || len(clock) != len(endOfDay) {
		return 0, false
	}
	return t.Hour()*60 + t.Minute(), true
}

const endOfDay = "24:00"

// Check refuses hours that are none, with the place of the fault in a request's field `hours`. No hours, nil, are good.
func (h *OpeningHours) Check() error {
	if h == nil {
		return nil
	}
	if _, err := time.LoadLocation(h.Timezone); err != nil || h.Timezone == "" || h.Timezone == "Local" {
		return Invalid("hours/timezone", "must be the IANA name of a time zone, such as Europe/Berlin or UTC")
	}
	if len(h.Weekly) > MaxOpeningTimes {
		return Invalid("hours/weekly", "has %d times, at most %d are allowed", len(h.Weekly), MaxOpeningTimes)
	}
	for i, t := range h.Weekly {
		if err := t.check(fmt.Sprintf("hours/weekly/%d/", i)); err != nil {
			return err
		}
	}
	if err := h.checkOverlaps(); err != nil {
		return err
	}
	if len(h.Closed) > MaxDaysOff {
		return Invalid("hours/closed", "has %d days, at most %d are allowed", len(h.Closed), MaxDaysOff)
	}
	for i, day := range h.Closed {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			return Invalid(fmt.Sprintf("hours/closed/%d", i), "must be a date such as 2025-12-25")
		}
	}
	return nil
}

// check looks at one time, whose place in the request is field.
func (t OpeningTime) check(field string) error {
	if !slices.Contains(Weekdays(), t.Day) {
		return Invalid(field+"day", "must be one of %s", strings.Join(Weekdays(), ", "))
	}
	from, ok := minutesOf(t.From)
	if !ok || t.From == endOfDay {
		return Invalid(field+"from", "must be a time from 00:00 to 23:59")
	}
	to, ok := minutesOf(t.To)
	switch {
	case !ok:
		return Invalid(field+"to", "must be a time from 00:01 to 24:00")
	case to <= from:
		return Invalid(field+"to", "must be after %s; what goes on after 24:00 is a time of the next day", t.From)
	}
	return nil
}

// checkOverlaps refuses two times of one day that have a moment in common, by the later of the two.
func (h *OpeningHours) checkOverlaps() error {
	order := make([]int, len(h.Weekly))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := h.Weekly[a], h.Weekly[b]
		return cmp.Or(cmp.Compare(x.Day, y.Day), cmp.Compare(x.From, y.From))
	})
	for i := 1; i < len(order); i++ {
		before, t := h.Weekly[order[i-1]], h.Weekly[order[i]]
		if before.Day == t.Day && t.From < before.To {
			return Invalid(fmt.Sprintf("hours/weekly/%d/from", order[i]), "is within another time of that day, %s to %s", before.From, before.To)
		}
	}
	return nil
}

// Weekdays are the days of the week as opening hours name them, the first is monday.
func Weekdays() []string {
	return []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
}
