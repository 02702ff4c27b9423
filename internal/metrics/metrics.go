package metrics

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
)

// namespace begins the name of every metric of ours.
const namespace = "parley"

// Build says which program runs.
type Build struct{ Version, Revision, GoVersion string }

// Metrics are those of one server.
type Metrics struct {
	registry *prometheus.Registry
	log      *slog.Logger
	told
}

// New makes the metrics of the process and of what will be told.
func New(b Build, log *slog.Logger) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), log: log, told: newTold()}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "Which program runs; the value is always 1.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "go_version": b.GoVersion},
	})
	build.Set(1)
	m.registry.MustRegister(build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(m.collectors()...)
	return m
}

// Watch adds the parts' own numbers, once they are there.
func (m *Metrics) Watch(p Parts) { m.registry.MustRegister(p) }

// Handler answers with all metrics in Prometheus' text format, whatever is asked for. What cannot be
// collected is left out and logged. Scrapes at the same time share one look at the parts.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:        slog.NewLogLogger(m.log.Handler(), slog.LevelError),
		ErrorHandling:   promhttp.ContinueOnError,
		CoalesceGather:  true,
		AcceptedFormats: []expfmt.Format{expfmt.NewFormat(expfmt.TypeTextPlain)},
	})
}
