package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// A backup is a SQLite database in one file, as SQLite itself would have written it: any SQLite tool reads
// it, and it is checked like the database that it came from. What else a data directory may come to hold
// can go into a table of it, for which SQLite has a form too (sqlar).

const (
	// sqliteSource reads a database that another process may be writing. No query_only, which
	// VACUUM INTO would fall under.
	sqliteSource = "mode=ro&_busy_timeout=10000"
	// sqliteCopy changes a copy that nobody else has; the journal goes when it is closed.
	sqliteCopy = "mode=rw&_journal_mode=DELETE&_synchronous=FULL&_txlock=immediate"
)

// DatabaseFile is the path of the database in a data directory.
func DatabaseFile(dir string) string { return filepath.Join(dir, sqliteFile) }

// Copy is what was copied.
type Copy struct {
	Size int64 // bytes of the file
	Head int64 // the last entry in it
}

// Backup copies the SQLite database in dir to a new file, marked as a copy, while a server
// may be using it: it reads one snapshot and writes nothing there. The file is whole and on disk
// when it appears under its name; one of that name is never overwritten.
func Backup(ctx context.Context, dir, file string) (c Copy, err error) {
	source := DatabaseFile(dir)
	if _, err := os.Stat(source); err != nil {
		return c, missing(err, "there is no database in "+dir)
	}
	if err := absent(file); err != nil {
		return c, err
	}
	c, err = writeCopy(ctx, source, file, 0, func(part string) error {
		// A link, and not a rename, which would overwrite what has come to be there meanwhile.
		err := os.Link(part, file)
		if errors.Is(err, fs.ErrExist) {
			return exists(file)
		}
		if err != nil { // a file system without links
			if err := absent(file); err != nil {
				return err
			}
			return os.Rename(part, file)
		}
		return nil
	})
	if err != nil {
		return c, fmt.Errorf("back up to %s: %w", file, err)
	}
	return c, nil
}

func absent(file string) error {
	_, err := os.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return exists(file)
}

func exists(file string) error { return fmt.Errorf("%s exists and is not overwritten", file) }

// missing says it in words where a file is not there.
func missing(err error, text string) error {
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New(text)
	}
	return err
}

// writeCopy writes a marked copy of the database to a file beside the target, brings it to disk, and has
// publish give it its name. Whatever fails, the file beside it is gone.
func writeCopy(ctx context.Context, source, target string, floor int64, publish func(part string) error) (c Copy, err error) {
	f, err := os.CreateTemp(filepath.Dir(target), "."+filepath.Base(target)+".part-*") // mode 0600
	if err != nil {
		return c, err
	}
	part := f.Name()
	defer func() { err = errors.Join(err, remove(part), remove(part+"-journal")) }()
	if err := f.Close(); err != nil {
		return c, err
	}
	if part, err = filepath.Abs(part); err != nil {
		return c, err
	}
	if err := vacuumInto(ctx, source, part); err != nil {
		return c, err
	}
	if c.Head, err = finishCopy(ctx, part, floor); err != nil {
		return c, err
	}
	if c.Size, err = syncFile(part); err != nil {
		return c, err
	}
	if err := publish(part); err != nil {
		return c, err
	}
	return c, syncDir(filepath.Dir(target))
}

func vacuumInto(ctx context.Context, source, part string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	pool, err := openSQLiteFile(source, sqliteSource)
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, "VACUUM INTO ?", part)
	if ended := ctx.Err(); err != nil && ended != nil {
		err = ended // rather than SQLite's "interrupted"
	}
	return errors.Join(err, pool.Close())
}

// finishCopy marks the copy and reads its head.
func finishCopy(ctx context.Context, part string, floor int64) (head int64, err error) {
	pool, err := openSQLiteFile(part, sqliteCopy)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if err := mark(ctx, pool, floor); err != nil {
		return 0, err
	}
	if err := pool.QueryRowContext(ctx, "SELECT head FROM log_head").Scan(&head); err != nil {
		return 0, fmt.Errorf("read the copy: %w", err)
	}
	return head, nil
}

// openSQLiteFile opens one connection to a file that must be there.
func openSQLiteFile(path, params string) (*sql.DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, missing(err, "there is no file "+path)
	}
	return sqlitePool(path, params, 1), nil
}

func remove(file string) error {
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// syncFile brings a file to disk and gives its size.
func syncFile(path string) (size int64, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), f.Sync()
}

// syncDir brings to disk which names a directory has.
func syncDir(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}

// sqliteSuffixes are the files that make up a database in a directory.
func sqliteSuffixes() []string { return strings.Fields("-wal -shm -journal") }
