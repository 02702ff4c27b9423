package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"parley/api"
	"parley/models"
	"parley/store"
)

// told are the metrics of what the parts tell of when it happens.
type told struct {
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	batches   prometheus.Histogram
	commits   prometheus.Histogram
	cut       prometheus.Counter

	// What the writer's goroutine counts, looked up by the name without a lock. The last is for names
	// that are not here.
	published map[models.EventType]prometheus.Counter
	ended     map[string]prometheus.Counter
	events    *prometheus.CounterVec
	endings   *prometheus.CounterVec
	support   support
}

const other = "other"

// reasons are those of session.ended.
var reasons = []string{"logout", "revoked", "password", "idle", "kicked", "banned", "deleted", other}

func newTold() told {
	t := told{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "http_requests_total",
			Help: "Requests answered, streams when they ended, by the route of the spec.",
		}, []string{"route", "method", "code"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: namespace, Name: "http_request_duration_seconds",
			Help:    "Time to answer a request, without streams and long-polls, which last as long as their clients want.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route", "method"}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "commit_batch_size",
			Help: "Commands in one committed transaction of the writer.", Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
		commits: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "commit_duration_seconds",
			Help:    "Time of one committed transaction of the writer, from its begin until it was on disk.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		cut: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "slow_readers_cut_total",
			Help: "Connections that were closed because their client took no byte for too long.",
		}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "events_published_total",
			Help: "Entries of the log that were committed here, internal ones too.",
		}, []string{"type"}),
		endings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: namespace, Name: "session_ends_total", Help: "Sessions that were ended, by why.",
		}, []string{"reason"}),
		published: map[models.EventType]prometheus.Counter{}, ended: map[string]prometheus.Counter{},
		support: newSupport(),
	}
	// All there are from the start, so that the first of each is an increase.
	for _, name := range append(models.LogTypes(), other) {
		t.published[name] = t.events.WithLabelValues(string(name))
	}
	for _, name := range reasons {
		t.ended[name] = t.endings.WithLabelValues(name)
	}
	return t
}

func (t *told) collectors() []prometheus.Collector {
	return append(t.support.collectors(), t.requests, t.durations, t.batches, t.commits, t.cut, t.events, t.endings)
}

// Served counts a request; see api.Options.
func (t *told) Served(r api.Served) {
	t.requests.WithLabelValues(r.Route, r.Method, strconv.Itoa(r.Status)).Inc()
	if !r.Lasting {
		t.durations.WithLabelValues(r.Route, r.Method).Observe(r.Took.Seconds())
	}
}

// Committed measures a transaction; see store.Options.
func (t *told) Committed(b store.Batch) {
	t.batches.Observe(float64(b.Commands))
	t.commits.Observe(b.Took.Seconds())
}

// Published counts what was committed, on the writer's goroutine.
func (t *told) Published(events []models.Event) {
	for i := range events {
		count(t.published, events[i].Type, models.EventType(other))
		c := &events[i].Change
		if c.Kind == models.SessionGone {
			count(t.ended, c.Reason, other)
		}
		if c.Support != nil {
			t.support.step(*c.Support)
		}
	}
}

func count[K comparable](in map[K]prometheus.Counter, name, unknown K) {
	c, ok := in[name]
	if !ok {
		c = in[unknown]
	}
	c.Inc()
}

// CutReader counts a client that took nothing.
func (t *told) CutReader() { t.cut.Inc() }
