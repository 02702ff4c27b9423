package store

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"gorm.io/gorm"

	"parley/chat"
	"parley/models"
)

// tx is one transaction of the writer. It implements chat.Tx for each command in turn.
//
// Entries, messages and nonces wait in buffers until finish, or until a query must see them. The
// rest is written at once, after a savepoint that a refused command goes back to.
type tx struct {
	reader
	w    *writer
	conn gorm.ConnPool // of the transaction, for statements without GORM's help
	xid  string        // PostgreSQL: what the server calls the transaction

	began    time.Time
	commands int // that it runs

	now  models.Time
	next int64 // the id of the next entry

	events   []models.Event // never reused: they are given to OnCommit
	messages []models.Message
	nonces   []models.Nonce
	flushed  lengths // how much of the buffers the database has

	// scout and nonceKnown are for learn, in scout.go.
	scout      *scout
	nonceKnown map[nonceKey]*models.Nonce

	// rewritten is what the present command rewrote of events, the latest last.
	rewritten []waiting

	begin  lengths // of the buffers when the present command began
	saved  bool    // the present command has a savepoint
	atSave lengths // flushed when it was made
	dirty  bool    // something was written besides the buffers

	altering bool  // the present command has changed what writers remember
	altered  bool  // a command has that was not refused
	broken   error // what reader.failure points to
}

var _ chat.Tx = (*tx)(nil)

// lengths are positions in the three buffers.
type lengths struct{ events, messages, nonces int }

// begin opens a transaction. Where other processes write, its first statement locks the head,
// and only later ones look at anything: one that did both would see the state from before it
// waited for the lock.
func (w *writer) begin(ctx context.Context) (*tx, error) {
	if err := w.fault(OpBegin); err != nil {
		return nil, fmt.Errorf("begin: %w", injected{err})
	}
	began := time.Now()
	db := w.db.WithContext(ctx).Begin(w.engine.writes())
	if db.Error != nil {
		return nil, fmt.Errorf("begin: %w", db.Error)
	}
	t := &tx{w: w, conn: db.Statement.ConnPool, began: began}
	t.reader = reader{db: db, dialect: w.engine, fault: w.fault, failure: &t.broken}
	if err := t.readHead(); err != nil {
		t.rollback()
		return nil, err
	}
	t.next = w.head + 1
	return t, nil
}

// readHead sets the writer's head where it may be another than the writer knows, and makes the cache agree with it.
func (t *tx) readHead() error {
	switch {
	case t.lockHead():
		seen := t.w.head
		row := t.conn.QueryRowContext(t.context(), "SELECT head, CAST(pg_current_xact_id() AS text) FROM log_head FOR UPDATE")
		if err := row.Scan(&t.w.head, &t.xid); err != nil {
			return fmt.Errorf("lock the log's head: %w", err)
		}
		return t.catchUp(seen, t.w.head)
	case t.w.head == 0:
		if err := t.conn.QueryRowContext(t.context(), "SELECT head FROM log_head").Scan(&t.w.head); err != nil {
			return fmt.Errorf("read the log's head: %w", err)
		}
	}
	return nil
}

// runAll does the jobs in order. The error is the transaction's.
func (t *tx) runAll(jobs []*job) error {
	t.commands = len(jobs)
	if err := t.learn(jobs); err != nil {
		return err
	}
	for _, j := range jobs {
		if j.err = j.ended(); j.err != nil {
			continue
		}
		if err := t.run(j); err != nil {
			return err
		}
	}
	return nil
}

// run does one job. The error is the transaction's, which is lost then; the job's own goes
// into the job.
func (t *tx) run(j *job) error {
	t.now = models.At(t.w.clock())
	t.begin = t.filled()
	t.saved = false
	t.altering = false
	t.broken = nil
	j.err = t.call(j.cmd)
	switch {
	case t.broken == nil && j.err == nil:
		return t.keep()
	case t.broken == nil:
		return t.revert()
	case faultOf(t.broken) == faultData && (t.saved || t.survives()):
		if j.err == nil {
			j.err = t.broken // a failed statement must not pass for done
		}
		return t.revert()
	default:
		return t.broken
	}
}

// call runs the command and makes a panic its error.
func (t *tx) call(cmd chat.Command) (err error) {
	defer func() {
		if p := recover(); p != nil {
			t.w.log.Error("a command panicked", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("a command panicked: %v", p)
		}
	}()
	return cmd(t)
}

// keep makes the present command's changes part of the transaction.
func (t *tx) keep() error {
	t.w.cache.settle()
	t.rewritten = nil
	t.altered = t.altered || t.altering
	if !t.saved {
		return nil
	}
	return t.exec("RELEASE SAVEPOINT command")
}

// revert takes back all that the present command did.
func (t *tx) revert() error {
	t.w.cache.revert()
	if t.saved {
		if err := t.exec("ROLLBACK TO SAVEPOINT command"); err != nil {
			return err
		}
		if err := t.exec("RELEASE SAVEPOINT command"); err != nil {
			return err
		}
		t.flushed = t.atSave
	}
	t.unwrite()
	clear(t.events[t.begin.events:])
	t.events = t.events[:t.begin.events]
	t.messages = t.messages[:t.begin.messages]
	t.nonces = t.nonces[:t.begin.nonces]
	t.next = t.w.head + 1 + int64(len(t.events))
	return nil
}

// save makes the point that the present command goes back to if it refuses.
func (t *tx) save() error {
	if t.asking {
		return errScout
	}
	if t.saved {
		return nil
	}
	if err := t.exec("SAVEPOINT command"); err != nil {
		return t.fail("savepoint", err)
	}
	t.saved, t.atSave = true, t.flushed
	return nil
}

// context is the transaction's.
func (t *tx) context() context.Context { return t.db.Statement.Context }

func (t *tx) exec(query string) error {
	if _, err := t.conn.ExecContext(t.context(), query); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}

func (t *tx) filled() lengths {
	return lengths{len(t.events), len(t.messages), len(t.nonces)}
}

// flush writes what waits in the buffers, inside a command only after save: they may hold what the
// command itself appended.
func (t *tx) flush() error {
	if t.flushed == t.filled() {
		return nil
	}
	if err := t.fault(OpInsert); err != nil {
		return injected{err}
	}
	if rows := t.events[t.flushed.events:]; len(rows) > 0 {
		if err := t.insertLog(t.context(), t.conn, rows); err != nil {
			return err
		}
	}
	if rows := t.messages[t.flushed.messages:]; len(rows) > 0 {
		places, err := t.place(rows)
		if err != nil {
			return err
		}
		if err := t.insertMessages(t.context(), t.conn, rows, places); err != nil {
			return err
		}
		if err := t.insertMentions(t.context(), t.conn, mentionsOf(rows)); err != nil {
			return err
		}
		if err := t.countReplies(rows); err != nil {
			return err
		}
	}
	if rows := t.nonces[t.flushed.nonces:]; len(rows) > 0 {
		if err := t.insertNonces(t.context(), t.conn, rows); err != nil {
			return err
		}
	}
	t.flushed = t.filled()
	return nil
}

// show lets the next query see what is in the buffers.
func (t *tx) show() error {
	if t.flushed == t.filled() {
		return nil
	}
	if err := t.save(); err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return t.fail("write what was collected", err)
	}
	return nil
}

// finish writes what is left, and the new head.
func (t *tx) finish() error {
	if err := t.tell(); err != nil {
		return err
	}
	if err := t.flush(); err != nil {
		return err
	}
	t.w.cache.settle() // what it learnt in flush is no later command's to take back
	if len(t.events) == 0 {
		return nil
	}
	if _, err := t.conn.ExecContext(t.context(), "UPDATE log_head SET head = $1", t.next-1); err != nil {
		return fmt.Errorf("write the log's head: %w", err)
	}
	return nil
}

// rollback ends the transaction without a trace. Its error would tell nothing new: either it was
// undone before, or the connection is gone, which undoes it too.
func (t *tx) rollback() {
	t.db.Rollback()
}

// write runs one statement that is not collected and says how many rows it changed.
func (t *tx) write(what, query string, args ...any) (int64, error) {
	n, err := t.jot(what, query, args...)
	t.altering = t.altering || n > 0 && alters(query)
	return n, err
}

// jot is write for what decides nothing and may be older where a writer remembers it.
func (t *tx) jot(what, query string, args ...any) (int64, error) {
	if err := t.save(); err != nil {
		return 0, err
	}
	if err := t.fault(OpInsert); err != nil {
		return 0, t.fail(what, injected{err})
	}
	result := t.db.Exec(query, args...)
	if result.Error != nil {
		return 0, t.fail(what, result.Error)
	}
	t.dirty = t.dirty || result.RowsAffected > 0
	return result.RowsAffected, nil
}

// update is write for a row that must be there.
func (t *tx) update(what, query string, args ...any) error {
	n, err := t.write(what, query, args...)
	if err == nil && n == 0 {
		return fmt.Errorf("%s: %w", what, chat.ErrNotFound)
	}
	return err
}

// Now implements chat.Tx: one moment for each command.
func (t *tx) Now() models.Time { return t.now }

// NextID implements chat.Tx.
func (t *tx) NextID() int64 { return t.next }

// Head implements chat.Reader.
func (t *tx) Head() (int64, error) { return t.next - 1, nil }

// Append implements chat.Tx.
func (t *tx) Append(e models.Event, data any) (models.Event, error) {
	if t.asking {
		return e, errScout
	}
	e.ID, e.At = t.next, t.now
	if err := e.Encode(data); err != nil {
		return e, err
	}
	t.events = append(t.events, e)
	t.next++
	return e, nil
}
