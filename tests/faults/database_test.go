package faults

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql's pgx
	_ "github.com/mattn/go-sqlite3"    // database/sql's sqlite3

	"parley/internal/pgtest"
	"parley/tests/faults/oracle"
)

// database is where a server keeps its data. It is read by SQL of the tests' own while no server runs.
type database struct {
	t   *testing.T
	dir string // --data
	dsn string // of PostgreSQL; empty: SQLite
}

func newSQLite(t *testing.T) *database {
	t.Helper()
	return &database{t: t, dir: t.TempDir()}
}

func newPostgres(t *testing.T) *database {
	t.Helper()
	return &database{t: t, dir: t.TempDir(), dsn: pgtest.DSN(t)}
}

func (d *database) file() string { return filepath.Join(d.dir, "parley.db") }

func (d *database) flags() []string {
	if d.dsn == "" {
		return []string{"--data", d.dir}
	}
	return []string{"--data", d.dir, "--database", d.dsn}
}

// check has the program look through the stopped database.
func (d *database) check(s *server) {
	d.t.Helper()
	if d.dsn == "" {
		s.command("check", "--data", d.dir)
	} else {
		s.command("check", "--database", d.dsn)
	}
}

// open gives a connection. The statements of the tests are the same for both.
func (d *database) open() *sql.DB {
	d.t.Helper()
	driver, name := "sqlite3", "file:"+d.file()+"?_busy_timeout=60000&_txlock=immediate"
	if d.dsn != "" {
		driver, name = "pgx", d.dsn
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		d.t.Fatalf("open the database: %v", err)
	}
	return db
}

// exec changes something as no server would.
func (d *database) exec(query string, args ...any) {
	d.t.Helper()
	db := d.open()
	defer func() { _ = db.Close() }()
	if d.dsn != "" {
		for i := range args {
			query = strings.Replace(query, "?", fmt.Sprintf("$%d", i+1), 1)
		}
	}
	if _, err := db.ExecContext(context.Background(), query, args...); err != nil {
		d.t.Fatalf("run %q: %v", query, err)
	}
}

// kept is what the log says of itself besides its entries.
type kept struct {
	head, oldest int64
	holes        []oracle.Hole
}

// log reads all entries.
func (d *database) log() (entries []oracle.Entry, k kept) {
	d.t.Helper()
	db := d.open()
	defer func() { _ = db.Close() }()
	d.rows(db, "SELECT id, type, room_id, aud_kind, aud_id, json FROM log ORDER BY id", func(rows *sql.Rows) error {
		var e oracle.Entry
		var json []byte
		err := rows.Scan(&e.ID, &e.Type, &e.Room, &e.AudienceKind, &e.AudienceID, &json)
		e.JSON = string(json)
		entries = append(entries, e)
		return err
	})
	d.rows(db, "SELECT head, oldest FROM log_head", func(rows *sql.Rows) error { return rows.Scan(&k.head, &k.oldest) })
	d.rows(db, "SELECT after_id, before_id FROM log_holes ORDER BY 1", func(rows *sql.Rows) error {
		var h oracle.Hole
		err := rows.Scan(&h.After, &h.Before)
		k.holes = append(k.holes, h)
		return err
	})
	if n := len(entries); n > 0 && entries[n-1].ID != k.head {
		d.t.Errorf("the log's head is %d, its newest entry %d", k.head, entries[n-1].ID)
	}
	return entries, k
}

func (d *database) rows(db *sql.DB, query string, scan func(*sql.Rows) error) {
	d.t.Helper()
	rows, err := db.QueryContext(context.Background(), query)
	if err != nil {
		d.t.Fatalf("run %q: %v", query, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			d.t.Fatalf("read the rows of %q: %v", query, err)
		}
	}
	if err := rows.Err(); err != nil {
		d.t.Fatalf("read the rows of %q: %v", query, err)
	}
}

// backends are the processes of PostgreSQL that work on the database.
func (d *database) backends() (pids []int) {
	d.t.Helper()
	db := d.open()
	defer func() { _ = db.Close() }()
	query := "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
	d.rows(db, query, func(rows *sql.Rows) error {
		var pid int
		err := rows.Scan(&pid)
		pids = append(pids, pid)
		return err
	})
	return pids
}
