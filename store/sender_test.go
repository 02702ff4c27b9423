package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"parley/chat"
	"parley/models"
)

// What somebody said in several rooms, in turns, is read room by room, each message once, whatever the pages.
func TestMessagesOfOneSender(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		rooms := []int64{models.LobbyID, newChannel(t, s, "tea", ann).ID, newChannel(t, s, "milk", ann).ID}
		for _, room := range rooms[1:] {
			do(t, s, func(tx chat.Tx) error { return join(tx, room, bob, models.RoomMember) })
		}
		said := map[int64][]int64{}
		var gone []int64
		do(t, s, func(tx chat.Tx) error {
			for i := range 15 {
				m, err := post(tx, rooms[i%3], ann.ID, "a", "")
				if err != nil {
					return err
				}
				if said[m.RoomID] = append(said[m.RoomID], m.ID); i%5 == 3 {
					gone = append(gone, m.ID)
				}
				if m, err = revise(tx, m, "b", false); err != nil {
					return err
				}
				if _, err = revise(tx, m, "c", false); err != nil {
					return err
				}
				if _, err = post(tx, rooms[i%3], bob.ID, "not ann's", ""); err != nil {
					return err
				}
			}
			return entomb(tx, gone)
		})
		upTo := said[rooms[1]][4] // the last but one of all
		var all, live, texts []int64
		for _, room := range rooms {
			for _, id := range said[room] {
				if id <= upTo {
					all = append(all, id)
				}
				if slices.Contains(gone, id) {
					continue
				}
				if live = append(live, id); id <= upTo {
					texts = append(texts, id, id)
				}
			}
		}
		both(t, s, func(r chat.Reader) error {
			for _, never := range [][2]int64{{models.LobbyID, bob.ID + 1}, {rooms[2] + 1, bob.ID}, {rooms[2] + 1, ann.ID}} {
				if _, err := r.LastSent(never[0], never[1]); !errors.Is(err, chat.ErrNotFound) {
					return fmt.Errorf("%d has sent something to %d: %w", never[1], never[0], err)
				}
			}
			_, err := r.LastSent(rooms[1], ann.ID)
			return err
		})
		for limit := 1; limit <= 16; limit += 3 {
			both(t, s, func(r chat.Reader) error { return senderIs(r, ann.ID, upTo, limit, all, live, texts) })
		}
	})
}

// senderIs compares what one sender said, read in pages.
func senderIs(r chat.Reader, user, upTo int64, limit int, all, live, texts []int64) error {
	var gotAll, gotLive, gotTexts []int64
	for after := (chat.MessageKey{}); ; {
		page, err := r.MessagesFrom(user, after, upTo, limit)
		if err != nil {
			return err
		}
		for _, m := range page {
			after = chat.MessageKey{RoomID: m.RoomID, ID: m.ID}
			gotAll = append(gotAll, m.ID)
		}
		if len(page) == 0 {
			break
		}
	}
	for after := (chat.MessageKey{}); ; {
		page, err := r.LiveMessages(user, after, limit)
		if err != nil {
			return err
		}
		for _, after = range page {
			gotLive = append(gotLive, after.ID)
		}
		if len(page) == 0 {
			break
		}
	}
	for after, id := (chat.MessageKey{}), int64(0); ; {
		page, err := r.EditsFrom(user, after, id, upTo, limit)
		if err != nil {
			return err
		}
		for _, e := range page {
			after, id = chat.MessageKey{RoomID: e.RoomID, ID: e.MessageID}, e.ID
			gotTexts = append(gotTexts, e.MessageID)
		}
		if len(page) == 0 {
			break
		}
	}
	if !slices.Equal(gotAll, all) || !slices.Equal(gotLive, live) || !slices.Equal(gotTexts, texts) {
		return fmt.Errorf("by %d: messages %v, want %v; live %v, want %v; texts of %v, want %v", limit, gotAll, all, gotLive, live, gotTexts, texts)
	}
	return nil
}

// queryLog is a GORM logger that keeps the queries, with their values.
type queryLog struct {
	slowLog
	queries []string
}

func (l *queryLog) LogMode(logger.LogLevel) logger.Interface { return l }

func (l *queryLog) Trace(_ context.Context, _ time.Time, query func() (string, int64), _ error) {
	text, _ := query()
	l.queries = append(l.queries, text)
}

// plans gives how the database would do what ask asks of it.
func plans(t *testing.T, s *Store, ask func(r *reader) error) string {
	t.Helper()
	var out []string
	err := s.snapshot(t.Context(), func(r *reader) error {
		log := &queryLog{}
		plain := r.db
		r.db = plain.Session(&gorm.Session{Logger: log})
		err := ask(r)
		r.db = plain
		for _, query := range log.queries {
			prefix, columns := "EXPLAIN QUERY PLAN ", []any{new(any), new(any), new(any)}
			if r.lockHead() {
				prefix, columns = "EXPLAIN ", nil
			}
			rows, failed := plain.Raw(prefix + query).Rows()
			if failed != nil {
				return fmt.Errorf("%s: %w", query, failed)
			}
			failed = scanAll(rows, func(row scanner) error {
				var line string
				err := row.Scan(append(columns, &line)...)
				out = append(out, line)
				return err
			})
			if failed != nil {
				return failed
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(out, "\n")
}

// Whatever is asked of one sender's messages is a range of an index, which begins where the last page ended: nothing is gone
// through or sorted as a whole. PostgreSQL may take another index for a page, by what it knows of the rows.
func TestSenderUsesIndex(t *testing.T) {
	t.Parallel()
	whole := regexp.MustCompile(`Seq Scan on (messages|edits|tombstones)|SCAN (m|e|p|t|messages|edits|tombstones)\b|USE TEMP B-TREE|-> +Sort .* rows=\d{3}`)
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		fillSenders(t, o, 20_000)
		s = mustOpen(t, o)
		room, next := `INDEX messages_sender \(sender_id=\? AND room_id=\? AND rowid>\?\)`, `INDEX messages_sender \(sender_id=\? AND room_id>\?\)`
		last, place := `INDEX messages_sender \(\(sender_id,room_id\)<\(\?,\?\)\)`, `INDEX messages_sender \(sender_id=\? AND room_id=\?\)`
		if s.engine.lockHead() {
			room, next = `Index Cond: .*\bid >=? 1000\b`, `messages_sender on messages.*\n +Index Cond: .*room_id > 1000000000\b`
			last = `Index Scan Backward using messages_sender on messages.*\n +Index Cond: \(ROW\(.*sender_id, .*room_id\) <= ROW`
			place = `(?s)Index Scan Backward using messages_room on messages.*` + last
		}
		begin, end := chat.MessageKey{RoomID: 1_000_000_000, ID: 1000}, chat.MessageKey{RoomID: 1_000_000_000, ID: 20_010}
		for name, q := range map[string]struct {
			must string
			ask  func(r *reader) error
		}{
			"messages":          {room, func(r *reader) error { _, err := r.MessagesFrom(ann.ID, begin, 15_000, 20); return err }},
			"messages of rooms": {next, func(r *reader) error { _, err := r.MessagesFrom(ann.ID, end, 15_000, 20); return err }},
			"live":              {room, func(r *reader) error { _, err := r.LiveMessages(ann.ID, begin, 20); return err }},
			"live of rooms":     {next, func(r *reader) error { _, err := r.LiveMessages(ann.ID, end, 20); return err }},
			"edits":             {room, func(r *reader) error { _, err := r.EditsFrom(ann.ID, begin, 20_010, 15_000, 20); return err }},
			"edits of rooms":    {next, func(r *reader) error { _, err := r.EditsFrom(ann.ID, end, 20_010, 15_000, 20); return err }},
			"last sent":         {last, func(r *reader) error { _, err := r.LastSent(1_000_000_001, ann.ID); return err }},
			"place":             {place, askPlace},
		} {
			plan := plans(t, s, q.ask)
			if !regexp.MustCompile(q.must).MatchString(plan) {
				t.Errorf("%s: no %q in\n%s", name, q.must, plan)
			}
			if found := whole.FindString(plan); found != "" {
				t.Errorf("%s: %q in\n%s", name, found, plan)
			}
		}
	})
}

// askPlace asks what a send asks for the place of its message.
func askPlace(r *reader) error {
	if !r.lockHead() {
		p := placing{rooms: map[int64]int64{}, senders: map[pair]int64{}}
		return (&tx{reader: *r}).readPlaces(p, nil, [][2]int64{{1_000_000_001, 2}})
	}
	_, query, _ := strings.Cut(postgresInsertMessages, "\n") // only the SELECT: the snapshot is read-only
	values := []string{"99999", "1000000001", "2", "text", "1", "nonce", "0", "0", "f", "1", "1"}
	for i := len(values); i > 0; i-- {
		query = strings.ReplaceAll(query, fmt.Sprintf("$%d::", i), fmt.Sprintf("'{%s}'::", values[i-1]))
	}
	return r.db.Raw(query).Scan(&[]messageRow{}).Error
}

// fillSenders puts n messages of 8 senders, of whom user 2 is one, in turns into 2 rooms, some of them edited or deleted, by
// bulk SQL, and lets the database count. The store must not be open.
func fillSenders(tb testing.TB, o Options, n int) {
	tb.Helper()
	ctx := context.Background()
	e, err := openEngine(ctx, o)
	if err != nil {
		tb.Fatal(err)
	}
	write, _ := e.pools()
	numbers := fmt.Sprintf("WITH RECURSIVE s(f) AS (SELECT 1 UNION ALL SELECT f + 1 FROM s WHERE f < %d) SELECT ", n)
	queries := []string{
		"INSERT INTO messages (id, room_id, sender_id, body, created_at, nonce, reply_to, thread_id, announcement, ord, own) " + numbers +
			"f + 10, 1000000000 + f / 8 % 2, 2 + f % 8, '" + strings.Repeat("x", 100) + "', 1, '', 0, 0, CAST(0 AS boolean), 0, 0 FROM s",
		"INSERT INTO edits (id, message_id, body, created_at) " + numbers + fmt.Sprintf("f + %d, f + 10, 'y', 1 FROM s WHERE f / 16 %% 2 = 0", n+10),
		"INSERT INTO tombstones (message_id, room_id, sender_id, deleted_at) SELECT id, room_id, sender_id, 1 FROM messages WHERE id % 11 = 0",
		fmt.Sprintf("UPDATE log_head SET head = %d", 2*n+10),
	}
	if e.lockHead() {
		queries = append(queries, "ANALYZE")
	}
	for _, query := range queries {
		if _, err := write.ExecContext(ctx, query); err != nil {
			tb.Fatalf("%s: %v", query, err)
		}
	}
	if err := e.close(ctx); err != nil {
		tb.Fatal(err)
	}
}
