package store

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// walLimit is what a checkpoint cuts the write-ahead log down to, in bytes, and the length at which SQLite would make
	// a checkpoint by itself while a sender waits, if nobody had done it before.
	walLimit = 64 << 20
	pageSize = 4 << 10
	// checkpointPages is how long the write-ahead log grows before its pages go into the database: the pages that every
	// batch writes again go there once for all of them. 16 MiB.
	checkpointPages = 4096
	// lastPages is how many pages may be left for the writer, which ends a checkpoint.
	lastPages = 1024
	// mostPasses bounds how often the pages that came meanwhile are written before the writer does the rest.
	mostPasses = 4
	// lookEvery is the least time between two looks at the log's length.
	lookEvery = 50 * time.Millisecond
	// walStep is by how much the write-ahead log's file is made longer at a time.
	walStep = 1 << 20
)

// wal keeps the write-ahead log out of the senders' way.
//
// A file that grows has its new length written into the file system's own journal at each sync, which takes
// several times as long as the sync of bytes that are there already. So the file is made longer by a
// step of zeros whenever SQLite has reached its end. SQLite goes by checksums and not by the
// file's length: zeros are no frame.
//
// A checkpoint writes thousands of pages all over the database. It is made on a connection and a goroutine of its own while
// the writer goes on, as far as it gets; the writer then writes the few pages that came meanwhile, behind which the log begins
// from its start again.
type wal struct {
	path string
	file *os.File // nil until there is something to lengthen
	size int64    // of the file, as far as it is known; of the writer

	pool    *sql.DB
	commits chan struct{} // one slot
	last    atomic.Bool   // the writer is to make the end of a checkpoint
	stop    context.CancelFunc
	stopped sync.WaitGroup
}

func newWAL(path string) *wal {
	w := &wal{path: path + "-wal", pool: sqlitePool(path, sqliteWriter, 1), commits: make(chan struct{}, 1)}
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	w.stopped.Go(func() { w.loop(ctx) })
	return w
}

// close ends the checkpoints; the writer has ended.
func (w *wal) close() error {
	w.stop()
	w.stopped.Wait()
	err := w.pool.Close()
	if w.file != nil {
		_ = w.file.Close() // nothing in it is ours
	}
	return err
}

// committed is called by the writer after a commit.
func (w *wal) committed() {
	w.lengthen()
	select {
	case w.commits <- struct{}{}:
	default:
	}
}

// lengthen adds a step of zeros behind the frames when these reach the file's end. Only the writer's connection writes frames, so
// nobody else is writing there. Where the disk has no room the file is left as SQLite made it.
func (w *wal) lengthen() {
	if w.file == nil {
		var err error
		if w.file, err = os.OpenFile(w.path, os.O_WRONLY, 0); err != nil {
			w.file = nil
			return
		}
	}
	info, err := w.file.Stat()
	if err != nil || info.Size() <= w.size || info.Size() >= walLimit {
		if err == nil {
			w.size = info.Size()
		}
		return
	}
	w.size = info.Size() + walStep
	if _, err := w.file.WriteAt(zeros[:], info.Size()); err != nil {
		w.size = info.Size()
		_ = w.file.Truncate(info.Size())
	}
}

var zeros [walStep]byte

func (w *wal) loop(ctx context.Context) {
	for {
		select {
		case <-w.commits:
		case <-ctx.Done():
			return
		}
		w.look(ctx)
		if !pause(ctx, lookEvery) {
			return
		}
	}
}

// look makes a checkpoint where the log is long enough for one. What fails is tried again at the next look; SQLite's own
// checkpoint is behind it.
func (w *wal) look(ctx context.Context) {
	waiting, err := checkpointBy(ctx, w.pool, "NOOP")
	if err != nil || waiting < checkpointPages {
		return
	}
	for range mostPasses {
		before := waiting
		if waiting, err = checkpointBy(ctx, w.pool, "PASSIVE"); err != nil {
			return
		}
		if waiting <= lastPages || waiting >= before { // a reader holds the rest up
			break
		}
	}
	w.last.Store(true)
}

// finish makes the end of a checkpoint, of the pages that were written while the others went into the database. The writer calls
// it between two batches.
func (w *wal) finish(ctx context.Context, conn *sql.DB) error {
	if !w.last.Swap(false) {
		return nil
	}
	_, err := checkpointBy(ctx, conn, "PASSIVE")
	return err
}

// checkpointBy says how many pages of the write-ahead log are not in the database yet.
func checkpointBy(ctx context.Context, pool *sql.DB, mode string) (waiting int, err error) {
	var busy, pages, written int
	if err := pool.QueryRowContext(ctx, "PRAGMA wal_checkpoint("+mode+")").Scan(&busy, &pages, &written); err != nil {
		return 0, fmt.Errorf("checkpoint: %w", err)
	}
	return pages - written, nil
}
