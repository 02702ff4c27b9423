package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"parley/broker"
	"parley/chat"
	"parley/store"
)

// Parts say how they fare. It is a collector: they are asked at each scrape, and by nobody else.
type Parts struct {
	Store  func() store.Stats
	Broker func() broker.Stats
	Chat   func() chat.Stats
}

var _ prometheus.Collector = Parts{}

// number is one metric whose value a part keeps.
type number struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

func counter(name, help string, labels ...string) number {
	return number{prometheus.NewDesc(namespace+"_"+name, help, labels, nil), prometheus.CounterValue}
}

func gauge(name, help string, labels ...string) number {
	return number{prometheus.NewDesc(namespace+"_"+name, help, labels, nil), prometheus.GaugeValue}
}

func (n number) is(ch chan<- prometheus.Metric, value float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(n.desc, n.kind, value, labels...)
}

// Describe implements prometheus.Collector by what there is to collect.
func (p Parts) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(p, ch) }

// Collect implements prometheus.Collector.
func (p Parts) Collect(ch chan<- prometheus.Metric) {
	collectBroker(ch, p.Broker())
	collectStore(ch, p.Store())
	collectChat(ch, p.Chat())
}
