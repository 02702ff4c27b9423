package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/chat"
	"parley/internal/pgtest"
	"parley/models"
)

// fillRoom puts n messages of one sender into a room that has none, by bulk SQL. The store must not be open.
func fillRoom(tb testing.TB, o Options, room, sender int64, n int) {
	tb.Helper()
	ctx := context.Background()
	e, err := openEngine(ctx, o)
	if err != nil {
		tb.Fatal(err)
	}
	write, _ := e.pools()
	for _, query := range []string{
		fmt.Sprintf("INSERT INTO messages (id, room_id, sender_id, body, created_at, nonce, reply_to, thread_id, announcement, ord, own) "+
			"WITH RECURSIVE s(f) AS (SELECT 1 UNION ALL SELECT f + 1 FROM s WHERE f < %d) "+
			"SELECT f + (SELECT head FROM log_head), %d, %d, '%s', 1, '', 0, 0, CAST(0 AS boolean), f, f FROM s",
			n, room, sender, strings.Repeat("x", 100)),
		fmt.Sprintf("UPDATE log_head SET head = head + %d", n),
	} {
		if _, err := write.ExecContext(ctx, query); err != nil {
			tb.Fatalf("%s: %v", query, err)
		}
	}
	if err := e.close(ctx); err != nil {
		tb.Fatal(err)
	}
}

// roomsWith makes a database where ann is in ten channels with n messages each, her own or bob's.
func roomsWith(tb testing.TB, o Options, n int, own bool) (*Store, models.User) {
	tb.Helper()
	s := mustOpen(tb, o)
	ann, bob := newUser(tb, s, "ann", models.RoleMember), newUser(tb, s, "bob", models.RoleMember)
	var rooms []models.Room
	for i := range 10 {
		rooms = append(rooms, newChannel(tb, s, fmt.Sprint("room", i), ann))
	}
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	sender := bob.ID
	if own {
		sender = ann.ID
	}
	for _, room := range rooms {
		fillRoom(tb, o, room.ID, sender, n)
	}
	return mustOpen(tb, o), ann
}

// listed is the room list with its counts, as a client loads it.
func listed(tb testing.TB, s *Store, user models.User) (list []models.JoinedRoom) {
	tb.Helper()
	view(tb, s, func(r chat.Reader) (err error) {
		if list, err = r.JoinedRooms(user.ID, models.LobbyID, 200); err != nil {
			return err
		}
		return r.FillRooms(list, user.ID)
	})
	return list
}

// BenchmarkRoomList loads ten rooms with 10 messages each and with 100,000, unread, the reader's own, or read:
// `ratio` is what the many cost by the few, and must be about 1.
func BenchmarkRoomList(b *testing.B) {
	for _, sort := range []string{"unread", "own", "read"} {
		b.Run(sort, func(b *testing.B) {
			for name, options := range map[string]func() Options{
				"sqlite":   func() Options { return Options{Dir: b.TempDir()} },
				"postgres": func() Options { return Options{URL: pgtest.DSN(b)} },
			} {
				b.Run(name, func(b *testing.B) { benchRoomList(b, options, sort) })
			}
		})
	}
}

func benchRoomList(b *testing.B, options func() Options, sort string) {
	b.Helper()
	sizes := []int{10, 100_000}
	took := make([]time.Duration, len(sizes))
	stores, users := make([]*Store, len(sizes)), make([]models.User, len(sizes))
	for i, n := range sizes {
		stores[i], users[i] = roomsWith(b, options(), n, sort == "own")
		unread := n
		if sort == "own" {
			unread = 0
		}
		for _, room := range listed(b, stores[i], users[i]) {
			if room.Unread != unread {
				b.Fatalf("%d unread of %d", room.Unread, n)
			}
			if sort == "read" {
				do(b, stores[i], func(tx chat.Tx) error {
					_, err := tx.MoveRead(users[i].ID, room.ID, room.LastMessage.ID)
					return err
				})
			}
		}
	}
	b.ResetTimer()
	for range b.N {
		for i, s := range stores {
			began := time.Now()
			listed(b, s, users[i])
			took[i] += time.Since(began)
		}
	}
	b.ReportMetric(float64(took[0].Microseconds())/float64(b.N), "few-µs")
	b.ReportMetric(float64(took[1].Microseconds())/float64(b.N), "many-µs")
	b.ReportMetric(float64(took[1])/float64(took[0]), "ratio")
}

// explained is the plan of a query, a line for each step.
func explained(t *testing.T, r *reader, query string, args ...any) string {
	t.Helper()
	var lines []string
	prefix := "EXPLAIN "
	if !r.lockHead() {
		prefix = "EXPLAIN QUERY PLAN "
	}
	err := r.each("explain", func(row scanner) error {
		var line string
		columns := []any{&line}
		if !r.lockHead() {
			columns = []any{new(any), new(any), new(any), &line}
		}
		err := row.Scan(columns...)
		lines = append(lines, line)
		return err
	}, prefix+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

// All is looked up by index, one by one: of no table are all rows gone through. PostgreSQL is asked while the tables are
// small and it knows nothing of them, when they have grown, and when it knows that they have, and that the others are empty.
func TestCountsUseIndexes(t *testing.T) {
	t.Parallel()
	through := regexp.MustCompile(`Seq Scan on \w+|SCAN \w+`)
	onBoth(t, func(t *testing.T, o Options) {
		s, ann := roomsWith(t, o, 10, false)
		check := func(empty ...string) {
			t.Helper()
			rooms := listed(t, s, ann)
			err := s.snapshot(t.Context(), func(r *reader) error {
				plan := explained(t, r, "WITH k AS ("+r.places()+")"+r.counts(), placeList(rooms), ann.ID, ann.ID)
				for _, found := range through.FindAllString(plan, -1) {
					if found != "SCAN json_each" && found != "SCAN b" && // the rooms that are asked for
						!slices.Contains(empty, strings.TrimPrefix(found, "Seq Scan on ")) {
						t.Errorf("%s in\n%s", found, plan)
					}
				}
				// From the newest message of all backwards until one fits: in a room, or by somebody, where little was said
				// that is most of the table.
				if strings.Contains(plan, "Backward using messages_pkey") {
					t.Errorf("the primary key is gone through in\n%s", plan)
				}
				for _, index := range []string{"messages_room", "messages_sender", "tombstones_room"} {
					if len(empty) > 0 && index == "tombstones_room" {
						continue
					}
					if !strings.Contains(plan, index) {
						t.Errorf("%s is not used in\n%s", index, plan)
					}
				}
				plan = explained(t, r, messageQuery+r.oneOf("m.id"), r.idList([]int64{10, 11, 12}))
				if strings.Contains(plan, "Seq Scan on messages") || strings.Contains(plan, "SCAN m") {
					t.Errorf("all messages are gone through in\n%s", plan)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
		check()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		fillRoom(t, o, 999_999, ann.ID, 20_000)
		s = mustOpen(t, o)
		check()
		write, _ := s.engine.pools()
		if _, err := write.ExecContext(t.Context(), "ANALYZE"); err != nil {
			t.Fatal(err)
		}
		check("reads", "tombstones", "mentions")
	})
}
