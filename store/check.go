package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/stdlib"
)

// Health is what a check found.
type Health struct {
	Entries, Head, Messages, Users, Holes int64
	// Findings are what is wrong, a line each; empty where all is well.
	Findings []string
}

// CheckFile looks through a SQLite database, a backup or one that a server is using.
func CheckFile(ctx context.Context, file string) (h Health, err error) {
	pool, err := openSQLiteFile(file, sqliteSource)
	if err != nil {
		return h, err
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	found, err := damage(ctx, pool)
	if err != nil {
		return h, fmt.Errorf("read %s: %w", file, err)
	}
	if len(found) > 0 { // what is asked of a broken file says nothing
		h.Findings = found
		return h, nil
	}
	h, err = checkLog(ctx, pool, sqliteDialect{}.snapshot())
	if err != nil {
		return h, fmt.Errorf("read %s: %w", file, err)
	}
	return h, nil
}

// CheckURL looks through a PostgreSQL database. Its files are the server's own affair.
func CheckURL(ctx context.Context, url string) (h Health, err error) {
	config, err := postgresConfig(url)
	if err != nil {
		return h, err
	}
	pool := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, pool.Close()) }()
	return checkLog(ctx, pool, postgresDialect{}.snapshot())
}

// MarkURL marks a PostgreSQL database as restored.
func MarkURL(ctx context.Context, url string) (head int64, err error) {
	config, err := postgresConfig(url)
	if err != nil {
		return 0, err
	}
	pool := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, pool.Close()) }()
	if err := pool.QueryRowContext(ctx, "SELECT head FROM log_head").Scan(&head); err != nil {
		return 0, fmt.Errorf("read the log's head: %w", err)
	}
	return head, mark(ctx, pool, 0)
}

// mostFindings is how many of a kind are told.
const mostFindings = 5

// damage is what SQLite itself finds.
func damage(ctx context.Context, pool *sql.DB) (found []string, err error) {
	told, err := textRows(ctx, pool, fmt.Sprintf("PRAGMA integrity_check(%d)", mostFindings))
	if err != nil || len(told) != 1 || told[0] != "ok" {
		return told, err
	}
	rows, err := pool.QueryContext(ctx, "PRAGMA foreign_key_check")
	if err != nil {
		return nil, err
	}
	err = scanAll(rows, func(row scanner) error {
		var table, parent string
		var id, key sql.NullInt64
		if err := row.Scan(&table, &id, &parent, &key); err != nil {
			return err
		}
		found = append(found, fmt.Sprintf("a row of %s points to a row of %s that is not there", table, parent))
		return nil
	})
	return found, err
}

// queryer is a pool or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// textRows reads rows of one text.
func textRows(ctx context.Context, db queryer, query string) (found []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	err = scanAll(rows, func(row scanner) error {
		var text string
		err := row.Scan(&text)
		found = append(found, text)
		return err
	})
	return found, err
}

// invariant is something that holds in every database of Parley. Its query gives a line for what does not.
type invariant struct {
	since int64 // the version of the database from which on it can be asked
	query string
}

// invariants are those of the log, of people and of rooms; see roomInvariants and supportInvariants too.
var invariants = []invariant{
	{1, "SELECT 'the log has no head' WHERE NOT EXISTS (SELECT 1 FROM log_head)"},
	{1, "SELECT 'the head is noted as ' || head || ', the newest entry is ' || newest FROM " +
		"(SELECT head, (SELECT MAX(id) FROM log) AS newest FROM log_head) AS l WHERE head <> newest"},
	{careVersion, "SELECT 'the oldest entry is noted as ' || oldest || ' and is ' || found FROM " +
		"(SELECT oldest, COALESCE((SELECT MIN(id) FROM log), head + 1) AS found FROM log_head) AS l WHERE oldest <> found"},
	{1, "SELECT 'entries are missing between ' || before || ' and ' || id FROM " +
		"(SELECT id, LAG(id) OVER (ORDER BY id) AS before FROM log) AS l " +
		"WHERE id <> before + 1 AND NOT EXISTS (SELECT 1 FROM log_holes AS h WHERE h.after_id = before AND h.before_id = id)"},
	{1, "SELECT 'message ' || id || ' has no entry in the log' FROM messages AS m " +
		"WHERE id >= (SELECT COALESCE((SELECT MIN(id) FROM log), head + 1) FROM log_head) " +
		"AND NOT EXISTS (SELECT 1 FROM log WHERE log.id = m.id AND type = 'message.created')"},
	{1, "SELECT 'room ' || id || ' counts ' || member_count || ' members, there are ' || n FROM " +
		"(SELECT id, member_count, (SELECT COUNT(*) FROM memberships AS s WHERE s.room_id = r.id AND s.to_id IS NULL) AS n " +
		"FROM rooms AS r WHERE id <> 1 AND deleted_id IS NULL) AS c WHERE member_count <> n"},
	{1, "SELECT 'the lobby counts ' || member_count || ' people, there are ' || n FROM " +
		"(SELECT member_count, (SELECT COUNT(*) FROM users WHERE role <> 'visitor' AND deleted_id IS NULL) AS n FROM rooms WHERE id = 1) AS c " +
		"WHERE member_count <> n"},
	{1, "SELECT 'user ' || user_id || ' has a spell in room ' || room_id || ' from ' || from_id || ' that does not lie in the log' " +
		"FROM memberships, log_head WHERE from_id > head OR to_id > head OR to_id < from_id"},
	{1, "SELECT 'the name ' || name_key || ' is that of ' || COUNT(*) || ' users' FROM users GROUP BY name_key HAVING COUNT(*) > 1"},
	{1, "SELECT 'the name ' || name_key || ' is that of ' || COUNT(*) || ' channels' FROM rooms " +
		"WHERE name_key <> '' AND deleted_id IS NULL GROUP BY name_key HAVING COUNT(*) > 1"},
}

// careVersion is the version of the database that brought holes and pruning.
const careVersion = 5

// noHoles stands for the table in databases that do not have it yet.
const noHoles = "(SELECT 0 AS after_id, 0 AS before_id WHERE 1 = 0)"

// checkLog asks for all of it in one snapshot.
func checkLog(ctx context.Context, pool *sql.DB, o *sql.TxOptions) (h Health, err error) {
	version, err := versionOf(ctx, pool)
	if err != nil {
		return h, fmt.Errorf("this is no database of Parley: %w", err)
	}
	tx, err := pool.BeginTx(ctx, o)
	if err != nil {
		return h, err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	holes := "log_holes"
	if version < careVersion {
		holes = noHoles
	}
	counts := "SELECT (SELECT COUNT(*) FROM log), COALESCE((SELECT head FROM log_head), 0), (SELECT COUNT(*) FROM messages), " +
		"(SELECT COUNT(*) FROM users), (SELECT COUNT(*) FROM " + holes + " AS h)"
	if err := tx.QueryRowContext(ctx, counts).Scan(&h.Entries, &h.Head, &h.Messages, &h.Users, &h.Holes); err != nil {
		return h, err
	}
	for _, rule := range slices.Concat(invariants, roomInvariants, supportInvariants) {
		if version < rule.since {
			continue
		}
		query := strings.Replace(rule.query, "log_holes", holes, 1)
		found, err := textRows(ctx, tx, query+" LIMIT "+strconv.Itoa(mostFindings+1))
		if err != nil {
			return h, err
		}
		if len(found) > mostFindings {
			found[mostFindings] = "… and more like this"
		}
		h.Findings = append(h.Findings, found...)
	}
	return h, nil
}

// versionOf reads which migration was the last.
func versionOf(ctx context.Context, pool *sql.DB) (version int64, err error) {
	err = pool.QueryRowContext(ctx, "SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version").Scan(&version)
	return version, err
}

// newestVersion is the last migration that this program knows.
func newestVersion(folder string) (newest int64) {
	files, err := fs.ReadDir(migrations, path.Join("migrations", folder))
	if err != nil {
		return 0
	}
	for _, f := range files {
		number, _, _ := strings.Cut(f.Name(), "_")
		if v, err := strconv.ParseInt(number, 10, 64); err == nil {
			newest = max(newest, v)
		}
	}
	return newest
}
