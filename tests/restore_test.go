package tests

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"parley/client"
	"parley/internal/app"
	"parley/internal/pgtest"
	"parley/tests/harness"
)

// parley runs a command of the program and gives its exit code and what it printed.
func parley(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = app.Main(args, nil, &out, &err)
	return code, out.String(), err.String()
}

// must runs a command that has to succeed with one line.
func must(t *testing.T, args ...string) (line string) {
	t.Helper()
	code, out, complaint := parley(args...)
	if code != 0 || complaint != "" || strings.Count(out, "\n") != 1 {
		t.Fatalf("parley %v: %d %q %q", args, code, out, complaint)
	}
	return out
}

// mustFail runs a command that has to fail with the code, nothing on its output and one line.
func mustFail(t *testing.T, code int, want string, args ...string) {
	t.Helper()
	got, out, complaint := parley(args...)
	if got != code || out != "" || strings.Count(complaint, "\n") != 1 || !strings.Contains(complaint, want) {
		t.Errorf("parley %v: %d %q %q, want %d and %q", args, got, out, complaint, code, want)
	}
}

var headInLine = regexp.MustCompile(`head (\d+)`)

func headOf(t *testing.T, line string) int64 {
	t.Helper()
	match := headInLine.FindStringSubmatch(line)
	if match == nil {
		t.Fatalf("no head in %q", line)
	}
	id, err := strconv.ParseInt(match[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestBackupAndRestore goes back to a backup that was made under load, twice, while clients hold positions
// in what is lost by it.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	dir, file := t.TempDir(), filepath.Join(t.TempDir(), "parley.backup")
	s := harness.Start(t, harness.Flags("--data", dir))
	ann, bob := s.User("ann"), s.User("bob")
	ann.Room("tea", "public")
	bob.Post("/v1/rooms/tea/join", nil).Want(200)

	stop := babble(t, ann)
	saved := headOf(t, must(t, "backup", file, "--data", dir))
	mustFail(t, 1, "exists and is not overwritten", "backup", file, "--data", dir)
	mustFail(t, 1, "another parley process", "restore", file, "--data", dir, "--force")
	must(t, "check", "--data", dir)
	stop()
	late := s.Login("bob")
	live, lines := bob.Stream(), bob.NDJSON()
	lost := ann.Send("tea", "lost").ID
	for _, st := range []*harness.Stream{live, lines} {
		for e := st.Any(); e.ID != lost; e = st.Any() {
		}
	}

	beyond := []int64{saved + 1, lost}
	for life := range 2 {
		s.Stop()
		mustFail(t, 1, "--force", "restore", file, "--data", dir)
		must(t, "restore", file, "--data", dir, "--force")
		if info, err := os.Stat(filepath.Join(dir, "parley.db")); err != nil || info.Mode() != 0o600 {
			t.Errorf("the restored database: %v %v", info, err)
		}
		s.Restart()
		late.Get("/v1/me").Refused("unauthorized") // its session is lost, bob's is not
		head := bob.Head()
		if head <= lost {
			t.Fatalf("life %d begins at %d, and %d was given out", life, head, lost)
		}
		told := lossTold(t, bob, beyond, head)
		// Who knows no more than the backup has missed nothing.
		calm := bob.Stream(harness.After(saved))
		if calm.Ready.JSON == "" || !harness.DataOf[struct{ Resumed bool }](calm.Ready).Resumed {
			t.Errorf("life %d: the position of the backup opens with %s", life, calm.Ready.JSON)
		}
		var sent []int64
		for i := range 10 {
			sent = append(sent, ann.Send("tea", fmt.Sprintf("life %d: %d", life, i)).ID)
			if want := head + int64(i) + 1; sent[i] != want {
				t.Errorf("life %d: message %d, want %d", life, sent[i], want)
			}
		}
		for _, st := range append(told, calm) {
			for _, id := range sent {
				if e := st.Next(); e.ID != id {
					t.Fatalf("life %d: got %s, want message %d", life, e.JSON, id)
				}
			}
		}
		after := bob.Events(head)
		if len(after) != len(sent) || after[0].ID != sent[0] {
			t.Errorf("life %d: a poll from the head gives %v", life, after)
		}
		if n := len(bob.Events(saved)); n != len(sent) {
			t.Errorf("life %d: a poll over the hole gives %d events", life, n)
		}
		if line := must(t, "check", "--data", dir); !strings.Contains(line, "holes 1") {
			t.Errorf("life %d: %s", life, line)
		}
		beyond = append(beyond, head-1, head, sent[0], sent[9])
	}
	for _, m := range bob.History("tea") {
		if m.Text == "lost" || strings.HasPrefix(m.Text, "life 0") {
			t.Errorf("history has %q", m.Text)
		}
	}
}

// lossTold demands a reset, or a 410, for every position, and gives streams that had one.
func lossTold(t *testing.T, u *harness.User, positions []int64, head int64) (told []*harness.Stream) {
	t.Helper()
	for _, p := range positions {
		for _, open := range []func() *harness.Stream{
			func() *harness.Stream { return u.Stream(harness.After(p)) },
			func() *harness.Stream { return u.Stream(harness.Header("Last-Event-ID", fmt.Sprint(p))) },
			func() *harness.Stream { return u.NDJSON(harness.After(p)) },
		} {
			st := open()
			e := st.Any()
			if e.Type != "reset" || harness.DataOf[client.ResetData](e).Cursor != head || (e.SSEID != "" && e.SSEID != fmt.Sprint(head)) {
				t.Errorf("position %d is given %s, want a reset to %d", p, e.JSON, head)
			}
			told = append(told, st)
		}
		problem := u.Get("/v1/events", harness.After(p), harness.Query("wait", "0")).Refused("cursor_expired")
		if *problem.Cursor != head {
			t.Errorf("position %d: polled, it is sent to %d, want %d", p, *problem.Cursor, head)
		}
	}
	return told
}

// babble has several senders say things until stop is called.
func babble(t *testing.T, u *harness.User) (stop func()) {
	t.Helper()
	done := make(chan struct{})
	var senders sync.WaitGroup
	for range 3 {
		senders.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-done:
					return
				default:
				}
				if a := u.Post("/v1/send", map[string]any{"to": "tea", "text": fmt.Sprint(n)}); a.Status != 201 {
					t.Errorf("send: %d %s", a.Status, a.Body)
					return
				}
			}
		})
	}
	return func() {
		close(done)
		senders.Wait()
	}
}

// TestRestoredPostgres goes on with a copy in another database, as a loaded dump is: nobody has to say so.
func TestRestoredPostgres(t *testing.T) {
	t.Parallel()
	dsn := pgtest.DSN(t)
	s := harness.Start(t, harness.Flags("--database", dsn))
	ann := s.User("ann")
	ann.Send("lobby", "kept")
	saved := ann.Head()
	s.Stop()
	dump := pgtest.Copy(t, dsn)
	s.Restart()
	lost := ann.Send("lobby", "lost").ID
	if lost != saved+1 {
		t.Errorf("a restart moved the ids from %d to %d", saved, lost)
	}

	other := harness.Start(t, harness.Flags("--database", dump))
	ann = other.With(ann.ID, ann.Name, ann.Token)
	head := ann.Head()
	lossTold(t, ann, []int64{lost, saved + 2}, head)
	if got := ann.Events(saved); len(got) > 0 {
		t.Errorf("after the dump there is %v", got)
	}
	if line := must(t, "check", "--database", dump); !strings.Contains(line, "holes 1") {
		t.Errorf("moved: %s", line)
	}
	other.Stop()
	must(t, "restore", "--database", dump)
	other.Restart()
	if line := must(t, "check", "--database", dump); !strings.Contains(line, "holes 2") {
		t.Errorf("marked by hand: %s", line)
	}
	lossTold(t, ann, []int64{head + 1}, ann.Head())
}
