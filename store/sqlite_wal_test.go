package store

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

// settled waits until the writer has done what its last commit left to be done.
func settled(tb testing.TB, s *Store) {
	tb.Helper()
	do(tb, s, func(chat.Tx) error { return nil })
}

// sayAll posts n messages of so many letters in one transaction each.
func sayAll(tb testing.TB, s *Store, u models.User, n, letters int) {
	tb.Helper()
	for i := range n {
		send(tb, s, models.LobbyID, u.ID, fmt.Sprintf("%s %d", strings.Repeat("x", letters), i))
	}
}

func TestWriteAheadLogGrowsInSteps(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	ann := newUser(t, s, "ann", models.RoleMember)
	settled(t, s)
	sizes := map[int64]bool{}
	for range 60 {
		sayAll(t, s, ann, 1, 100)
		settled(t, s)
		sizes[sizeOf(filepath.Join(dir, sqliteFile+"-wal"))] = true
	}
	// Sixty commits write two or three steps.
	if len(sizes) > 4 {
		t.Errorf("it had %d sizes: %v", len(sizes), sizes)
	}
}

// What was committed is in the files at any moment, whatever stands behind it there: copies of them are what a crash leaves.
func TestZerosBehindTheFramesAreNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	ann := newUser(t, s, "ann", models.RoleMember)
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for n := range 16 {
		sayAll(t, s, ann, 1+random.IntN(20), random.IntN(8000))
		settled(t, s)
		if random.IntN(4) == 0 { // from here on the log begins anew
			mode := []string{"PASSIVE", "TRUNCATE"}[random.IntN(2)]
			if _, err := checkpointBy(t.Context(), s.engine.(*sqliteEngine).write, mode); err != nil {
				t.Fatal(err)
			}
		}
		if random.IntN(2) == 0 {
			continue
		}
		copied := filepath.Join(t.TempDir(), "copy")
		copyFiles(t, dir, copied)
		again := mustOpen(t, Options{Dir: copied})
		if is, want := head(t, again), head(t, s); is != want {
			t.Fatalf("seed %d, round %d: the copy's head is %d, want %d", seed, n, is, want)
		}
		if found, err := CheckFile(t.Context(), filepath.Join(copied, sqliteFile)); err != nil || len(found.Findings) > 0 {
			t.Fatalf("seed %d, round %d: %v, %v", seed, n, found, err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// copyFiles copies the database and its write-ahead log.
func copyFiles(tb testing.TB, from, to string) {
	tb.Helper()
	if err := os.Mkdir(to, 0o700); err != nil {
		tb.Fatal(err)
	}
	for _, name := range []string{sqliteFile, sqliteFile + "-wal"} {
		data, err := os.ReadFile(filepath.Join(from, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, name), data, 0o600)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// The log is written into the database long before SQLite would do it itself, and begins anew although somebody
// writes all the time.
func TestCheckpointsBesideTheWriter(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, Options{Dir: t.TempDir()})
	e := s.engine.(*sqliteEngine)
	ann := newUser(t, s, "ann", models.RoleMember)
	for pages := 0; pages < checkpointPages; {
		sayAll(t, s, ann, 5, 100_000)
		var err error
		if pages, err = checkpointBy(t.Context(), e.read, "NOOP"); err != nil {
			t.Fatal(err)
		}
		if done, err := written(t.Context(), e); err != nil || done {
			break
		}
	}
	// As many commits as these are not enough for SQLite's own.
	for range 1000 {
		sayAll(t, s, ann, 1, 100)
		waiting, err := checkpointBy(t.Context(), e.read, "NOOP")
		if err != nil {
			t.Fatal(err)
		}
		if waiting < checkpointPages/2 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the log only grows")
}

// The writer writes the pages that came while others went into the database, so that nothing is left.
func TestWriterEndsACheckpoint(t *testing.T) {
	t.Parallel()
	s := mustOpen(t, Options{Dir: t.TempDir()})
	e := s.engine.(*sqliteEngine)
	ann := newUser(t, s, "ann", models.RoleMember)
	sayAll(t, s, ann, 20, 100)
	settled(t, s)
	e.wal.last.Store(true)
	sayAll(t, s, ann, 1, 100)
	settled(t, s)
	if waiting, err := checkpointBy(t.Context(), e.read, "NOOP"); err != nil || waiting != 0 {
		t.Errorf("%d pages wait, %v", waiting, err)
	}
}

// written says whether a checkpoint has written pages of the log that is there.
func written(ctx context.Context, e *sqliteEngine) (bool, error) {
	var busy, pages, written int
	err := e.read.QueryRowContext(ctx, "PRAGMA wal_checkpoint(NOOP)").Scan(&busy, &pages, &written)
	return written > 0, err
}
