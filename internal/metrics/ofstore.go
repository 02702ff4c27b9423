package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"parley/store"
)

var (
	commands = counter("commands_total", "Changes that were asked of the writer, by what became of them: done; "+
		"refused by the rules; failed in the database or by a fault; abandoned by who asked; turned_away since the queue was full.", "result")
	queueDepth    = gauge("writer_queue_depth", "Changes that wait for the writer.")
	queueCapacity = gauge("writer_queue_capacity", "Changes that may wait before more are turned away.")
	writerCache   = counter("writer_cache_lookups_total", "Look-ups of the writer in its memory.", "result")

	readersInUse  = gauge("database_readers_in_use", "Connections that read the database now.")
	readersMost   = gauge("database_readers_limit", "Connections that may read the database at once.")
	readerWaits   = counter("database_reader_waits_total", "Reads that waited for a connection.")
	readerWaiting = counter("database_reader_wait_seconds_total", "Time that reads waited for a connection.")

	databaseSize = gauge("database_size_bytes", "Size of the database's file, with SQLite.")
	walSize      = gauge("database_wal_size_bytes", "Size of the database's write-ahead log, with SQLite.")
)

func collectStore(ch chan<- prometheus.Metric, s store.Stats) {
	commands.is(ch, float64(s.Commands.Done), "done")
	commands.is(ch, float64(s.Commands.Refused), "refused")
	commands.is(ch, float64(s.Commands.Failed), "failed")
	commands.is(ch, float64(s.Commands.Abandoned), "abandoned")
	commands.is(ch, float64(s.Commands.TurnedAway), "turned_away")
	queueDepth.is(ch, float64(s.QueueDepth))
	queueCapacity.is(ch, float64(s.QueueCapacity))
	writerCache.is(ch, float64(s.CacheHits), hit)
	writerCache.is(ch, float64(s.CacheMisses), miss)
	readersInUse.is(ch, float64(s.Readers.InUse))
	readersMost.is(ch, float64(s.Readers.Most))
	readerWaits.is(ch, float64(s.Readers.Waits))
	readerWaiting.is(ch, s.Readers.Waited.Seconds())
	if s.HasFiles {
		databaseSize.is(ch, float64(s.Files.Database))
		walSize.is(ch, float64(s.Files.WAL))
	}
}
