package chat

import (
	"cmp"
	"math"
	"slices"
	"time"

	"parley/models"
)

// figures are the sums from which SupportFigures are made. Durations are kept one by one, in ms, so that medians and
// percentiles are exact.
type figures struct {
	opened, assigned, closed, abandoned int
	waiting, firstResponse, duration    []int64
	ratings                             ratingSums
}

func (f *figures) add(c models.FiguredConversation) {
	f.opened++
	if c.Closed {
		f.closed++
	}
	f.ratings.add(c.Score)
	if c.AssignedAt.IsZero() {
		if c.Closed {
			f.abandoned++
		}
		return
	}
	f.assigned++
	f.waiting = append(f.waiting, span(c.QueuedAt, c.AssignedAt))
	if !c.RespondedAt.IsZero() {
		f.firstResponse = append(f.firstResponse, span(c.AssignedAt, c.RespondedAt))
	}
	if c.Closed {
		f.duration = append(f.duration, c.Served.Milliseconds())
	}
}

// join adds what other has.
func (f *figures) join(other *figures) {
	f.opened += other.opened
	f.assigned += other.assigned
	f.closed += other.closed
	f.abandoned += other.abandoned
	f.waiting = append(f.waiting, other.waiting...)
	f.firstResponse = append(f.firstResponse, other.firstResponse...)
	f.duration = append(f.duration, other.duration...)
	f.ratings.join(other.ratings)
}

func (f *figures) model() models.SupportFigures {
	return models.SupportFigures{
		Opened: f.opened, Assigned: f.assigned, Closed: f.closed, Abandoned: f.abandoned,
		Waiting: spread(f.waiting), FirstResponse: spread(f.firstResponse), Duration: spread(f.duration),
		Ratings: f.ratings.model(),
	}
}

// between is the time from one to the other; a clock that was put back makes no negative one.
func between(from, to models.Time) time.Duration { return max(0, to.Sub(from.Time)) }

// span is that in ms.
func span(from, to models.Time) int64 { return between(from, to).Milliseconds() }

// spread sorts the durations, which are in ms. The median of an even number is the middle of the two in the middle; the
// 95th percentile is the smallest that 95 % are not above.
func spread(ms []int64) models.Spread {
	n := len(ms)
	if n == 0 {
		return models.Spread{}
	}
	slices.Sort(ms)
	var sum float64
	for _, v := range ms {
		sum += float64(v)
	}
	return models.Spread{
		Count: n, Average: milli(sum / float64(n)), Median: milli(float64(ms[(n-1)/2]+ms[n/2]) / 2),
		P95: milli(float64(ms[(95*n+99)/100-1])), Max: milli(float64(ms[n-1])),
	}
}

func milli(ms float64) time.Duration {
	return time.Duration(math.Round(ms * float64(time.Millisecond)))
}

type ratingSums [5]int

// add counts a score; 0 is none.
func (r *ratingSums) add(score int) {
	if score != 0 {
		r[score-1]++
	}
}

func (r *ratingSums) join(other ratingSums) {
	for i, n := range other {
		r[i] += n
	}
}

func (r *ratingSums) model() models.RatingFigures {
	m := models.RatingFigures{Scores: *r}
	sum := 0
	for i, n := range r {
		m.Count += n
		sum += n * (i + 1)
	}
	if m.Count > 0 {
		m.Average = float64(sum) / float64(m.Count)
	}
	return m
}

// agentSums are the sums from which AgentFigures are made.
type agentSums struct {
	had           map[int64]bool // conversations
	closed        int
	spells        []spell
	firstResponse []int64
	ratings       ratingSums
}

// spell is a time, in Unix ms, in which an agent had a conversation.
type spell struct{ from, to int64 }

// load works out how long at least one of the spells was running, how many were on average meanwhile, and at most. One that
// ends when another begins was not beside it.
func load(spells []spell) (busy time.Duration, average float64, most int) {
	slices.SortFunc(spells, func(a, b spell) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	var running []int64 // the ends, sorted
	var sum, some, until int64
	for _, s := range spells {
		sum += s.to - s.from
		if s.to > until {
			some += s.to - max(s.from, until)
			until = s.to
		}
		over, _ := slices.BinarySearch(running, s.from+1)
		running = running[over:]
		at, _ := slices.BinarySearch(running, s.to)
		running = slices.Insert(running, at, s.to)
		most = max(most, len(running))
	}
	if some > 0 {
		average = float64(sum) / float64(some)
	}
	return time.Duration(some) * time.Millisecond, average, most
}
