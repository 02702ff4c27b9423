package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Restoring is what Restore is told.
type Restoring struct {
	// Dir is the data directory; it is made where it is missing.
	Dir string
	// File is the copy to put there. Empty: the database that lies in Dir was put there by other means,
	// and is only marked.
	File string
	// Force lets a database that is there be replaced. It is kept, under another name.
	Force bool
	// Now dates that name.
	Now time.Time
}

// Restored is what Restore did.
type Restored struct {
	Copy
	Aside string // where the database that was there is now; empty: there was none
}

// Restore puts a backup, or any SQLite database of Parley, into a data directory that no server uses,
// and marks it: the first start leaves a hole in the ids, and whoever holds a position in what
// came after the backup is told of the loss.
func Restore(ctx context.Context, r Restoring) (out Restored, err error) {
	if err := prepare(ctx, r); err != nil {
		return out, err
	}
	lock, err := lockDir(r.Dir)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	target := DatabaseFile(r.Dir)
	if r.File == "" {
		out.Head, err = finishLive(ctx, target)
		return out, err
	}
	there, err := present(target)
	if err != nil {
		return out, err
	}
	if there && !r.Force {
		return out, fmt.Errorf("%s exists: --force puts it aside", target)
	}
	var floor int64
	if there {
		floor = lastLife(ctx, target)
	}
	out.Copy, err = writeCopy(ctx, r.File, target, floor, func(part string) (err error) {
		if out.Aside, err = putAside(target, r.Now); err != nil {
			return err
		}
		return os.Rename(part, target)
	})
	if err != nil {
		return out, fmt.Errorf("restore %s: %w", r.File, err)
	}
	return out, nil
}

// prepare sees to it that there is something to restore, and a directory to lock.
func prepare(ctx context.Context, r Restoring) error {
	if r.File == "" {
		_, err := os.Stat(DatabaseFile(r.Dir))
		return missing(err, "there is no database in "+r.Dir)
	}
	if err := checkSource(ctx, r.File); err != nil {
		return err
	}
	if err := os.MkdirAll(r.Dir, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	return nil
}

// checkSource refuses what is no whole database of Parley, or one of a newer program.
func checkSource(ctx context.Context, file string) (err error) {
	pool, err := openSQLiteFile(file, sqliteSource)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	version, err := versionOf(ctx, pool)
	if err != nil {
		return fmt.Errorf("%s is no database of Parley: %w", file, err)
	}
	if known := newestVersion("sqlite"); version > known {
		return fmt.Errorf("%s has version %d, this program knows %d at most: use a newer parley", file, version, known)
	}
	findings, err := damage(ctx, pool)
	if err != nil {
		return fmt.Errorf("check %s: %w", file, err)
	}
	if len(findings) > 0 {
		return fmt.Errorf("%s is damaged: %s", file, findings[0])
	}
	return nil
}

// finishLive marks a database where it is.
func finishLive(ctx context.Context, file string) (head int64, err error) {
	pool, err := openSQLiteFile(file, "mode=rw&_synchronous=FULL&_txlock=immediate&_busy_timeout=10000")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if err := pool.QueryRowContext(ctx, "SELECT head FROM log_head").Scan(&head); err != nil {
		return 0, fmt.Errorf("%s is no database of Parley: %w", file, err)
	}
	return head, mark(ctx, pool, 0)
}

// present says whether any file of a database is there. A write-ahead log without its database counts: it
// must not be taken for the restored one's.
func present(file string) (bool, error) {
	for _, suffix := range append(sqliteSuffixes(), "") {
		switch _, err := os.Lstat(file + suffix); {
		case err == nil:
			return true, nil
		case !errors.Is(err, fs.ErrNotExist):
			return false, err
		}
	}
	return false, nil
}

// lastLife is the head of the database that is replaced: the next life begins beyond it, whatever the
// clock says. A database that cannot be read any more has none.
func lastLife(ctx context.Context, file string) (head int64) {
	pool, err := openSQLiteFile(file, "mode=rw&_busy_timeout=10000")
	if err != nil {
		return 0
	}
	defer func() { _ = pool.Close() }()
	if err := pool.QueryRowContext(ctx, "SELECT head FROM log_head").Scan(&head); err != nil {
		return 0
	}
	// What is in its write-ahead log comes into the file, which then is the whole of it.
	_, _ = pool.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return head
}

// putAside gives the database another name, with all its files, so that they stay a whole. The database itself
// keeps the old name too until the restored one takes it: at no moment is there none, for which
// a server would make a new one.
func putAside(file string, now time.Time) (aside string, err error) {
	name := fmt.Sprintf("%s.replaced-%s", file, now.UTC().Format("20060102T150405.000Z"))
	move := os.Link
	for _, suffix := range append([]string{""}, sqliteSuffixes()...) {
		err := move(file+suffix, name+suffix)
		if err != nil && suffix == "" && !errors.Is(err, fs.ErrNotExist) {
			err = os.Rename(file, name) // a file system without links
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return aside, fmt.Errorf("put the database aside: %w", err)
		}
		if err == nil {
			aside = name
		}
		move = os.Rename
	}
	return aside, nil
}
