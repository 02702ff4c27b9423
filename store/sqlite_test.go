package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/chat"
	"parley/models"
)

func TestDirectoryHasOneOwner(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a dir?x=%20#1", "new")
	s := mustOpen(t, Options{Dir: dir})
	_, err := Open(context.Background(), Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "another parley process uses this data directory") {
		t.Errorf("a second opener gets %v", err)
	}
	newUser(t, s, "ann", models.RoleMember)
	for path, mode := range map[string]os.FileMode{"": 0o700, sqliteFile: 0o600, sqliteFile + "-wal": 0o600, lockFile: 0o600} {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil || info.Mode().Perm() != mode {
			t.Errorf("%q: %v, %v, want mode %o", path, info, err, mode)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, sqliteFile+"-wal")); err == nil && info.Size() > 0 {
		t.Errorf("after Close the write-ahead log has %d bytes", info.Size())
	}
	again := mustOpen(t, Options{Dir: dir})
	if h := head(t, again); h != 2 {
		t.Errorf("head %d after opening again", h)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, o := range []Options{{Dir: file}, {URL: "mysql://x"}, {URL: "postgres://127.0.0.1:1/x?connect_timeout=5"}, {URL: "postgres://%"}} {
		if _, err := Open(context.Background(), o); err == nil || strings.Contains(err.Error(), "\n") && o.URL == "" {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func TestConnectionsAreSetUp(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, Options{Dir: t.TempDir()})
	write, read := s.engine.pools()
	for pragma, want := range map[string]string{
		"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000", "journal_size_limit": "67108864",
	} {
		var got string
		if err := write.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v, want %q", pragma, got, err, want)
		}
	}
	for range readerConns {
		if _, err := read.Exec("DELETE FROM users"); err == nil {
			t.Error("a reader's connection wrote")
		}
	}
}

func TestRestEmptiesTheWriteAheadLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	newUser(t, s, "ann", models.RoleMember)
	settled(t, s)
	// With a reader in the way it gives up, without harm.
	view(t, s, func(r chat.Reader) error {
		_, err := r.Head()
		return errors.Join(err, s.engine.rest(context.Background()))
	})
	if err := s.engine.rest(context.Background()); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(filepath.Join(dir, sqliteFile+"-wal")); err != nil || info.Size() != 0 {
		t.Errorf("the write-ahead log: %v, %v", info, err)
	}
	newUser(t, s, "bob", models.RoleMember)
}

// TestSnapshotStands is on both databases.
func TestSnapshotStands(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		view(t, s, func(r chat.Reader) error {
			before, err := r.Head()
			if err != nil {
				return err
			}
			ann := newUser(t, s, "ann", models.RoleMember)
			after, err := r.Head()
			if before != after || !errors.Is(errOf(r.User(ann.ID)), chat.ErrNotFound) {
				t.Errorf("a snapshot saw what came later: head %d, then %d", before, after)
			}
			return err
		})
		ctx, cancel := context.WithCancel(context.Background())
		err := s.View(ctx, func(r chat.Reader) error {
			if _, err := r.Head(); err != nil {
				return err
			}
			cancel()
			_, err := r.Head()
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a read that was broken off gives %v", err)
		}
		if err := s.View(ctx, func(chat.Reader) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("a read with an ended context gives %v", err)
		}
		if err := s.Ping(context.Background()); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		write, _ := s.engine.pools()
		is := "1"
		if s.engine.lockHead() {
			is = "true"
		}
		if _, err := write.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, " + is + ")"); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := Open(context.Background(), o)
		if err == nil || !strings.Contains(err.Error(), "the database has version 99999") || strings.Contains(err.Error(), "\n") {
			t.Errorf("a newer database gives %v", err)
		}
	})
}
