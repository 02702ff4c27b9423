package api

import (
	"context"
	"math"
	"time"

	"parley/chat"
	"parley/models"
)

// GetSupportStats gives the figures of support.
func (s *server) GetSupportStats(ctx context.Context, r GetSupportStatsRequestObject) (GetSupportStatsResponseObject, error) {
	ctx, actor := call(ctx)
	stats, err := s.chat.SupportStats(ctx, actor, chat.StatsQuery{
		From: deref(r.Params.From), To: deref(r.Params.To), Queue: deref(r.Params.Queue), Timezone: deref(r.Params.Timezone),
	})
	if err != nil {
		return nil, err
	}
	return GetSupportStats200JSONResponse{Body: wireStats(stats)}, nil
}

func wireStats(s models.SupportStats) SupportStats {
	out := SupportStats{
		From: s.From, To: s.To, Timezone: s.Timezone, Queue: textOrNil(s.Queue), Total: wireFigures(s.Total),
		Queues: each(s.Queues, queueFigures), Days: make([]SupportFigures, 0, len(s.Days)), QueueDays: []SupportFigures{},
		Agents: each(s.Agents, wireAgentFigures),
		Now: SupportNow{Queues: each(s.Now.Queues, wireQueueNow), Agents: AgentsNow{
			Available: s.Now.Agents.Available, Here: s.Now.Agents.Present, Capacity: s.Now.Agents.Capacity, Load: s.Now.Agents.Load,
		}},
	}
	for _, d := range s.Days {
		day := wireFigures(d.SupportFigures)
		day.Date = &d.Date
		out.Days = append(out.Days, day)
		for _, q := range d.Queues {
			of := queueFigures(q)
			of.Date = &d.Date
			out.QueueDays = append(out.QueueDays, of)
		}
	}
	return out
}

func queueFigures(q models.QueueFigures) SupportFigures {
	out := wireFigures(q.SupportFigures)
	out.Queue = &q.Queue
	return out
}

func wireFigures(f models.SupportFigures) SupportFigures {
	return SupportFigures{
		Opened: f.Opened, Assigned: f.Assigned, Closed: f.Closed, Abandoned: f.Abandoned,
		Waiting: wireSpread(f.Waiting), FirstResponse: wireSpread(f.FirstResponse), Duration: wireSpread(f.Duration),
		Ratings: wireRatings(f.Ratings),
	}
}

func wireSpread(s models.Spread) DurationFigures {
	out := DurationFigures{Count: s.Count}
	if s.Count > 0 {
		average, median, p95, most := inSeconds(s.Average), inSeconds(s.Median), inSeconds(s.P95), inSeconds(s.Max)
		out.Average, out.Median, out.P95, out.Max = &average, &median, &p95, &most
	}
	return out
}

// inSeconds is rounded to the millisecond.
func inSeconds(d time.Duration) float64 { return thousandths(d.Seconds()) }

func thousandths(f float64) float64 { return math.Round(f*1000) / 1000 }

func wireRatings(r models.RatingFigures) RatingFigures {
	out := RatingFigures{Count: r.Count, Scores: RatingScores{
		N1: r.Scores[0], N2: r.Scores[1], N3: r.Scores[2], N4: r.Scores[3], N5: r.Scores[4],
	}}
	if r.Count > 0 {
		average := thousandths(r.Average)
		out.Average = &average
	}
	return out
}

func wireAgentFigures(a models.AgentFigures) AgentFigures {
	out := AgentFigures{
		User: Peer{ID: a.UserID, Name: a.Name}, Assigned: a.Assigned, Closed: a.Closed, BusySeconds: inSeconds(a.Busy),
		Load: AgentLoad{Max: a.MaxLoad}, FirstResponse: wireSpread(a.FirstResponse), Ratings: wireRatings(a.Ratings),
	}
	if a.Busy > 0 {
		average := thousandths(a.AverageLoad)
		out.Load.Average = &average
	}
	return out
}

func wireQueueNow(q models.QueueNow) QueueNow {
	out := QueueNow{Queue: q.Queue, Waiting: q.Waiting, Assigned: q.Assigned}
	if q.Waiting > 0 {
		wait := inSeconds(q.LongestWait)
		out.LongestWaitSeconds = &wait
	}
	return out
}
