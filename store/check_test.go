package store

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"parley/chat"
	"parley/internal/pgtest"
	"parley/models"
)

func check(tb testing.TB, o Options) Health {
	tb.Helper()
	var h Health
	var err error
	if o.URL != "" {
		h, err = CheckURL(context.Background(), o.URL)
	} else {
		h, err = CheckFile(context.Background(), DatabaseFile(o.Dir))
	}
	if err != nil {
		tb.Fatalf("check: %v", err)
	}
	return h
}

// onCopies tests on databases that have in them what fill does, which is done once for each engine. Under -short it is left
// out: all of it is one call after the other.
func onCopies(t *testing.T, fill func(tb testing.TB, s *Store), test func(t *testing.T, another func(tb testing.TB) Options)) {
	t.Helper()
	if testing.Short() {
		t.Skip("one call after the other: run without -short")
	}
	onBoth(t, func(t *testing.T, o Options) {
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s)
		if o.URL != "" { // or a copy would be taken for one that was restored
			write, _ := s.engine.pools()
			if _, err := write.Exec("UPDATE log_head SET home = ''"); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		test(t, func(tb testing.TB) Options {
			if o.URL != "" {
				return Options{URL: pgtest.Copy(tb, o.URL)}
			}
			dir := tb.TempDir()
			if err := os.CopyFS(dir, os.DirFS(o.Dir)); err != nil {
				tb.Fatal(err)
			}
			return Options{Dir: dir}
		})
	})
}

// spoilt is what the check says after the queries, which semicolons part.
func spoilt(tb testing.TB, o Options, queries string) Health {
	tb.Helper()
	s := mustOpen(tb, o)
	write, _ := s.engine.pools()
	for query := range strings.SplitSeq(queries, ";") {
		if _, err := write.Exec(query); err != nil {
			tb.Fatal(err)
		}
	}
	return check(tb, o)
}

// lively fills a database with some of everything that the check looks at.
func lively(tb testing.TB, s *Store) {
	tb.Helper()
	ann, bob := newUser(tb, s, "ann", models.RoleMember), newUser(tb, s, "bob", models.RoleMember)
	newUser(tb, s, "vic", models.RoleVisitor)
	room := newChannel(tb, s, "tea", ann)
	do(tb, s, func(tx chat.Tx) error {
		return errors.Join(join(tx, room.ID, bob, models.RoomMember), leave(tx, room.ID, bob, false), join(tx, room.ID, bob, models.RoomMember))
	})
	for range 20 {
		send(tb, s, room.ID, bob.ID, "x")
	}
}

// Each thing that the check looks for is broken in a database of its own, and found.
func TestCheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ query, want string }{
		"well":    {"SELECT 1", ""},
		"head":    {"UPDATE log_head SET head = head + 1", "the head is noted as 30, the newest entry is 29"},
		"no head": {"DELETE FROM log_head", "no head"},
		"oldest":  {"UPDATE log_head SET oldest = 3", "the oldest entry is noted as 3 and is 1"},
		"gap":     {"DELETE FROM log WHERE id IN (12, 13)", "entries are missing between 11 and 14"},
		"message": {"INSERT INTO messages (id, room_id, sender_id, body, created_at, nonce, reply_to, thread_id, announcement, ord, own) " +
			"SELECT 2, 1, 2, 'x', 0, '', 0, 0, announcement, 1, 1 FROM messages LIMIT 1", "message 2 has no entry"},
		"members":  {"UPDATE rooms SET member_count = 9 WHERE name = 'tea'", "counts 9 members, there are 2"},
		"lobby":    {"UPDATE rooms SET member_count = 7 WHERE id = 1", "the lobby counts 7 people, there are 2"},
		"spell":    {"UPDATE memberships SET to_id = 5 WHERE to_id IS NOT NULL", "that does not lie in the log"},
		"users":    {"DROP INDEX users_name; UPDATE users SET name_key = 'ann'", "is that of 3 users"},
		"channels": {"DROP INDEX rooms_name; UPDATE rooms SET name_key = 'lobby'", "is that of 2 channels"},
		"many":     {"DELETE FROM log WHERE id % 2 = 1 AND id > 2 AND id < 29", "… and more like this"},
	}
	onCopies(t, lively, func(t *testing.T, another func(tb testing.TB) Options) {
		for name, tt := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := spoilt(t, another(t), tt.query)
				all := strings.Join(h.Findings, "\n")
				if (tt.want == "") != (all == "") || !strings.Contains(all, tt.want) {
					t.Errorf("found %q, want %q", all, tt.want)
				}
				if tt.want == "" && (h.Entries != 29 || h.Head != 29 || h.Messages != 20 || h.Users != 3 || h.Holes != 0) {
					t.Errorf("counted %+v", h)
				}
			})
		}
	})
}

func TestCheckFindsRowsThatPointNowhere(t *testing.T) {
	t.Parallel()
	o := Options{Dir: t.TempDir()}
	s, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	lively(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	spoil(t, DatabaseFile(o.Dir), "INSERT INTO memberships VALUES (99, 2, 'member', 3, NULL, 0, 0)")
	if h := check(t, o); len(h.Findings) != 1 || !strings.Contains(h.Findings[0], "a row of memberships points to a row of rooms") {
		t.Errorf("found %q", h.Findings)
	}
}

// What was pruned, and what a restore skipped, is not missed.
func TestCheckKnowsPruningAndHoles(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s, err := Open(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		lively(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		markIt(t, o)
		s = mustOpen(t, o)
		behind := head(t, s)
		for _, through := range []int64{0, 4, 20, 29, behind - 1, behind} {
			do(t, s, func(tx chat.Tx) error { return tx.PruneLog(through) })
			if h := check(t, o); len(h.Findings) > 0 || h.Holes != 1 {
				t.Errorf("pruned through %d: %+v", through, h)
			}
			ends, err := s.Standing(context.Background(), 2)
			if err != nil || ends.Expired(behind) || (through < 29) != (ends.Oldest <= 29) {
				t.Errorf("pruned through %d: %+v, %v", through, ends, err)
			}
			// 29 is the last before the hole: who stands there has missed nothing but the mark of the restore.
			if ends.Expired(29) != (through >= behind) || ends.Expired(28) != (through >= 29) {
				t.Errorf("pruned through %d: 28 %v, 29 %v", through, ends.Expired(28), ends.Expired(29))
			}
		}
		send(t, s, models.LobbyID, 2, "after all was pruned")
		if h := check(t, o); len(h.Findings) > 0 || h.Entries != 1 {
			t.Errorf("after all was pruned: %+v", h)
		}
	})
}
