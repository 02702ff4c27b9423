package store

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"parley/chat"
	"parley/models"
)

var errBroken = errors.New("the cable is out")

// breaker is a Fault that fails some operations: the number of times left for each.
type breaker struct{ begin, read, insert, commit atomic.Int64 }

func (b *breaker) fault(op string) error {
	left := map[string]*atomic.Int64{OpBegin: &b.begin, OpRead: &b.read, OpInsert: &b.insert, OpCommit: &b.commit}[op]
	if left.Add(-1) >= 0 {
		return errBroken
	}
	left.Store(0)
	return nil
}

const always = 1 << 40

func TestBrokenDatabaseIsUnavailable(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var rec recorder
		var b breaker
		o.OnCommit = rec.add
		o.Fault = b.fault
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		before := len(rec.ids())
		hello := func(tx chat.Tx) error {
			_, err := post(tx, models.LobbyID, ann.ID, "hello", "n")
			return err
		}
		for name, left := range map[string]*atomic.Int64{"begin": &b.begin, "insert": &b.insert, "commit": &b.commit} {
			left.Store(always)
			err := s.Do(context.Background(), hello)
			e, ok := errors.AsType[*models.Error](err)
			if !ok || e.Code != models.CodeUnavailable || e.RetryAfter <= 0 || !errors.Is(err, errBroken) {
				t.Errorf("%s: Do gives %v", name, err)
			}
			left.Store(0)
		}
		b.read.Store(always)
		err := s.View(context.Background(), func(r chat.Reader) error { _, err := r.User(ann.ID); return err })
		if models.CodeOf(err) != models.CodeUnavailable {
			t.Errorf("View gives %v", err)
		}
		err = s.View(context.Background(), func(r chat.Reader) error { _, _ = r.User(ann.ID); return nil })
		if models.CodeOf(err) != models.CodeUnavailable {
			t.Errorf("View of a read that swallows the error gives %v", err)
		}
		if _, err := s.Page(context.Background(), ann.ID, 0, 10); models.CodeOf(err) != models.CodeUnavailable {
			t.Errorf("Page gives %v", err)
		}
		if err := s.Ping(context.Background()); models.CodeOf(err) != models.CodeUnavailable {
			t.Errorf("Ping gives %v", err)
		}
		b.read.Store(0)
		if n := len(rec.ids()); n != before {
			t.Errorf("%d events were published while the database was broken", n-before)
		}
		do(t, s, hello)
		gapless(t, rec.ids(), 2)
		if got := texts(t, s, models.LobbyID); !slices.Equal(got, []string{"hello"}) {
			t.Errorf("messages %q", got)
		}
	})
}

// TestFailedBatchIsDoneOneByOne fails a batch once at each of its steps.
func TestFailedBatchIsDoneOneByOne(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var rec recorder
		var b breaker
		o.OnCommit = rec.add
		o.Fault = b.fault
		s := mustOpen(t, o)
		users, room := crowd(t, s, 5)
		for name, left := range map[string]*atomic.Int64{"insert": &b.insert, "commit": &b.commit} {
			var cmds []chat.Command
			runs := make([]int, len(users))
			for i, u := range users {
				cmds = append(cmds, func(tx chat.Tx) error {
					if i == 0 && runs[0] == 0 && !tx.(interface{ scouting() bool }).scouting() {
						left.Store(1)
					}
					_, err := post(tx, room.ID, u.ID, name, name)
					if err == nil {
						runs[i]++
					}
					return err
				})
			}
			if err := errors.Join(together(t, s, cmds...)...); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if want := []int{2, 2, 2, 2, 2}; !slices.Equal(runs, want) {
				t.Errorf("%s: the commands ran %v times, want %v", name, runs, want)
			}
		}
		gapless(t, rec.ids(), 2)
		if got := len(texts(t, s, room.ID)); got != 2*len(users) {
			t.Errorf("%d messages, want %d", got, 2*len(users))
		}
	})
}

// scouting says whether the command is only run for its questions.
func (t *tx) scouting() bool { return t.asking }

// TestFullDisk really fills a SQLite database up.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	var rec recorder
	s := mustOpen(t, Options{Dir: t.TempDir(), OnCommit: rec.add})
	ann := newUser(t, s, "ann", models.RoleMember)
	write, _ := s.engine.pools()
	var pages int
	if err := write.QueryRow("PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	setLimit := func(n int) {
		var is int
		if err := write.QueryRow("PRAGMA max_page_count = " + itoa(n)).Scan(&is); err != nil || is != n {
			t.Fatalf("max_page_count is %d (%v), want %d", is, err, n)
		}
	}
	setLimit(pages + 8)
	long := func(text, nonce string) chat.Command {
		return func(tx chat.Tx) error {
			_, err := post(tx, models.LobbyID, ann.ID, text, nonce)
			return err
		}
	}
	var full error
	sent := 0
	for full == nil {
		if full = s.Do(context.Background(), long(longText, itoa(sent))); full == nil {
			sent++
		}
	}
	if models.CodeOf(full) != models.CodeUnavailable {
		t.Fatalf("a full disk gives %v", full)
	}
	errs := together(t, s, long(longText, "a"), long(longText, "b"), long(longText, "c"))
	for _, err := range errs {
		if models.CodeOf(err) != models.CodeUnavailable {
			t.Errorf("a batch on a full disk: %v", err)
		}
	}
	gapless(t, rec.ids(), 2)
	if got := len(texts(t, s, models.LobbyID)); got != sent || len(rec.ids()) != sent+1 {
		t.Errorf("%d stored, %d published, %d answered", got, len(rec.ids())-1, sent)
	}
	setLimit(pages + 1000)
	do(t, s, long("room again", "d"))
	gapless(t, rec.ids(), 2)
	if got := texts(t, s, models.LobbyID); got[len(got)-1] != "room again" {
		t.Error("the server did not live on")
	}
}

// What PostgreSQL says of a full disk, a file that may not grow and damage is no fault of the program.
func TestStatesOfPostgres(t *testing.T) {
	t.Parallel()
	for state, want := range map[string]fault{
		"53100": faultFull, "53300": faultBusy, "40001": faultBusy, "57P01": faultLost, "58030": faultIO, "XX000": faultIO, "XX001": faultIO,
		"23505": faultData, "42601": faultOther,
	} {
		if got := postgresFault(state); got != want {
			t.Errorf("%s is %v, want %v", state, got, want)
		}
	}
}
