package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"parley/models"
)

// errDoubt goes with an error after which nobody knows whether the transaction was committed.
var errDoubt = errors.New("the outcome of the commit is not known")

// doubt is a commit whose answer did not come: its PostgreSQL transaction, and what is to be
// published if it happened after all.
type doubt struct {
	xid    string
	events []models.Event
	head   int64
}

// commitFailed says what became of a transaction whose commit gave an error. Where the database said
// so itself, it is undone. Where the connection broke, the server knows, and is asked.
func (w *writer) commitFailed(ctx context.Context, t *tx, err error) error {
	if _, said := errors.AsType[*pgconn.PgError](err); said || t.xid == "" {
		return err
	}
	w.doubt = &doubt{xid: t.xid, events: t.events, head: t.next - 1}
	// The batch's time may be up, which can be why the commit failed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), batchLimit)
	defer cancel()
	done, asked := w.settle(ctx)
	switch {
	case asked != nil:
		return errors.Join(err, asked)
	case done:
		return nil
	default:
		return err
	}
}

// settle finds out what became of the commit in doubt, if there is one, and publishes it if it
// was done. The error is errDoubt while the server cannot be asked: then nothing else
// may be written, since its entries would be published before those in doubt.
func (w *writer) settle(ctx context.Context) (done bool, err error) {
	if w.doubt == nil {
		return false, nil
	}
	const tries = 20
	for range tries {
		var status string
		err := w.db.WithContext(ctx).Raw("SELECT pg_xact_status(CAST(? AS xid8))", w.doubt.xid).Scan(&status).Error
		switch {
		case err != nil && ctx.Err() != nil:
			return false, fmt.Errorf("%w: %w", errDoubt, err)
		case status == "committed":
			d := w.doubt
			w.doubt = nil
			w.committed(d.events, d.head)
			return true, nil
		case status == "aborted":
			w.doubt = nil
			return false, nil
		}
		// In progress: the server has not noticed yet that the connection is gone. Or an error:
		// it is starting again.
		if !pause(ctx, 100*time.Millisecond) {
			break
		}
	}
	return false, fmt.Errorf("%w: no answer from the server", errDoubt)
}

// pause waits and says whether ctx still lives.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
