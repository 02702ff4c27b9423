package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"parley/broker"
)

var formats = map[broker.Format]string{broker.SSE: "sse", broker.NDJSON: "ndjson"}

var (
	streams        = gauge("streams", "Open event streams.", "format")
	longPolls      = gauge("long_polls", "Long-polls that are being answered.")
	usersOnline    = gauge("users_online", "Users with an open stream.")
	deliveries     = counter("deliveries_total", "Events written to streams, each stream apart.")
	deliveredBytes = counter("delivered_bytes_total", "Everything written to streams, ready and heartbeats too.")
	whispers       = counter("whispers_total", "Events without an id about typing and read marks written to streams, each stream apart.")
	moments        = gauge("whispers_kept", "Events about typing and read marks that are kept for streams which were perhaps not told yet.")

	replayPages  = counter("replay_pages_total", "Pages of the log that were read for streams which were behind.")
	replayEvents = counter("replay_events_total", "Events that were read from the log for streams which were behind.")
	replaying    = gauge("replay_streams", "Streams that are reading the log now, since they are behind.")
	replayLag    = gauge("replay_lag_events", "How far the most backward stream is behind the head of the log.")

	logHead     = gauge("log_head", "The newest id of the log that was published here.")
	ringEntries = gauge("ring_entries", "Events kept in memory for the streams.")
	ringBytes   = gauge("ring_bytes", "Memory of the events that are kept in it for the streams.")
)

func collectBroker(ch chan<- prometheus.Metric, s broker.Stats) {
	for format, name := range formats {
		streams.is(ch, float64(s.Streams[format]), name)
	}
	longPolls.is(ch, float64(s.Waiters))
	usersOnline.is(ch, float64(s.Online))
	deliveries.is(ch, float64(s.Deliveries))
	deliveredBytes.is(ch, float64(s.DeliveredBytes))
	whispers.is(ch, float64(s.Whispers))
	moments.is(ch, float64(s.Moments))
	replayPages.is(ch, float64(s.Pages))
	replayEvents.is(ch, float64(s.PageEvents))
	replaying.is(ch, float64(s.Behind))
	replayLag.is(ch, float64(s.Lag))
	logHead.is(ch, float64(s.Head))
	ringEntries.is(ch, float64(s.RingEntries))
	ringBytes.is(ch, float64(s.RingBytes))
}
