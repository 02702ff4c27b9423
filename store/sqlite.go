package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
)

const (
	sqliteFile  = "parley.db"
	lockFile    = "parley.lock"
	readerConns = 4
	// sqliteWriter: mattn's driver sets NORMAL unless FULL is said.
	sqliteWriter = "_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_busy_timeout=10000&_foreign_keys=1&_secure_delete=on&_stmt_cache_size=64"
	sqliteReader = "mode=ro&_query_only=1&_busy_timeout=10000&_stmt_cache_size=64"
)

// Why a directory is not opened.
var (
	// ErrInUse says that another process has it.
	ErrInUse = errors.New("another parley process uses this data directory")
	// ErrNoDatabase says that Options.Existing finds nothing there.
	ErrNoDatabase = errors.New("there is no database in this data directory")
)

// sqliteEngine is a directory with the database, owned by one process.
type sqliteEngine struct {
	sqliteDialect
	path        string // of the database's file
	lock        *flock.Flock
	write, read *sql.DB
	wal         *wal
}

var _ engine = (*sqliteEngine)(nil)

func openSQLite(ctx context.Context, dir string, existing bool) (_ *sqliteEngine, err error) {
	if existing {
		if _, err := os.Stat(filepath.Join(dir, sqliteFile)); errors.Is(err, fs.ErrNotExist) {
			return nil, ErrNoDatabase
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	e := &sqliteEngine{sqliteDialect: newSQLiteDialect()}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.close(ctx))
		}
	}()
	if e.lock, err = lockDir(dir); err != nil {
		return nil, err
	}
	if e.path, err = makeFile(dir); err != nil {
		return nil, err
	}
	e.write = sqlitePool(e.path, sqliteWriter, 1)
	if err := migrate(ctx, e.write, goose.DialectSQLite3, "sqlite"); err != nil {
		return nil, err
	}
	// What a process that died has left in the write-ahead log may have been deleted by it.
	if _, err := e.checkpoint(ctx, shortWait); err != nil {
		return nil, err
	}
	e.read = sqlitePool(e.path, sqliteReader, readerConns)
	e.wal = newWAL(e.path)
	return e, nil
}

// lockDir takes the lock that is given up when this process ends, however it ends.
func lockDir(dir string) (*flock.Flock, error) {
	lock := flock.New(filepath.Join(dir, lockFile), flock.SetPermissions(0o600))
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock the data directory: %w", err)
	}
	if !ok {
		return nil, ErrInUse
	}
	return lock, nil
}

// makeFile makes the database's file before SQLite does, for its mode, which the files beside
// it take over.
func makeFile(dir string) (string, error) {
	path, err := filepath.Abs(filepath.Join(dir, sqliteFile))
	if err != nil {
		return "", fmt.Errorf("find the data directory: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", fmt.Errorf("open the database's file: %w", err)
	}
	if err := f.Close(); err != nil {
		return "", fmt.Errorf("close the database's file: %w", err)
	}
	return path, nil
}

// sqliteConnector opens connections of one kind, without a driver registered for all.
type sqliteConnector struct {
	dsn    string
	driver *sqlite3.SQLiteDriver
}

func (c sqliteConnector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c sqliteConnector) Driver() driver.Driver                        { return c.driver }

func sqlitePool(path, params string, conns int) *sql.DB {
	file := url.URL{Path: filepath.ToSlash(path)} // a ? or a % in the path must not end it
	pool := sql.OpenDB(sqliteConnector{
		dsn: "file:" + file.EscapedPath() + "?" + params,
		driver: &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
			_, err := c.Exec(fmt.Sprintf("PRAGMA journal_size_limit = %d; PRAGMA wal_autocheckpoint = %d", walLimit, walLimit/pageSize), nil)
			return err
		}},
	})
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxIdleTime(0)
	return pool
}

// files implements engine. A file that is not there, as the log is before the first write, has no
// bytes.
func (e *sqliteEngine) files() (Files, bool) {
	return Files{Database: sizeOf(e.path), WAL: sizeOf(e.path + "-wal")}, true
}

func sizeOf(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func (e *sqliteEngine) pools() (write, read *sql.DB) { return e.write, e.read }

func (*sqliteEngine) dialector(pool *sql.DB) gorm.Dialector {
	return sqlite.New(sqlite.Config{Conn: pool})
}

// restored implements engine.
func (*sqliteEngine) restored(ctx context.Context, tx *sql.Tx) (head, floor int64, marked bool, err error) {
	if err = tx.QueryRowContext(ctx, "SELECT head FROM log_head").Scan(&head); err != nil {
		return 0, 0, false, err
	}
	floor, marked, err = floorOf(ctx, tx)
	return head, floor, marked, err
}

// wrote implements engine.
func (e *sqliteEngine) wrote(ctx context.Context) error {
	e.wal.committed()
	return e.wal.finish(ctx, e.write)
}

// rest empties the write-ahead log into the database. A reader holds that up for a moment only,
// so that no sender waits long for it.
func (e *sqliteEngine) rest(ctx context.Context) error {
	_, err := e.checkpoint(ctx, shortWait)
	return err
}

const (
	// shortWait is how long a checkpoint waits for readers while senders wait for it.
	shortWait = 50 * time.Millisecond
	// scrubPause is how long scrub leaves the connection to senders before it tries again, twice as long after each
	// try up to scrubPauseMost.
	scrubPause     = 100 * time.Millisecond
	scrubPauseMost = 2 * time.Second
)

// scrub empties the write-ahead log: it is the last place that may hold what has been overwritten with
// zeros in the database. A reader that is just reading, which holds that up, is waited for between attempts.
func (e *sqliteEngine) scrub(ctx context.Context) error {
	for wait := scrubPause; ; wait = min(2*wait, scrubPauseMost) {
		done, err := e.checkpoint(ctx, shortWait)
		if done || err != nil {
			return err
		}
		if !pause(ctx, wait) {
			return fmt.Errorf("empty the write-ahead log: %w", ctx.Err())
		}
	}
}

// checkpoint says whether nothing is left in the write-ahead log.
func (e *sqliteEngine) checkpoint(ctx context.Context, wait time.Duration) (done bool, err error) {
	conn, err := e.write.Conn(ctx)
	if err != nil {
		return false, fmt.Errorf("checkpoint: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, fmt.Sprintf("PRAGMA busy_timeout = %d", wait.Milliseconds())); err != nil {
		return false, fmt.Errorf("checkpoint: %w", err)
	}
	var busy, pages, written int
	err = conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &written)
	// Also when ctx has ended: senders wait longer than a checkpoint does.
	_, again := conn.ExecContext(context.WithoutCancel(ctx), "PRAGMA busy_timeout = 10000")
	if err = errors.Join(err, again); err != nil {
		return false, fmt.Errorf("checkpoint: %w", err)
	}
	return busy == 0, nil
}

func (e *sqliteEngine) close(ctx context.Context) error {
	var errs []error
	if e.wal != nil {
		errs = append(errs, e.wal.close())
	}
	if e.read != nil {
		errs = append(errs, e.read.Close())
	}
	if e.write != nil {
		_, err := e.checkpoint(ctx, 10*time.Second)
		errs = append(errs, err, e.write.Close())
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close())
	}
	return errors.Join(errs...)
}
