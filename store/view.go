package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"parley/chat"
)

// View implements chat.Store.
func (s *Store) View(ctx context.Context, read func(r chat.Reader) error) error {
	return s.snapshot(ctx, func(r *reader) error { return read(r) })
}

// Scrub implements chat.Store.
func (s *Store) Scrub(ctx context.Context) error {
	done, err := s.use()
	if err != nil {
		return err
	}
	defer done()
	if err := s.engine.scrub(ctx); err != nil {
		return whyBroken(ctx, err)
	}
	return nil
}

// use holds Close up until done is called.
func (s *Store) use() (done func(), err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return nil, errClosed()
	}
	s.views.Add(1)
	return s.views.Done, nil
}

// snapshot runs read in one transaction that only reads.
func (s *Store) snapshot(ctx context.Context, read func(r *reader) error) error {
	done, err := s.use()
	if err != nil {
		return err
	}
	defer done()
	if err := s.fault(OpBegin); err != nil {
		return explain(injected{err})
	}
	db := s.begin(ctx)
	if db.Error != nil {
		return whyBroken(ctx, fmt.Errorf("begin to read: %w", db.Error))
	}
	// Nothing was written: whether the end of the transaction succeeds does not matter.
	defer db.Rollback()
	var failure error
	err = read(&reader{db: db, dialect: s.engine, fault: s.fault, failure: &failure})
	if failure == nil {
		return err
	}
	if err == nil {
		err = failure // a failed query must not pass for an answer
	}
	return whyBroken(ctx, err)
}

// begin opens a snapshot. Who waits for a connection is given the next that comes free, which may be one that somebody else broke by
// breaking off; database/sql takes three of those for a database that is gone. One that is gone is told by another error.
func (s *Store) begin(ctx context.Context) (db *gorm.DB) {
	for range brokenInARow {
		db = s.reads.WithContext(ctx).Begin(s.engine.snapshot())
		if !errors.Is(db.Error, driver.ErrBadConn) {
			break
		}
	}
	return db
}

// brokenInARow is far more connections than a pool has.
const brokenInARow = 100

// whyBroken prefers the reason why a query was broken off to the database's words for it.
func whyBroken(ctx context.Context, err error) error {
	if ended := ctx.Err(); ended != nil {
		return fmt.Errorf("read: %w", ended)
	}
	return explain(err)
}

// reader implements chat.Reader over one transaction.
type reader struct {
	dialect
	db      *gorm.DB
	fault   func(op string) error
	failure *error // set to the first error of the database, whatever becomes of it
	asking  bool   // nothing may be read now: see scout.go
}

var _ chat.Reader = (*reader)(nil)

// fail notes that the database failed at what, and gives the error to return.
func (r *reader) fail(what string, err error) error {
	err = fmt.Errorf("%s: %w", what, err)
	if *r.failure == nil {
		*r.failure = err
	}
	return err
}

// mayRead comes before each query.
func (r *reader) mayRead(what string) error {
	if r.asking {
		return errScout
	}
	if err := r.fault(OpRead); err != nil {
		return r.fail(what, injected{err})
	}
	return nil
}

// many reads all rows of a query into Ts.
func many[T any](r *reader, what, query string, args ...any) ([]T, error) {
	if err := r.mayRead(what); err != nil {
		return nil, err
	}
	var rows []T
	if err := r.db.Raw(query, args...).Scan(&rows).Error; err != nil {
		return nil, r.fail(what, err)
	}
	return rows, nil
}

// one reads the first row of a query; chat.ErrNotFound where there is none.
func one[T any](r *reader, what, query string, args ...any) (T, error) {
	var row T
	if err := r.mayRead(what); err != nil {
		return row, err
	}
	result := r.db.Raw(query, args...).Scan(&row)
	if result.Error != nil {
		return row, r.fail(what, result.Error)
	}
	if result.RowsAffected == 0 {
		return row, chat.ErrNotFound
	}
	return row, nil
}

// each calls scan for every row of a query: for the many rows of the log it saves reflection.
func (r *reader) each(what string, scan func(row scanner) error, query string, args ...any) error {
	if err := r.mayRead(what); err != nil {
		return err
	}
	rows, err := r.db.Raw(query, args...).Rows()
	if err != nil {
		return r.fail(what, err)
	}
	if err := scanAll(rows, scan); err != nil {
		return r.fail(what, err)
	}
	return nil
}

// scanAll calls scan for every row and closes rows.
func scanAll(rows *sql.Rows, scan func(row scanner) error) (err error) {
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// scanner is what *sql.Rows offers for one row.
type scanner interface{ Scan(dest ...any) error }
