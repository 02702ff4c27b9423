package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"gorm.io/gorm"

	"parley/models"
)

// sqliteDialect writes many rows with one statement of many VALUES. The driver keeps statements
// by their text, so there are texts for a few numbers of rows only.
type sqliteDialect struct{ log, messages, mentions, nonces sizedInserts }

func newSQLiteDialect() sqliteDialect {
	return sqliteDialect{
		log: newSizedInserts("log", "id", "at", "type", "room_id", "aud_kind", "aud_id", "json"),
		messages: newSizedInserts("messages", "id", "room_id", "sender_id", "body", "created_at", "nonce",
			"reply_to", "thread_id", "announcement", "ord", "own"),
		mentions: newSizedInserts("mentions", "user_id", "room_id", "message_id"),
		nonces:   newSizedInserts("nonces", "user_id", "nonce", "message_id", "sent_to", "digest", "created_at"),
	}
}

func (sqliteDialect) snapshot() *sql.TxOptions { return &sql.TxOptions{ReadOnly: true} }
func (sqliteDialect) writes() *sql.TxOptions   { return nil } // immediate, by the connection's parameters
func (sqliteDialect) oneOf(column string) string {
	return column + " IN (SELECT value FROM json_each(?))"
}
func (sqliteDialect) idList(ids []int64) string         { return bracket('[', ids, ']') }
func (d sqliteDialect) oneOfTexts(column string) string { return d.oneOf(column) }
func (sqliteDialect) textList(texts []string) string {
	list, err := json.Marshal(texts)
	if err != nil {
		return "[]" // no texts make an error
	}
	return string(list)
}
func (sqliteDialect) byAudience() string { return " INDEXED BY log_audience" }
func (sqliteDialect) byPeople() string   { return " INDEXED BY log_people" }
func (sqliteDialect) blank(column string) string {
	return "printf('%*s', octet_length(" + column + "), '')"
}
func (sqliteDialect) lockHead() bool { return false }
func (sqliteDialect) survives() bool { return true }

func (sqliteDialect) places() string {
	return "SELECT json_extract(value, '$[0]') AS room_id, json_extract(value, '$[1]') AS from_id FROM json_each(?)"
}

// noncesOf reads the keys in this order of the join: of nonces there are millions.
func (sqliteDialect) noncesOf(keys []nonceKey) (query string, args []any) {
	list := []byte{'['}
	for i, k := range keys {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, '[')
		list = strconv.AppendInt(list, k.userID, 10)
		list = append(list, ',')
		list, _ = jsontext.AppendQuote(list, k.nonce) // the error is about UTF-8, which keys are
		list = append(list, ']')
	}
	return "SELECT n.user_id, n.nonce, n.message_id, n.sent_to, n.digest, n.created_at FROM json_each(?) j " +
		"CROSS JOIN nonces n ON n.user_id = j.value ->> 0 AND n.nonce = j.value ->> 1", []any{string(append(list, ']'))}
}

func (d sqliteDialect) insertLog(ctx context.Context, conn gorm.ConnPool, rows []models.Event) error {
	return d.log.insert(ctx, conn, len(rows), func(args []any, i int) []any {
		e := &rows[i]
		return append(args, e.ID, millis(e.At), string(e.Type), e.RoomID, int64(e.Audience.Kind), e.Audience.ID, e.JSON)
	})
}

func (d sqliteDialect) insertMessages(ctx context.Context, conn gorm.ConnPool, rows []models.Message, places []place) error {
	return d.messages.insert(ctx, conn, len(rows), func(args []any, i int) []any {
		m, at := &rows[i], places[i]
		return append(args, m.ID, m.RoomID, m.SenderID, m.Text, millis(m.CreatedAt), m.Nonce,
			m.ReplyTo, m.ThreadID, m.Announcement, at.ord, at.own)
	})
}

func (d sqliteDialect) insertMentions(ctx context.Context, conn gorm.ConnPool, rows []mentionRow) error {
	return d.mentions.insert(ctx, conn, len(rows), func(args []any, i int) []any {
		return append(args, rows[i].UserID, rows[i].RoomID, rows[i].MessageID)
	})
}

func (d sqliteDialect) insertNonces(ctx context.Context, conn gorm.ConnPool, rows []models.Nonce) error {
	return d.nonces.insert(ctx, conn, len(rows), func(args []any, i int) []any {
		n := &rows[i]
		return append(args, n.UserID, n.Nonce, n.MessageID, n.To, n.Digest, millis(n.CreatedAt))
	})
}

// insertSizes are the numbers of rows that there is a statement for, downwards to 1.
var insertSizes = [...]int{128, 32, 8, 4, 2, 1}

// sizedInserts are the statements for one table, one for each of insertSizes. OR FAIL: a statement that a constraint
// ends keeps the rows before that one. Whoever inserts goes back to a savepoint then, or gives the transaction up; that the
// statement could be undone by itself costs a copy of each page that it changes, in a temporary file.
type sizedInserts struct {
	table   string
	columns int
	texts   [len(insertSizes)]string
}

func newSizedInserts(table string, columns ...string) sizedInserts {
	s := sizedInserts{table: table, columns: len(columns)}
	row := "(?" + strings.Repeat(",?", len(columns)-1) + ")"
	for i, size := range insertSizes {
		s.texts[i] = "INSERT OR FAIL INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " +
			row + strings.Repeat(","+row, size-1)
	}
	return s
}

// insert writes n rows; add appends the values of row i.
func (s sizedInserts) insert(ctx context.Context, conn gorm.ConnPool, n int, add func(args []any, i int) []any) error {
	args := make([]any, 0, min(n, insertSizes[0])*s.columns)
	done := 0
	for k, size := range insertSizes {
		for n-done >= size {
			args = args[:0]
			for range size {
				args = add(args, done)
				done++
			}
			if _, err := conn.ExecContext(ctx, s.texts[k], args...); err != nil {
				return fmt.Errorf("insert into %s: %w", s.table, err)
			}
		}
	}
	return nil
}

var sqliteCounts = countsQuery(
	func(column, upTo string) string {
		return "SELECT m." + column + " FROM messages m WHERE m.room_id = b.room_id AND m.id <= " + upTo +
			" ORDER BY m.id DESC LIMIT 1"
	},
	func(column, upTo string) string {
		return "SELECT m." + column + " FROM messages m WHERE m.room_id = b.room_id AND m.sender_id = b.user_id AND m.id <= " + upTo +
			" ORDER BY m.id DESC LIMIT 1"
	},
)

func (sqliteDialect) counts() string { return sqliteCounts }
