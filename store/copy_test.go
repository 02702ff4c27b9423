package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

// names lists a directory.
func names(tb testing.TB, dir string) (names []string) {
	tb.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func mustRestore(tb testing.TB, dir, file string, force bool) Restored {
	tb.Helper()
	out, err := Restore(context.Background(), Restoring{Dir: dir, File: file, Force: force, Now: time.Now()})
	if err != nil {
		tb.Fatalf("restore: %v", err)
	}
	return out
}

func expired(tb testing.TB, s *Store, userID, cursor int64) bool {
	tb.Helper()
	st, err := s.Standing(context.Background(), userID)
	if err != nil {
		tb.Fatal(err)
	}
	return st.Expired(cursor)
}

// The same copy is restored twice: nobody who saw the first life's future is taken for somebody who
// knows the second's.
func TestRestoreTwice(t *testing.T) {
	t.Parallel()
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "copy.db")
	s, err := Open(context.Background(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ann := newUser(t, s, "ann", models.RoleMember)
	last := send(t, s, models.LobbyID, ann.ID, "before").ID
	c, err := Backup(context.Background(), dir, file)
	if err != nil || c.Head != last {
		t.Fatalf("backup %+v, %v, want head %d", c, err, last)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 || info.Size() != c.Size {
		t.Errorf("the copy's file: %+v, %v, want %d bytes", info, err, c.Size)
	}
	lost := send(t, s, models.LobbyID, ann.ID, "lost").ID
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	positions := []int64{lost}
	for life := range 3 {
		out := mustRestore(t, dir, file, true)
		if out.Aside == "" || out.Head != last {
			t.Errorf("life %d: restored %+v", life, out)
		}
		s, err := Open(context.Background(), Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		h := head(t, s)
		for _, p := range append(positions, last+1, h-1, h+1) {
			if !expired(t, s, ann.ID, p) {
				t.Errorf("life %d, head %d: position %d counts as known", life, h, p)
			}
		}
		for _, p := range []int64{0, 1, last - 1, last, h} {
			if expired(t, s, ann.ID, p) {
				t.Errorf("life %d, head %d: position %d counts as lost", life, h, p)
			}
		}
		for i := range 20 {
			if m := send(t, s, models.LobbyID, ann.ID, fmt.Sprint("life ", life)); m.ID != h+int64(i)+1 {
				t.Errorf("life %d: message %d after head %d", life, m.ID, h)
			}
		}
		positions = append(positions, h, h+1, h+7, h+20)
		p, err := s.Page(context.Background(), ann.ID, last, 100)
		if err != nil || len(p.Events) != 20 || p.Events[0].ID != h+1 || p.To != h+20 {
			t.Errorf("life %d: the page over the hole: %d events to %d, %v", life, len(p.Events), p.To, err)
		}
		if found, err := CheckFile(context.Background(), DatabaseFile(dir)); err != nil || len(found.Findings) > 0 || found.Holes != 1 {
			t.Errorf("life %d: %+v, %v", life, found, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		// Another start of the same life leaves no other hole.
		again := mustOpen(t, Options{Dir: dir})
		if now := head(t, again); now != h+20 {
			t.Errorf("life %d: the head moved from %d to %d by a start", life, h+20, now)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A clock that went back does not bring ids of the replaced life back.
func TestRestoreGoesBeyondTheReplacedDatabase(t *testing.T) {
	t.Parallel()
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "copy.db")
	past := func() time.Time { return epoch.Add(-time.Hour) }
	s, err := Open(context.Background(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ann := newUser(t, s, "ann", models.RoleMember)
	if _, err := Backup(context.Background(), dir, file); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		send(t, s, models.LobbyID, ann.ID, "lost")
	}
	lost := head(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mustRestore(t, dir, file, true)
	s = mustOpen(t, Options{Dir: dir, Clock: past})
	if h := head(t, s); h != lost+1 || !expired(t, s, ann.ID, lost) || expired(t, s, ann.ID, ann.ID) {
		t.Errorf("head %d after %d was lost", h, lost)
	}
}

func TestClockID(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time {
		when, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	if got := clockID(at("2025-01-01T00:00:01Z")); got != 1<<20 {
		t.Errorf("a second is %d", got)
	}
	if a, b := clockID(at("2026-05-05T10:00:00.001Z")), clockID(at("2026-05-05T10:00:00.002Z")); b-a < 1000 {
		t.Errorf("a millisecond is %d", b-a)
	}
	if got := clockID(at("2297-01-01T00:00:00Z")); got >= models.MaxID {
		t.Errorf("too large in 2297: %d", got)
	}
}

func TestRestoreRefusesAClockOutOfBounds(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s, err := Open(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		markIt(t, o)
		far := o
		far.Clock = func() time.Time { return time.Date(2400, 1, 1, 0, 0, 0, 0, time.UTC) }
		if s, err := Open(context.Background(), far); err == nil || !strings.Contains(err.Error(), "clock") {
			t.Errorf("opened %v, %v", s, err)
		}
		if h := head(t, mustOpen(t, o)); h < 1<<20 {
			t.Errorf("the mark is gone: head %d", h)
		}
	})
}

func markIt(tb testing.TB, o Options) {
	tb.Helper()
	var err error
	if o.URL != "" {
		_, err = MarkURL(context.Background(), o.URL)
	} else {
		_, err = Restore(context.Background(), Restoring{Dir: o.Dir})
	}
	if err != nil {
		tb.Fatalf("mark: %v", err)
	}
}

// A dump that is loaded into another database is found out, and one that was not moved is left alone.
func TestMovedPostgresIsARestoredOne(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		if o.URL == "" {
			t.Skip("a copy of a SQLite file is marked when it is made")
		}
		heads := []int64{}
		for _, change := range []string{"", "", "UPDATE log_head SET home = 'elsewhere/' || home", ""} {
			s, err := Open(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			heads = append(heads, head(t, s))
			if change != "" {
				write, _ := s.engine.pools()
				if _, err := write.Exec(change); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if heads[1] != heads[0] || heads[2] != heads[0] || heads[3] <= heads[0]+1<<20 {
			t.Errorf("heads %v", heads)
		}
	})
}

// Backup copies one moment, whatever is written meanwhile.
func TestBackupWhileSendersRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	ann := newUser(t, s, "ann", models.RoleMember)
	stop := make(chan struct{})
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					send(t, s, models.LobbyID, ann.ID, strings.Repeat("x", 500))
				}
			}
		})
	}
	for i := range 5 {
		file := filepath.Join(t.TempDir(), fmt.Sprint(i))
		acknowledged := head(t, s)
		c, err := Backup(context.Background(), dir, file)
		if err != nil || c.Head < acknowledged {
			t.Fatalf("backup %+v, %v, after %d was acknowledged", c, err, acknowledged)
		}
		h, err := CheckFile(context.Background(), file)
		if err != nil || len(h.Findings) > 0 || h.Head != c.Head || h.Entries != c.Head {
			t.Errorf("check %+v, %v", h, err)
		}
		if left := names(t, filepath.Dir(file)); !slices.Equal(left, []string{fmt.Sprint(i)}) {
			t.Errorf("beside the backup lies %v", left)
		}
	}
	close(stop)
	senders.Wait()
}

func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	newUser(t, s, "ann", models.RoleMember)
	there := filepath.Join(out, "there")
	if err := os.WriteFile(there, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tt := range []struct {
		ctx       context.Context
		dir, file string
		want      string
	}{
		{context.Background(), dir, there, "exists and is not overwritten"},
		{context.Background(), t.TempDir(), filepath.Join(out, "new"), "there is no database"},
		{context.Background(), dir, filepath.Join(out, "no", "where"), "no such file"},
		{ended, dir, filepath.Join(out, "new"), "context canceled"},
	} {
		_, err := Backup(tt.ctx, tt.dir, tt.file)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.file, err, tt.want)
		}
	}
	if raw, err := os.ReadFile(there); err != nil || string(raw) != "mine" {
		t.Errorf("the file that was there: %q, %v", raw, err)
	}
	if left := names(t, out); !slices.Equal(left, []string{"there"}) {
		t.Errorf("left over: %v", left)
	}
}

// A signal in the middle of a backup leaves nothing behind.
func TestBackupBrokenOff(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	write, _ := s.engine.pools()
	_, err := write.Exec("CREATE TABLE big AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60) " +
		"SELECT zeroblob(1000000) AS b FROM n")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		_, err := Backup(ctx, dir, filepath.Join(out, "copy.db"))
		done <- err
	}()
	for begun := false; !begun; { // until some of it is written
		entries, err := os.ReadDir(out)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			begun = begun || err == nil && info.Size() > 0
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("broken off: %v", err)
	}
	if left := names(t, out); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	ann := newUser(t, s, "ann", models.RoleMember)
	for range 300 {
		send(t, s, models.LobbyID, ann.ID, strings.Repeat("x", 300))
	}
	good, text := filepath.Join(out, "good"), filepath.Join(out, "text")
	broken, newer := filepath.Join(out, "broken"), filepath.Join(out, "newer")
	for _, file := range []string{good, newer} {
		if _, err := Backup(context.Background(), dir, file); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	late := raw[len(raw)/4*3:] // behind the schema, among the messages
	copy(late[:20000], slices.Repeat([]byte{0xff}, 20000))
	if err := errors.Join(os.WriteFile(broken, raw, 0o600), os.WriteFile(text, []byte("no database at all"), 0o600)); err != nil {
		t.Fatal(err)
	}
	spoil(t, newer, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)")
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "parley.db-wal"), []byte("left over"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		dir, file string
		force     bool
		want      string
	}{
		{dir, good, true, "another parley process"},
		{t.TempDir(), text, true, "is no database of Parley"},
		{t.TempDir(), broken, true, "damaged"},
		{t.TempDir(), newer, true, "use a newer parley"},
		{t.TempDir(), filepath.Join(out, "nothing"), true, "there is no file"},
		{other, good, false, "--force"},
	} {
		_, err := Restore(context.Background(), Restoring{Dir: tt.dir, File: tt.file, Force: tt.force})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.file, err, tt.want)
		}
		for _, name := range names(t, tt.dir) {
			if strings.Contains(name, ".part-") || strings.Contains(name, "replaced") {
				t.Errorf("%s: left over: %s", tt.file, name)
			}
		}
	}
	done := mustRestore(t, other, good, true)
	if done.Aside == "" || !slices.Contains(names(t, other), filepath.Base(done.Aside)+"-wal") {
		t.Errorf("the log that lay there went: %+v, %v", done, names(t, other))
	}
	if h := head(t, mustOpen(t, Options{Dir: other})); h < 1<<20 {
		t.Errorf("head %d", h)
	}
}

// spoil breaks a database file.
func spoil(tb testing.TB, file string, queries ...string) {
	tb.Helper()
	pool, err := openSQLiteFile(file, sqliteCopy)
	if err != nil {
		tb.Fatal(err)
	}
	for _, q := range queries {
		_, e := pool.Exec(q)
		err = errors.Join(err, e)
	}
	if err = errors.Join(err, pool.Close()); err != nil {
		tb.Fatal(err)
	}
}

// The database that was there is kept whole, with what its last process did not get to check in.
func TestRestoreKeepsWhatWasThere(t *testing.T) {
	t.Parallel()
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "copy.db")
	s, err := Open(context.Background(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	ann := newUser(t, s, "ann", models.RoleMember)
	if _, err := Backup(context.Background(), dir, file); err != nil {
		t.Fatal(err)
	}
	send(t, s, models.LobbyID, ann.ID, "kept aside")
	// A crash: the files as they are, with a write-ahead log.
	crashed := t.TempDir()
	for _, name := range []string{"parley.db", "parley.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err = errors.Join(err, os.WriteFile(filepath.Join(crashed, name), raw, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	out := mustRestore(t, crashed, file, true)
	aside := t.TempDir()
	if err := os.Rename(out.Aside, DatabaseFile(aside)); err != nil {
		t.Fatal(err)
	}
	old := mustOpen(t, Options{Dir: aside})
	view(t, old, func(r chat.Reader) error {
		h, err := r.Messages(models.LobbyID, models.Page{Limit: 10})
		if err == nil && (len(h.Messages) != 1 || h.Messages[0].Text != "kept aside") {
			t.Errorf("aside is %+v", h)
		}
		return err
	})
	if info, err := os.Stat(DatabaseFile(crashed)); err != nil || info.Mode() != 0o600 {
		t.Errorf("the restored file: %v, %v", info, err)
	}
}
