package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"gorm.io/gorm"

	"parley/chat"
	"parley/models"
)

// Options say where the data are and who hears of them.
type Options struct {
	// Dir is the directory of the SQLite database, made where it is missing. Unused with URL.
	Dir string
	// URL is a postgres:// URL; empty for SQLite in Dir.
	URL string
	// Existing refuses to make a SQLite database where there is none: ErrNoDatabase.
	Existing bool
	// Log gets what goes wrong in the background; nil for none.
	Log *slog.Logger
	// Clock is what entries are dated by; nil for time.Now.
	Clock chat.Clock
	// BatchSize is how many commands one transaction takes at most; 0 is 512.
	BatchSize int
	// QueueSize is how many commands may wait before more are refused; 0 is 1024.
	QueueSize int
	// SlowCommit is from when on a transaction is a warning in Log, since everybody who changes something
	// waits for it; 0 is a second.
	SlowCommit time.Duration
	// OnCommit is called with the entries of each committed batch, in id order, on the writer's goroutine:
	// after the commit, before the commands are answered. It owns the slice. It must not
	// block and not call the Store.
	OnCommit func([]models.Event)
	// OnBatch is called for each transaction that was committed, on the writer's goroutine, before its
	// entries are published. It must not block and not call the Store.
	OnBatch func(Batch)
	// Fault is for tests: called before the operations OpBegin, OpRead, OpInsert and OpCommit, it makes
	// the database fail with the error it returns. It may be called on any goroutine.
	Fault func(op string) error
}

// The operations that Options.Fault is asked about.
const (
	OpBegin  = "begin"  // a transaction of the writer, or a snapshot
	OpRead   = "read"   // one query
	OpInsert = "insert" // one statement that writes
	OpCommit = "commit"
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	engine  engine
	reads   *gorm.DB
	readSQL *sql.DB
	fault   func(op string) error
	writer  *writer

	mu     sync.RWMutex // guards closed, and that views grows only before it
	closed bool
	views  sync.WaitGroup
}

var _ chat.Store = (*Store)(nil)

// Open opens the database, makes it if it is missing, and brings it up to date. A SQLite
// directory that another process uses, and a database that a newer program has changed, are
// refused.
func Open(ctx context.Context, o Options) (*Store, error) {
	o = o.withDefaults()
	e, err := openEngine(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Store{engine: e, fault: o.Fault}
	hole, err := beginLife(ctx, e, o.Clock())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), e.close(ctx))
	}
	if hole != nil {
		o.Log.Info("the database was restored: positions beyond its last entry are told of the loss",
			"last", hole.After, "next", hole.Before)
	}
	if err := s.start(o); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), e.close(ctx))
	}
	return s, nil
}

// engine is one of the two databases: how it is opened and what it says differently.
type engine interface {
	dialect
	// dialector wraps one of the engine's pools for GORM.
	dialector(pool *sql.DB) gorm.Dialector
	// pools gives the writer's connection and the readers' pool, migrated.
	pools() (write, read *sql.DB)
	// restored reads the head and the mark of a restore, as the first statements of a transaction.
	restored(ctx context.Context, tx *sql.Tx) (head, floor int64, marked bool, err error)
	// wrote is told of each commit, when its senders have their answers.
	wrote(ctx context.Context) error
	// rest tidies up while nobody writes.
	rest(ctx context.Context) error
	// scrub leaves as little as the database can of what was overwritten or deleted.
	scrub(ctx context.Context) error
	// close closes both pools and gives up what the engine holds. Nobody uses it any more.
	close(ctx context.Context) error
	// files gives the size of the database's files where this process has them.
	files() (Files, bool)
}

func openEngine(ctx context.Context, o Options) (engine, error) {
	switch {
	case o.URL == "":
		return openSQLite(ctx, o.Dir, o.Existing)
	case strings.HasPrefix(o.URL, "postgres://"), strings.HasPrefix(o.URL, "postgresql://"):
		return openPostgres(ctx, o.URL)
	default:
		return nil, errors.New("the database must be a postgres:// URL, or empty for SQLite")
	}
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.BatchSize <= 0 {
		o.BatchSize = 512
	}
	if o.QueueSize <= 0 {
		o.QueueSize = 1024
	}
	if o.SlowCommit <= 0 {
		o.SlowCommit = time.Second
	}
	if o.OnCommit == nil {
		o.OnCommit = func([]models.Event) {}
	}
	if o.OnBatch == nil {
		o.OnBatch = func(Batch) {}
	}
	if o.Fault == nil {
		o.Fault = func(string) error { return nil }
	}
	return o
}

// start puts GORM over the engine's pools and starts the writer.
func (s *Store) start(o Options) error {
	config := func() *gorm.Config {
		return &gorm.Config{
			SkipDefaultTransaction: true,
			DisableAutomaticPing:   true,
			Logger:                 slowLog{o.Log},
		}
	}
	write, read := s.engine.pools()
	writes, err := gorm.Open(s.engine.dialector(write), config())
	if err != nil {
		return fmt.Errorf("open the writer's connection: %w", err)
	}
	s.reads, err = gorm.Open(s.engine.dialector(read), config())
	if err != nil {
		return fmt.Errorf("open the readers' connections: %w", err)
	}
	s.readSQL = read
	s.writer = newWriter(o, s.engine, writes)
	go s.writer.loop()
	return nil
}

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.View(ctx, func(r chat.Reader) error {
		_, err := r.Head()
		return err
	})
}

// Do implements chat.Store.
func (s *Store) Do(ctx context.Context, cmd chat.Command) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := newJob(ctx, cmd)
	if err := s.enqueue(j); err != nil {
		return err
	}
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		select {
		case err := <-j.done: // both at once: the answer says more
			return err
		default:
			return ctx.Err()
		}
	}
}

// enqueue never waits. The lock is for Close, which must not close the queue under a send.
func (s *Store) enqueue(j *job) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed()
	}
	select {
	case s.writer.queue <- j:
		return nil
	default:
		s.writer.counted.turnedAway.Add(1)
		return models.Unavailable(nil, "too many changes are waiting, come again in a moment")
	}
}

func errClosed() error { return models.Unavailable(nil, "the server is stopping") }

// Close does what was queued, refuses what comes later as unavailable, and closes the database. It
// waits for open snapshots.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.writer.queue)
	s.mu.Unlock()
	<-s.writer.stopped
	s.views.Wait()
	if err := s.engine.close(context.Background()); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	return nil
}
