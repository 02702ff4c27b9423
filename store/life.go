package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"parley/models"
)

// A restored database goes back to an earlier moment, while clients hold positions in what came after it.
// The ids of that lost future must not be given out again: a client would resume in the middle of
// what it has never seen and be told nothing. So a copy is marked, and its first start leaves a
// hole in the ids, up to one that grows with the clock: however often the same copy is restored,
// each life has ids of its own, and positions in the others lie in the hole.

// idsPerSecond bounds how many entries a life may have for each second that it lasts, if
// the next one shall begin beyond them.
const idsPerSecond = 1 << 20

// epoch is when the clock that ids jump by began. 2^53 ids are reached in the year 2297.
var epoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// clockID is the id that the clock stands at.
func clockID(now time.Time) int64 {
	ms := now.Sub(epoch).Milliseconds() // not seconds: the next life may begin in the same one
	return ms/1000*idsPerSecond + ms%1000*idsPerSecond/1000
}

// mark makes the database's next start leave a hole beyond floor. It asks for no version of the
// database: copies are made before upgrades, too.
func mark(ctx context.Context, db *sql.DB, floor int64) error {
	for _, query := range []string{
		"CREATE TABLE IF NOT EXISTS restored (one INTEGER PRIMARY KEY CHECK (one = 1), floor BIGINT NOT NULL)",
		fmt.Sprintf("INSERT INTO restored (one, floor) VALUES (1, %d) ON CONFLICT (one) DO UPDATE "+
			"SET floor = CASE WHEN excluded.floor > restored.floor THEN excluded.floor ELSE restored.floor END", floor),
	} {
		if _, err := db.ExecContext(ctx, query); err != nil {
			return fmt.Errorf("mark the copy: %w", err)
		}
	}
	return nil
}

// beginLife leaves the hole where the database is marked, or was moved, and takes the mark away. It comes
// before the writer, and before anybody reads.
func beginLife(ctx context.Context, e engine, now time.Time) (hole *models.Hole, err error) {
	write, _ := e.pools()
	tx, err := write.BeginTx(ctx, e.writes())
	if err != nil {
		return nil, fmt.Errorf("look for the mark of a restore: %w", err)
	}
	defer func() {
		if undo := tx.Rollback(); !errors.Is(undo, sql.ErrTxDone) {
			err = errors.Join(err, undo)
		}
	}()
	head, floor, marked, err := e.restored(ctx, tx)
	if err != nil {
		return nil, fmt.Errorf("look for the mark of a restore: %w", err)
	}
	if marked {
		hole = &models.Hole{After: head, Before: max(head, floor, clockID(now)-1) + 1}
		if err := leaveHole(ctx, tx, *hole, now); err != nil {
			return nil, err
		}
	}
	if err := tx.Commit(); err != nil {
		return nil, fmt.Errorf("leave a hole in the ids: %w", err)
	}
	return hole, nil
}

// leaveHole writes the hole, and the entry behind it: with that, the head is a position that was given
// out in this life, and no reader that comes by it is told of a loss.
func leaveHole(ctx context.Context, tx *sql.Tx, h models.Hole, now time.Time) error {
	if h.Before >= models.MaxID {
		return fmt.Errorf("the ids cannot be moved to %d after the restore: is the clock right, which says %s?",
			h.Before, now.UTC().Format(time.RFC3339))
	}
	entry := models.Event{ID: h.Before, At: models.At(now), Type: models.LogRestored}
	if err := entry.Encode(models.RestoredData{After: h.After}); err != nil {
		return err
	}
	for _, s := range []struct {
		query string
		args  []any
	}{
		{
			"INSERT INTO log (id, at, type, room_id, aud_kind, aud_id, json) VALUES ($1, $2, $3, 0, 0, 0, $4)",
			[]any{entry.ID, millis(entry.At), string(entry.Type), entry.JSON},
		},
		{"INSERT INTO log_holes (after_id, before_id) VALUES ($1, $2)", []any{h.After, h.Before}},
		{"UPDATE log_head SET oldest = CASE WHEN oldest > head THEN $1 ELSE oldest END, head = $2", []any{h.Before, h.Before}},
		{"DELETE FROM restored", nil},
	} {
		if _, err := tx.ExecContext(ctx, s.query, s.args...); err != nil {
			return fmt.Errorf("leave a hole in the ids: %w", err)
		}
	}
	return nil
}

// floorOf reads the mark.
func floorOf(ctx context.Context, tx *sql.Tx) (floor int64, marked bool, err error) {
	err = tx.QueryRowContext(ctx, "SELECT floor FROM restored").Scan(&floor)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return floor, err == nil, err
}
