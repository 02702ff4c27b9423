package store

import (
	"context"
	"database/sql"
	"strconv"

	"gorm.io/gorm"

	"parley/models"
)

// dialect is what the two databases say differently.
type dialect interface {
	// snapshot are the options of a transaction that reads; writes those of the writer's.
	snapshot() *sql.TxOptions
	writes() *sql.TxOptions
	// oneOf is the condition that column is one of the ids in one parameter, made by idList: a
	// statement's text does not depend on how many there are.
	oneOf(column string) string
	idList(ids []int64) string
	// places is a query that reads the list of one parameter, made by placeList: room_id, from_id.
	places() string
	// counts is countsQuery with this database's look-ups.
	counts() string
	// oneOfTexts and textList are the same for texts.
	oneOfTexts(column string) string
	textList(texts []string) string
	// byAudience follows the log's table in a query that must use its index of audiences.
	byAudience() string
	// byPeople is the same for the index of the entries that can name people.
	byPeople() string
	// blank is what a text column is set to so that nothing of it is left; on SQLite as long as it
	// was, see pack.go.
	blank(column string) string
	// lockHead is true where other processes may write: then a transaction of the writer
	// begins by locking and reading the log's head, and the writer knows from before only what the entries of others leave as
	// it was; see foreign.go.
	lockHead() bool
	// survives says whether a transaction goes on after a statement was refused for its data,
	// without going back to a savepoint.
	survives() bool

	// noncesOf is a query for the rows of these nonces: user_id, nonce, message_id, sent_to, digest, created_at.
	noncesOf(keys []nonceKey) (query string, args []any)

	insertLog(ctx context.Context, conn gorm.ConnPool, rows []models.Event) error
	// insertMessages takes the place of each; with lockHead it is counted on from what the table has.
	insertMessages(ctx context.Context, conn gorm.ConnPool, rows []models.Message, places []place) error
	insertMentions(ctx context.Context, conn gorm.ConnPool, rows []mentionRow) error
	insertNonces(ctx context.Context, conn gorm.ConnPool, rows []models.Nonce) error
}

// bracket writes ids between two brackets.
func bracket(open byte, ids []int64, end byte) string {
	b := make([]byte, 0, 2+8*len(ids))
	b = append(b, open)
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, id, 10)
	}
	return string(append(b, end))
}

// millis is a time as it is stored: 0 for the zero time.
func millis(t models.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// moment is the inverse of millis.
func moment(ms int64) models.Time {
	if ms == 0 {
		return models.Time{}
	}
	return models.FromMillis(ms)
}
