package models

import (
	"fmt"
	"time"
)

// OpeningHours are a department's hours in a week, and its days off, by the clock of its time zone. The JSON is how
// it is stored and what clients send.
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

// At says whether it is open at the moment, and when it opens next where it is not: zero where it never does.
func (h OpeningHours) At(now time.Time) (open bool, next Time) {
	zone, err := time.LoadLocation(h.Timezone)
	if err != nil {
		return true, Time{} // it was checked when it was set; to be closed for ever would be worse
	}
	local := now.In(zone)
	// A day off can be followed by others: a year holds whatever weekly rhythm there is.
	for i := range 366 {
		day := time.Date(local.Year(), local.Month(), local.Day()+i, 0, 0, 0, 0, zone)
		if from, ok := h.on(day, now, &open); open || ok {
			return open, At(from)
		}
	}
	return false, Time{}
}

// on sets open where it is open at now on that day, and gives the first opening of the day that lies after now.
func (h OpeningHours) on(day, now time.Time, open *bool) (next time.Time, ok bool) {
	for _, off := range h.Closed {
		if off == day.Format(time.DateOnly) {
			return next, false
		}
	}
	for _, t := range h.Weekly {
		if t.Day != weekday(day) {
			continue
		}
		from, to := at(day, t.From), at(day, t.To)
		switch {
		case !now.Before(from) && now.Before(to):
			*open = true
			return time.Time{}, true
		case from.After(now) && (!ok || from.Before(next)):
			next, ok = from, true
		}
	}
	return next, ok
}

// at is a clock's time on that day.
func at(day time.Time, clock string) time.Time {
	var hour, minute int
	_, _ = fmt.Sscanf(clock, "%d:%d", &hour, &minute) // Check let only these through
	return time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, day.Location())
}

func weekday(day time.Time) string {
	return [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}[day.Weekday()]
}
