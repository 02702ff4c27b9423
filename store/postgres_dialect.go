package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"parley/models"
)

// postgresDialect writes many rows with one statement over arrays, one for each column.
type postgresDialect struct{}

// snapshot: every statement sees what the first one saw.
func (postgresDialect) snapshot() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

// writes: each statement must see what was committed before the head was locked, whatever level
// the server has by default.
func (postgresDialect) writes() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelReadCommitted}
}

func (postgresDialect) oneOf(column string) string { return column + " = ANY (CAST(? AS bigint[]))" }
func (postgresDialect) idList(ids []int64) string  { return bracket('{', ids, '}') }
func (postgresDialect) oneOfTexts(column string) string {
	return column + " = ANY (CAST(? AS text[]))"
}
func (postgresDialect) textList(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = `"` + arrayEscapes.Replace(storable(text)) + `"`
	}
	return "{" + strings.Join(quoted, ",") + "}"
}
func (postgresDialect) byAudience() string  { return "" }
func (postgresDialect) byPeople() string    { return "" }
func (postgresDialect) blank(string) string { return "''" } // every version of a row is a new one
func (postgresDialect) lockHead() bool      { return true }
func (postgresDialect) survives() bool      { return false }

// arrayEscapes are what has a meaning within the quotes of an array's element.
var arrayEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

func (postgresDialect) places() string {
	return "SELECT CAST(p.value->>0 AS bigint) AS room_id, CAST(p.value->>1 AS bigint) AS from_id " +
		"FROM json_array_elements(CAST(? AS json)) p"
}

const (
	postgresInsertLog = `INSERT INTO log (id, at, type, room_id, aud_kind, aud_id, json)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::smallint[], $6::bigint[], $7::bytea[])`
	// The places' look-ups ask for the last row up to the room and sender, and then whether it is theirs. Asked for the last
	// of theirs by id, PostgreSQL may go through the primary key from its end until it meets one: for who has said nothing
	// yet, to its beginning.
	postgresInsertMessages = `INSERT INTO messages (id, room_id, sender_id, body, created_at, nonce, reply_to, thread_id, announcement, ord, own)
SELECT v.id, v.room_id, v.sender_id, v.body, v.created_at, v.nonce, v.reply_to, v.thread_id, v.announcement,
  v.ord + COALESCE((SELECT CASE WHEN m.room_id = v.room_id THEN m.ord END FROM messages m
    WHERE m.room_id <= v.room_id ORDER BY m.room_id DESC, m.id DESC LIMIT 1), 0),
  v.own + COALESCE((SELECT CASE WHEN m.room_id = v.room_id AND m.sender_id = v.sender_id THEN m.own END FROM messages m
    WHERE (m.sender_id, m.room_id) <= (v.sender_id, v.room_id) ORDER BY m.sender_id DESC, m.room_id DESC, m.id DESC LIMIT 1), 0)
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::bigint[], $8::bigint[], $9::boolean[],
  $10::bigint[], $11::bigint[]) AS v (id, room_id, sender_id, body, created_at, nonce, reply_to, thread_id, announcement, ord, own)`
	postgresInsertMentions = `INSERT INTO mentions (user_id, room_id, message_id)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])`
	postgresInsertNonces = `INSERT INTO nonces (user_id, nonce, message_id, sent_to, digest, created_at)
SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::text[], $5::bytea[], $6::bigint[])`
)

func (postgresDialect) noncesOf(keys []nonceKey) (query string, args []any) {
	return "SELECT k.a, k.b, n.* FROM unnest($1::bigint[], $2::text[]) AS k (a, b) CROSS JOIN LATERAL (" +
			"SELECT message_id, sent_to, digest, created_at FROM nonces " +
			"WHERE user_id = k.a AND nonce = k.b LIMIT 1) n", []any{
			column(keys, func(k *nonceKey) int64 { return k.userID }),
			column(keys, func(k *nonceKey) string { return k.nonce }),
		}
}

func (postgresDialect) insertLog(ctx context.Context, conn gorm.ConnPool, rows []models.Event) error {
	return insertArrays(ctx, conn, "log", postgresInsertLog,
		column(rows, func(e *models.Event) int64 { return e.ID }),
		column(rows, func(e *models.Event) int64 { return millis(e.At) }),
		column(rows, func(e *models.Event) string { return string(e.Type) }),
		column(rows, func(e *models.Event) int64 { return e.RoomID }),
		column(rows, func(e *models.Event) int16 { return int16(e.Audience.Kind) }),
		column(rows, func(e *models.Event) int64 { return e.Audience.ID }),
		column(rows, func(e *models.Event) []byte { return e.JSON }))
}

func (postgresDialect) insertMessages(ctx context.Context, conn gorm.ConnPool, rows []models.Message, places []place) error {
	return insertArrays(ctx, conn, "messages", postgresInsertMessages,
		column(rows, func(m *models.Message) int64 { return m.ID }),
		column(rows, func(m *models.Message) int64 { return m.RoomID }),
		column(rows, func(m *models.Message) int64 { return m.SenderID }),
		column(rows, func(m *models.Message) string { return m.Text }),
		column(rows, func(m *models.Message) int64 { return millis(m.CreatedAt) }),
		column(rows, func(m *models.Message) string { return m.Nonce }),
		column(rows, func(m *models.Message) int64 { return m.ReplyTo }),
		column(rows, func(m *models.Message) int64 { return m.ThreadID }),
		column(rows, func(m *models.Message) bool { return m.Announcement }),
		column(places, func(p *place) int64 { return p.ord }),
		column(places, func(p *place) int64 { return p.own }))
}

func (postgresDialect) insertMentions(ctx context.Context, conn gorm.ConnPool, rows []mentionRow) error {
	if len(rows) == 0 {
		return nil
	}
	return insertArrays(ctx, conn, "mentions", postgresInsertMentions,
		column(rows, func(m *mentionRow) int64 { return m.UserID }),
		column(rows, func(m *mentionRow) int64 { return m.RoomID }),
		column(rows, func(m *mentionRow) int64 { return m.MessageID }))
}

func (postgresDialect) insertNonces(ctx context.Context, conn gorm.ConnPool, rows []models.Nonce) error {
	return insertArrays(ctx, conn, "nonces", postgresInsertNonces,
		column(rows, func(n *models.Nonce) int64 { return n.UserID }),
		column(rows, func(n *models.Nonce) string { return n.Nonce }),
		column(rows, func(n *models.Nonce) int64 { return n.MessageID }),
		column(rows, func(n *models.Nonce) string { return n.To }),
		column(rows, func(n *models.Nonce) []byte { return n.Digest }),
		column(rows, func(n *models.Nonce) int64 { return millis(n.CreatedAt) }))
}

// column takes one value from each row.
func column[R, V any](rows []R, value func(*R) V) []V {
	values := make([]V, len(rows))
	for i := range rows {
		values[i] = value(&rows[i])
	}
	return values
}

func insertArrays(ctx context.Context, conn gorm.ConnPool, table, query string, columns ...any) error {
	if _, err := conn.ExecContext(ctx, query, columns...); err != nil {
		return fmt.Errorf("insert into %s: %w", table, err)
	}
	return nil
}

// postgresCounts asks in an order that only one index has, and then whether what is found is of the room: asked for the
// newest that is, PostgreSQL may go through all messages from the newest on, which takes long where little was said.
var postgresCounts = countsQuery(
	func(column, upTo string) string {
		return "SELECT CASE WHEN m.room_id = b.room_id THEN m." + column + " END FROM messages m " +
			"WHERE (m.room_id, m.id) <= (b.room_id, " + upTo + ") ORDER BY m.room_id DESC, m.id DESC LIMIT 1"
	},
	func(column, upTo string) string {
		return "SELECT CASE WHEN m.sender_id = b.user_id AND m.room_id = b.room_id THEN m." + column + " END FROM messages m " +
			"WHERE (m.sender_id, m.room_id, m.id) <= (b.user_id, b.room_id, " + upTo + ") " +
			"ORDER BY m.sender_id DESC, m.room_id DESC, m.id DESC LIMIT 1"
	},
)

func (postgresDialect) counts() string { return postgresCounts }
