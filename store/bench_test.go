package store

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/chat"
	"parley/internal/pgtest"
	"parley/models"
)

const senders = 64

// benchBoth runs the benchmark on each database.
func benchBoth(b *testing.B, bench func(b *testing.B, o Options)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, Options{Dir: b.TempDir()}) })
	b.Run("postgres", func(b *testing.B) { bench(b, Options{URL: pgtest.DSN(b)}) })
}

// sendMany sends b.N messages with nonces by 64 users at once into a channel.
func sendMany(b *testing.B, s *Store) {
	b.Helper()
	users, room := crowd(b, s, senders)
	var sent atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for _, u := range users {
		wg.Go(func() {
			for {
				n := sent.Add(1)
				if n > int64(b.N) {
					return
				}
				do(b, s, func(tx chat.Tx) error {
					_, err := post(tx, room.ID, u.ID, "what everybody says to everybody all day long", strconv.FormatInt(n, 36))
					return err
				})
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
}

// crowd makes users who are all in one channel.
func crowd(tb testing.TB, s *Store, n int) (users []models.User, room models.Room) {
	tb.Helper()
	for i := range n {
		users = append(users, newUser(tb, s, fmt.Sprintf("user%d", i), models.RoleMember))
	}
	room = newChannel(tb, s, "crowd", users[0])
	for _, u := range users[1:] {
		do(tb, s, func(tx chat.Tx) error { return join(tx, room.ID, u, models.RoomMember) })
	}
	return users, room
}

// BenchmarkSendGroupCommit and BenchmarkSendSingle together show what group commit is worth: at least six
// times on SQLite.
func BenchmarkSendGroupCommit(b *testing.B) {
	benchBoth(b, func(b *testing.B, o Options) { sendMany(b, mustOpen(b, o)) })
}

func BenchmarkSendSingle(b *testing.B) {
	benchBoth(b, func(b *testing.B, o Options) {
		o.BatchSize = 1
		sendMany(b, mustOpen(b, o))
	})
}

// BenchmarkSendWithHistory must be flat.
func BenchmarkSendWithHistory(b *testing.B) {
	for _, stored := range []int{0, 1_000_000} {
		b.Run(strconv.Itoa(stored), func(b *testing.B) {
			benchBoth(b, func(b *testing.B, o Options) {
				fill(b, o, stored, 100)
				sendMany(b, mustOpen(b, o))
			})
		})
	}
}

// fill appends n messages with nonces, and their entries, to rooms of the given number that nobody
// here is in, by bulk SQL. The store must not be open.
func fill(tb testing.TB, o Options, n, rooms int) {
	tb.Helper()
	if n == 0 {
		return
	}
	ctx := context.Background()
	e, err := openEngine(ctx, o)
	if err != nil {
		tb.Fatal(err)
	}
	blob := "BLOB"
	if e.lockHead() {
		blob = "bytea"
	}
	write, _ := e.pools()
	var first int
	if err := write.QueryRow("SELECT head + 1 FROM log_head").Scan(&first); err != nil {
		tb.Fatal(err)
	}
	last := first + n - 1
	ids := fmt.Sprintf("WITH RECURSIVE s(f) AS (SELECT %d UNION ALL SELECT f + 1 FROM s WHERE f < %d) SELECT ", first, last)
	room := fmt.Sprintf("1000000000 + f %% %d", rooms)
	for _, query := range []string{
		"INSERT INTO log (id, at, type, room_id, aud_kind, aud_id, json) " + ids +
			"f, 1, 'message.created', " + room + ", 2, " + room + ", CAST('" + strings.Repeat("x", 250) + "' AS " + blob + ") FROM s",
		"INSERT INTO messages (id, room_id, sender_id, body, created_at, nonce, reply_to, thread_id, announcement, ord, own) " + ids +
			"f, " + room + ", 2, '" + strings.Repeat("x", 100) + "', 1, CAST(f AS TEXT), 0, 0, CAST(0 AS boolean), " +
			fmt.Sprintf("(f - %d) / %d + 1, (f - %d) / %d + 1 FROM s", first, rooms, first, rooms),
		"INSERT INTO nonces (user_id, nonce, message_id, sent_to, digest, created_at) " + ids +
			"2 + f % 64, 'n' || f, f, '', CAST('" + strings.Repeat("x", 32) + "' AS " + blob + "), 1 FROM s",
		fmt.Sprintf("UPDATE log_head SET head = %d", last),
	} {
		if _, err := write.Exec(query); err != nil {
			tb.Fatalf("%s: %v", query, err)
		}
	}
	if err := e.close(ctx); err != nil {
		tb.Fatal(err)
	}
}

// BenchmarkReplay reads the page of a user in 1,000 rooms with 10 entries of their own behind a cursor,
// among many that are not theirs: it must be flat.
func BenchmarkReplay(b *testing.B) {
	for _, foreign := range []int{0, 1_000_000} {
		b.Run(strconv.Itoa(foreign), func(b *testing.B) {
			benchBoth(b, func(b *testing.B, o Options) { replay(b, o, foreign) })
		})
	}
}

func replay(b *testing.B, o Options, foreign int) {
	b.Helper()
	s := mustOpen(b, o)
	ann := newUser(b, s, "ann", models.RoleMember)
	var rooms []models.Room
	for i := range 1000 {
		rooms = append(rooms, newChannel(b, s, fmt.Sprint("room", i), ann))
	}
	cursor := head(b, s)
	own := func(from, to int) {
		for _, room := range rooms[from:to] {
			send(b, s, room.ID, ann.ID, "hello")
		}
	}
	own(0, 5)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	fill(b, o, foreign, 100_000)
	s = mustOpen(b, o)
	own(5, 10)
	b.ResetTimer()
	for range b.N {
		p, err := s.Page(context.Background(), ann.ID, cursor, 256)
		if err != nil || len(p.Events) != 10 || p.To != p.Head {
			b.Fatalf("%d events to %d of %d, %v", len(p.Events), p.To, p.Head, err)
		}
	}
}

// BenchmarkReplayBusyRooms is the worst of merging: 1,000 rooms that take turns.
func BenchmarkReplayBusyRooms(b *testing.B) {
	benchBoth(b, func(b *testing.B, o Options) {
		s := mustOpen(b, o)
		ann := newUser(b, s, "ann", models.RoleMember)
		var rooms []models.Room
		for i := range 1000 {
			rooms = append(rooms, newChannel(b, s, fmt.Sprint("room", i), ann))
		}
		cursor := head(b, s)
		for range 20 {
			do(b, s, func(tx chat.Tx) error {
				for _, room := range rooms {
					if _, err := post(tx, room.ID, ann.ID, "hello", ""); err != nil {
						return err
					}
				}
				return nil
			})
		}
		b.ResetTimer()
		for range b.N {
			if p, err := s.Page(context.Background(), ann.ID, cursor, 256); err != nil || len(p.Events) != 256 {
				b.Fatalf("%d events, %v", len(p.Events), err)
			}
		}
	})
}

// BenchmarkView is one small snapshot.
func BenchmarkView(b *testing.B) {
	benchBoth(b, func(b *testing.B, o Options) {
		s := mustOpen(b, o)
		ann := newUser(b, s, "ann", models.RoleMember)
		b.ResetTimer()
		for range b.N {
			view(b, s, func(r chat.Reader) error { _, err := r.User(ann.ID); return err })
		}
	})
}

// BenchmarkSendWhilePruning sends before, while and after a million old entries are pruned: `p99-ratio` is what
// that does to a send, `pruned/s` how fast it goes.
func BenchmarkSendWhilePruning(b *testing.B) {
	for _, n := range []int{1, senders} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			benchBoth(b, func(b *testing.B, o Options) {
				fill(b, o, 1_000_000, 100)
				s := mustOpen(b, o)
				write, _ := s.engine.pools()
				if _, err := write.Exec("UPDATE log SET at = 1 WHERE id = 1"); err != nil { // the lobby is as old as the rest
					b.Fatal(err)
				}
				users, room := crowd(b, s, n)
				prune := slices.DeleteFunc(chat.New(chat.Options{Store: s}).Chores(time.Hour),
					func(c chat.Chore) bool { return c.Name != "prune the log" })
				b.ResetTimer()
				usual := quantile(sendFor(b, s, users, room, 5*time.Second), 0.99)
				left := func() int64 {
					st, err := s.Standing(context.Background(), users[0].ID)
					if err != nil {
						b.Fatal(err)
					}
					return 1_000_000 - st.Oldest
				}
				janitor := chat.StartJanitor(prune, time.Minute, slog.New(slog.DiscardHandler))
				before, began := left(), time.Now()
				busy := quantile(sendFor(b, s, users, room, 10*time.Second), 0.99)
				b.ReportMetric(float64(before-left())/time.Since(began).Seconds(), "pruned/s")
				janitor.Close()
				again := quantile(sendFor(b, s, users, room, 5*time.Second), 0.99)
				b.ReportMetric(usual.Seconds()*1000, "p99-ms")
				b.ReportMetric(busy.Seconds()/((usual+again)/2).Seconds(), "p99-ratio")
			})
		})
	}
}

// sendFor has each user send as fast as they are answered, and gives how long each send took.
func sendFor(b *testing.B, s *Store, users []models.User, room models.Room, d time.Duration) (took []time.Duration) {
	b.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for _, u := range users {
		wg.Go(func() {
			var own []time.Duration
			for time.Now().Before(end) {
				began := time.Now()
				send(b, s, room.ID, u.ID, "what everybody says to everybody all day long")
				own = append(own, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, own...)
		})
	}
	wg.Wait()
	return took
}

func quantile(took []time.Duration, q float64) time.Duration {
	slices.Sort(took)
	return took[int(float64(len(took)-1)*q)]
}
