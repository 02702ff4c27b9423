package chat

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"parley/models"
)

// maxStatsDays is how many days figures may be asked of at once; defaultStatsDays, how many are given to who names no first
// one.
const (
	maxStatsDays     = 92
	defaultStatsDays = 7
)

// StatsQuery says of what figures are wanted.
type StatsQuery struct {
	From, To string // days as 2006-01-02, both included; empty: the last week
	Queue    string // a department's name; empty: all
	Timezone string // IANA name; empty: UTC
}

// SupportStats gives the figures of support. Agents and admins may.
func (s *Service) SupportStats(ctx context.Context, a Actor, q StatsQuery) (models.SupportStats, error) {
	return view(ctx, s, func(r Reader) (models.SupportStats, error) {
		if _, err := serving(r, a); err != nil {
			return models.SupportStats{}, err
		}
		t, err := newTally(r, q, models.At(s.now()))
		if err != nil {
			return models.SupportStats{}, err
		}
		if err := t.read(r); err != nil {
			return models.SupportStats{}, err
		}
		stats := t.model()
		if stats.Agents, err = t.agentFigures(r); err != nil {
			return stats, err
		}
		stats.Now, err = s.supportNow(r, t.queueID)
		return stats, err
	})
}

// tally adds up the figures of some days.
type tally struct {
	days    days
	now     models.Time
	queueID int64 // the only department; 0: all
	queue   string
	names   map[int64]string // of the departments
	cells   []map[int64]*figures
	agents  map[int64]*agentSums
	said    map[int64]bool // conversations whose first response is counted
}

// newTally checks the query.
func newTally(r Reader, q StatsQuery, now models.Time) (*tally, error) {
	asked, err := daysOf(q, now.Time)
	if err != nil {
		return nil, err
	}
	t := &tally{
		days: asked, now: now, names: map[int64]string{}, cells: make([]map[int64]*figures, asked.n),
		agents: map[int64]*agentSums{}, said: map[int64]bool{},
	}
	if q.Queue != "" {
		queue, err := queueNamed(r, q.Queue)
		if err != nil {
			return nil, err
		}
		t.queueID, t.queue = queue.ID, queue.Name
	}
	queues, err := r.SupportQueues()
	if err != nil {
		return nil, fmt.Errorf("list departments: %w", err)
	}
	for _, queue := range queues {
		t.names[queue.ID] = queue.Name
	}
	return t, nil
}

func (t *tally) read(r Reader) error {
	if err := r.FiguredConversations(t.days.start, t.days.end, t.queueID, t.addConversation); err != nil {
		return fmt.Errorf("read conversations for figures: %w", err)
	}
	if err := r.FiguredAssignments(t.days.start, t.days.end, t.queueID, t.addAssignment); err != nil {
		return fmt.Errorf("read assignments for figures: %w", err)
	}
	return nil
}

func (t *tally) addConversation(c models.FiguredConversation) {
	day := &t.cells[t.days.of(c.OpenedAt)]
	if *day == nil {
		*day = map[int64]*figures{}
	}
	at(*day, c.QueueID).add(c)
}

// at gives the value of a key, made where there is none.
func at[V any](in map[int64]*V, key int64) *V {
	v := in[key]
	if v == nil {
		v = new(V)
		in[key] = v
	}
	return v
}

func (t *tally) addAssignment(a models.FiguredAssignment) {
	if t.now.Before(t.days.start.Time) { // nobody knows
		return
	}
	sums := at(t.agents, a.AgentID)
	if sums.had == nil {
		sums.had = map[int64]bool{}
	}
	sums.had[a.ConversationID] = true
	end := a.To
	if end.IsZero() {
		end = t.now
	}
	from, to := max(a.From.UnixMilli(), t.days.start.UnixMilli()), min(end.UnixMilli(), t.days.end.UnixMilli())
	sums.spells = append(sums.spells, spell{from, max(from, to)})
	if !a.ClosedAt.IsZero() && a.ClosedAt.Equal(a.To.Time) && a.To.Before(t.days.end.Time) {
		sums.closed++
		sums.ratings.add(a.Score)
	}
	first := !a.RespondedAt.IsZero() && !a.RespondedAt.Before(a.From.Time) && !a.RespondedAt.After(end.Time) && !t.said[a.ConversationID]
	if first && t.days.has(a.RespondedAt) {
		t.said[a.ConversationID] = true
		sums.firstResponse = append(sums.firstResponse, span(a.From, a.RespondedAt))
	}
}

// model makes the figures of days and departments.
func (t *tally) model() models.SupportStats {
	stats := models.SupportStats{
		From: t.days.date(0), To: t.days.date(t.days.n - 1), Timezone: t.days.zone.String(), Queue: t.queue,
		Days: make([]models.DayFigures, t.days.n),
	}
	var total figures
	queues := map[int64]*figures{}
	for i, cell := range t.cells {
		var day figures
		for id, f := range cell {
			day.join(f)
			at(queues, id).join(f)
		}
		total.join(&day)
		stats.Days[i] = models.DayFigures{Date: t.days.date(i), SupportFigures: day.model(), Queues: t.byQueue(cell)}
	}
	stats.Total, stats.Queues = total.model(), t.byQueue(queues)
	return stats
}

func (t *tally) byQueue(of map[int64]*figures) []models.QueueFigures {
	list := make([]models.QueueFigures, 0, len(of))
	for id, f := range of {
		list = append(list, models.QueueFigures{Queue: t.names[id], SupportFigures: f.model()})
	}
	slices.SortFunc(list, func(a, b models.QueueFigures) int {
		return cmp.Compare(models.NameKey(a.Queue), models.NameKey(b.Queue))
	})
	return list
}

func (t *tally) agentFigures(r Reader) ([]models.AgentFigures, error) {
	users, err := r.Users(slices.Collect(maps.Keys(t.agents)))
	if err != nil {
		return nil, fmt.Errorf("read the agents' names: %w", err)
	}
	names := make(map[int64]string, len(users))
	for _, u := range users {
		names[u.ID] = u.Name
	}
	list := make([]models.AgentFigures, 0, len(t.agents))
	for id, sums := range t.agents {
		f := models.AgentFigures{
			UserID: id, Name: cmp.Or(names[id], models.DeletedName(id)), Assigned: len(sums.had), Closed: sums.closed,
			FirstResponse: spread(sums.firstResponse), Ratings: sums.ratings.model(),
		}
		f.Busy, f.AverageLoad, f.MaxLoad = load(sums.spells)
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b models.AgentFigures) int {
		return cmp.Or(cmp.Compare(models.NameKey(a.Name), models.NameKey(b.Name)), cmp.Compare(a.UserID, b.UserID))
	})
	return list, nil
}

// days are some days in a row by the clock of a zone.
type days struct {
	zone       *time.Location
	first      time.Time // midnight UTC of the first day's date
	n          int
	start, end models.Time // [start, end)
}

// daysOf works out which days are asked for.
func daysOf(q StatsQuery, now time.Time) (days, error) {
	d := days{zone: time.UTC}
	if q.Timezone != "" {
		zone, err := time.LoadLocation(q.Timezone)
		if err != nil || zone == time.Local {
			return d, models.Invalid("timezone", "must be the IANA name of a time zone such as Europe/Berlin")
		}
		d.zone = zone
	}
	last, err := day(q.To, "to", dateOf(now.In(d.zone)))
	if err != nil {
		return d, err
	}
	if d.first, err = day(q.From, "from", last.AddDate(0, 0, 1-defaultStatsDays)); err != nil {
		return d, err
	}
	d.n = int(last.Sub(d.first)/(24*time.Hour)) + 1
	switch {
	case last.Before(d.first):
		return d, models.Invalid("from", "must not be after `to`")
	case d.n > maxStatsDays:
		return d, models.Invalid("from", "must be at most %d days before `to`", maxStatsDays-1)
	}
	d.start, d.end = models.At(begin(d.first, d.zone)), models.At(begin(last.AddDate(0, 0, 1), d.zone))
	return d, nil
}

// day reads a date of the query.
func day(text, field string, otherwise time.Time) (time.Time, error) {
	if text == "" {
		return otherwise, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, models.Invalid(field, "must be a day such as 2026-03-29")
	}
	return t, nil
}

// dateOf is midnight UTC of the date that t has by its own clock.
func dateOf(t time.Time) time.Time {
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// begin is the first moment of the date in the zone. Where clocks are put forward at midnight, it is when they are; where
// they are put back to it, midnight comes twice, and the first counts.
func begin(date time.Time, zone *time.Location) time.Time {
	year, month, day := date.Date()
	t := time.Date(year, month, day, 0, 0, 0, 0, zone)
	since, until := t.ZoneBounds()
	if dateOf(t).Before(date) {
		return until
	}
	if since.IsZero() {
		return t
	}
	if before := since.Add(-1); dateOf(before).Equal(date) {
		_, was := before.Zone()
		_, is := t.Zone()
		return t.Add(time.Duration(is-was) * time.Second)
	}
	return t
}

func (d days) date(i int) string { return d.first.AddDate(0, 0, i).Format(time.DateOnly) }

func (d days) has(t models.Time) bool { return !t.Before(d.start.Time) && t.Before(d.end.Time) }

// of says which of the days a moment between start and end is on. A clock that was put back over midnight makes a day come
// again: that is within the bounds all the same.
func (d days) of(t models.Time) int {
	return min(max(int(dateOf(t.In(d.zone)).Sub(d.first)/(24*time.Hour)), 0), d.n-1)
}
