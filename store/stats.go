package store

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"parley/models"
)

// Stats are the store's numbers at one moment. Counters count from Open on and never go back.
type Stats struct {
	Commands      Outcomes
	QueueDepth    int // commands that wait for the writer
	QueueCapacity int
	CacheHits     int64 // look-ups that the writer answered from memory
	CacheMisses   int64
	Readers       Readers
	Files         Files
	HasFiles      bool // Files is known: the database is SQLite
}

// Outcomes counts what became of commands.
type Outcomes struct {
	Done       int64
	Refused    int64 // by the rules
	Failed     int64 // by the database, or by a fault of the program
	Abandoned  int64 // nobody waited any more when their turn came
	TurnedAway int64 // the queue was full
}

// Readers are the connections that snapshots are read on.
type Readers struct {
	InUse, Most int
	Waits       int64 // snapshots that had to wait for a connection
	Waited      time.Duration
}

// Files are the sizes of the database's files in bytes.
type Files struct{ Database, WAL int64 }

// Batch is one transaction of the writer.
type Batch struct {
	Commands int // that it ran, refused ones too
	Events   int // entries that it wrote
	Took     time.Duration
}

// Stats asks the database nothing, so that it answers whatever the database does.
func (s *Store) Stats() Stats {
	c, pool := &s.writer.counted, s.readSQL.Stats()
	out := Stats{
		Commands: Outcomes{
			Done: c.done.Load(), Refused: c.refused.Load(), Failed: c.failed.Load(),
			Abandoned: c.abandoned.Load(), TurnedAway: c.turnedAway.Load(),
		},
		QueueDepth: len(s.writer.queue), QueueCapacity: cap(s.writer.queue),
		CacheHits: c.hits.Load(), CacheMisses: c.misses.Load(),
		Readers: Readers{
			InUse: pool.InUse, Most: pool.MaxOpenConnections, Waits: pool.WaitCount, Waited: pool.WaitDuration,
		},
	}
	out.Files, out.HasFiles = s.engine.files()
	return out
}

// counted is what the writer counts; others may read it meanwhile.
type counted struct {
	done, refused, failed, abandoned, turnedAway atomic.Int64
	hits, misses                                 atomic.Int64
}

// jobs counts the outcomes of a batch, with one addition for all that were done.
func (c *counted) jobs(jobs []*job) {
	done := int64(0)
	for _, j := range jobs {
		if j.err == nil {
			done++
			continue
		}
		c.outcome(j.err).Add(1)
	}
	c.done.Add(done)
}

func (c *counted) outcome(err error) *atomic.Int64 {
	switch code := models.CodeOf(err); {
	case code == models.CodeUnavailable:
		return &c.failed
	case code != models.CodeInternal:
		return &c.refused
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &c.abandoned
	default:
		return &c.failed
	}
}

// lookups publishes what the cache has counted without atomics.
func (c *counted) lookups(from *cache) {
	c.hits.Store(from.hits)
	c.misses.Store(from.misses)
}

// measure tells of a transaction that was just committed.
func (w *writer) measure(t *tx) {
	b := Batch{Commands: t.commands, Events: len(t.events), Took: time.Since(t.began)}
	if b.Took >= w.slow {
		w.log.Warn("slow commit", "took", b.Took, "commands", b.Commands, "events", b.Events)
	}
	w.onBatch(b)
}
