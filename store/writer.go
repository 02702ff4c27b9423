package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"gorm.io/gorm"

	"parley/chat"
	"parley/models"
)

const (
	// batchLimit ends a transaction whose server does not answer any more.
	batchLimit = 30 * time.Second
	// restAfter is how long nobody must have written before the engine tidies up.
	restAfter = 20 * time.Second
	// gatherTurns bounds how often the writer lets others run before a batch that is smaller than the
	// last one.
	gatherTurns = 16
	// settleEvery is how often the writer asks what became of a commit that nobody else asks for.
	settleEvery = time.Second
)

// job is a command that waits, and where its answer goes.
type job struct {
	cmd   chat.Command
	ended func() error // the caller's ctx.Err: nobody waits for the answer any more
	done  chan error   // takes one answer without waiting
	err   error        // the answer so far; the writer's only
}

func newJob(ctx context.Context, cmd chat.Command) *job {
	return &job{cmd: cmd, ended: ctx.Err, done: make(chan error, 1)}
}

// writer runs all commands on one goroutine, which alone touches everything below.
type writer struct {
	engine   engine
	db       *gorm.DB
	log      *slog.Logger
	clock    chat.Clock
	limit    int
	slow     time.Duration
	onCommit func([]models.Event)
	onBatch  func(Batch)
	fault    func(op string) error
	queue    chan *job
	stopped  chan struct{}

	batch   []*job
	cache   *cache
	head    int64  // the newest committed id; unknown where it is 0
	doubt   *doubt // a commit of which nobody knows yet
	written bool   // since the engine last rested
	untold  bool   // the engine has not heard of a commit
	counted counted
}

func newWriter(o Options, e engine, db *gorm.DB) *writer {
	return &writer{
		engine: e, db: db, log: o.Log, clock: o.Clock, limit: o.BatchSize, slow: o.SlowCommit,
		onCommit: o.OnCommit, onBatch: o.OnBatch, fault: o.Fault,
		queue: make(chan *job, o.QueueSize), stopped: make(chan struct{}),
		cache: newCache(),
	}
}

// loop runs until the queue is closed and empty.
func (w *writer) loop() {
	defer close(w.stopped)
	pause := time.NewTimer(restAfter)
	defer pause.Stop()
	for {
		select {
		case j, open := <-w.queue:
			if !open {
				return
			}
			w.run(w.gather(j))
			pause.Reset(w.untilRest())
		case <-pause.C:
			w.rest()
			pause.Reset(w.untilRest())
		}
	}
}

// gather adds to the first job what else waits. Those whom the last batch answered are just about
// to come again: to let them run first makes batches larger. It is no waiting for time: a lone
// sender, behind whose batches nobody waits, is kept for one turn of the scheduler at most.
func (w *writer) gather(first *job) []*job {
	before := len(w.batch)
	w.batch = append(w.batch[:0], first)
	if w.limit > 1 {
		runtime.Gosched()
		for turn := 0; turn < gatherTurns && len(w.queue)+1 < before; turn++ {
			runtime.Gosched()
		}
	}
	for len(w.batch) < w.limit {
		select {
		case j, open := <-w.queue:
			if !open {
				return w.batch
			}
			w.batch = append(w.batch, j)
		default:
			return w.batch
		}
	}
	return w.batch
}

func (w *writer) untilRest() time.Duration {
	if w.doubt != nil {
		return settleEvery
	}
	return restAfter
}

func (w *writer) rest() {
	ctx, cancel := context.WithTimeout(context.Background(), batchLimit)
	defer cancel()
	if w.doubt != nil {
		if _, err := w.settle(ctx); err != nil {
			w.log.Warn("cannot find out what became of a commit", "error", err)
		}
		return
	}
	if !w.written {
		return
	}
	w.written = false
	if err := w.engine.rest(ctx); err != nil {
		w.log.Warn("tidy up the database", "error", err)
	}
}

// run does the batch and answers every job of it.
func (w *writer) run(jobs []*job) {
	err := w.transact(jobs)
	switch {
	case err == nil:
	case len(jobs) == 1, errors.Is(err, errDoubt):
		for _, j := range jobs {
			j.err = explain(err)
		}
	default:
		w.oneByOne(jobs)
	}
	w.counted.jobs(jobs)
	w.counted.lookups(w.cache)
	for i, j := range jobs {
		j.done <- j.err
		jobs[i] = nil
	}
	w.tellEngine()
}

// tellEngine has the engine do what a commit leaves to be done. Nobody waits for it but who comes next.
func (w *writer) tellEngine() {
	if !w.untold {
		return
	}
	w.untold = false
	ctx, cancel := w.bounded()
	defer cancel()
	if err := w.engine.wrote(ctx); err != nil {
		w.log.Warn("tidy up the database", "error", err)
	}
}

// oneByOne runs each command in a transaction of its own, so that one that the database cannot do
// fails alone. Where the database is not to be had, waiting for it once is enough.
func (w *writer) oneByOne(jobs []*job) {
	var gone error
	for i := range jobs {
		if gone != nil {
			jobs[i].err = explain(gone)
			continue
		}
		err := w.transact(jobs[i : i+1])
		if err == nil {
			continue
		}
		jobs[i].err = explain(err)
		if f := faultOf(err); f == faultBusy || f == faultLost || errors.Is(err, errDoubt) {
			gone = err
		}
	}
}

// transact runs the jobs in one transaction and publishes what it committed. An error is the
// transaction's: then nothing of any job remains, save with errDoubt.
func (w *writer) transact(jobs []*job) error {
	ctx, cancel := w.bounded()
	defer cancel()
	if _, err := w.settle(ctx); err != nil {
		return err
	}
	t, err := w.begin(ctx)
	if err != nil {
		w.forget()
		return err
	}
	if err := t.runAll(jobs); err != nil {
		t.rollback()
		w.forget()
		return err
	}
	return w.commit(ctx, t)
}

// bounded is the context of a transaction: not that of any caller, since it does the commands of many.
// SQLite cannot hang on a server, and without a limit its driver needs no goroutine for each
// statement.
func (w *writer) bounded() (context.Context, context.CancelFunc) {
	if !w.engine.lockHead() {
		return context.Background(), func() {}
	}
	return context.WithTimeout(context.Background(), batchLimit)
}

// commit makes the transaction last and publishes it.
func (w *writer) commit(ctx context.Context, t *tx) error {
	if !t.dirty && len(t.events) == 0 && len(t.messages) == 0 && len(t.nonces) == 0 {
		t.rollback() // nothing to wait for the disk for
		return nil
	}
	if err := t.finish(); err != nil {
		t.rollback()
		w.forget()
		return err
	}
	err := w.fault(OpCommit)
	if err != nil {
		t.rollback()
		w.forget()
		return fmt.Errorf("commit: %w", injected{err})
	}
	if err := t.db.Commit().Error; err != nil {
		w.forget()
		return w.commitFailed(ctx, t, fmt.Errorf("commit: %w", err))
	}
	w.measure(t)
	w.committed(t.events, t.next-1)
	return nil
}

// committed publishes entries that are durable.
func (w *writer) committed(events []models.Event, head int64) {
	w.head = head
	w.written, w.untold = true, true
	if len(events) > 0 {
		w.onCommit(events)
	}
}

// forget drops all that was known of the state before a transaction that failed.
func (w *writer) forget() {
	w.head = 0
	w.cache.clear()
}
