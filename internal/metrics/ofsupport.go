package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"parley/models"
)

var (
	conversations = gauge("support_conversations", "Open conversations of support by department: queued, or assigned to an agent.", "queue", "state")
	longestWait   = gauge("support_longest_wait_seconds", "How long the oldest queued conversation of a department has been waiting.", "queue")

	agentsAvailable = gauge("support_agents_available", "Agents who said that they take conversations.")
	agentsPresent   = gauge("support_agents_present", "Agents who take conversations and are here.")
	agentsCapacity  = gauge("support_capacity", "Conversations that the agents who are here take at once, in all.")
	agentsLoad      = gauge("support_load", "Conversations that the agents have who are here.")
)

// States of a conversation that are counted.
const (
	queued   = string(models.Queued)
	assigned = string(models.Assigned)
)

func collectSupport(ch chan<- prometheus.Metric, n models.SupportNow) {
	for _, q := range n.Queues {
		conversations.is(ch, float64(q.Waiting), q.Queue, queued)
		conversations.is(ch, float64(q.Assigned), q.Queue, assigned)
		longestWait.is(ch, q.LongestWait.Seconds(), q.Queue)
	}
	agentsAvailable.is(ch, float64(n.Agents.Available))
	agentsPresent.is(ch, float64(n.Agents.Present))
	agentsCapacity.is(ch, float64(n.Agents.Capacity))
	agentsLoad.is(ch, float64(n.Agents.Load))
}

// support are the metrics of what happens to conversations.
type support struct {
	opened        prometheus.Counter
	reopened      prometheus.Counter
	closed        map[models.CloseReason]prometheus.Counter
	scores        [5]prometheus.Counter
	waiting       prometheus.Histogram
	firstResponse prometheus.Histogram
	duration      prometheus.Histogram

	closings *prometheus.CounterVec
	ratings  *prometheus.CounterVec
}

// patient are buckets for what people wait for: from at once to some hours.
var patient = []float64{1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400}

func newSupport() support {
	s := support{
		opened: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "support_opened_total", Help: "Conversations of support that were opened.",
		}),
		reopened: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "support_reopened_total", Help: "Closed conversations of support that went on.",
		}),
		waiting: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "support_waiting_seconds",
			Help: "How long conversations waited for their first agent, when they got one.", Buckets: patient,
		}),
		firstResponse: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "support_first_response_seconds",
			Help: "Time from a conversation's first agent to the first message of an agent.", Buckets: patient,
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "support_duration_seconds",
			Help:    "How long agents had a conversation in all, when it was closed.",
			Buckets: []float64{30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 43200, 86400},
		}),
		closings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "support_closed_total", Help: "Conversations of support that were closed, by why.",
		}, []string{"reason"}),
		ratings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "support_ratings_total", Help: "Ratings of conversations, by score.",
		}, []string{"score"}),
		closed: map[models.CloseReason]prometheus.Counter{},
	}
	for _, reason := range append(models.CloseReasons(), other) {
		s.closed[reason] = s.closings.WithLabelValues(string(reason))
	}
	for i := range s.scores {
		s.scores[i] = s.ratings.WithLabelValues(strconv.Itoa(i + 1))
	}
	return s
}

func (s *support) collectors() []prometheus.Collector {
	return []prometheus.Collector{s.opened, s.reopened, s.closings, s.ratings, s.waiting, s.firstResponse, s.duration}
}

// step counts what was committed, on the writer's goroutine.
func (s *support) step(step models.SupportStep) {
	switch step.Kind {
	case models.StepOpened:
		s.opened.Inc()
	case models.StepReopened:
		s.reopened.Inc()
	case models.StepAssigned:
		s.waiting.Observe(step.Took.Seconds())
	case models.StepResponded:
		s.firstResponse.Observe(step.Took.Seconds())
	case models.StepClosed:
		count(s.closed, step.Reason, models.CloseReason(other))
		if step.Agent {
			s.duration.Observe(step.Took.Seconds())
		}
	case models.StepRated:
		s.scores[step.Score-1].Inc()
	}
}
