package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
)

// postgresReaders is how many snapshots may be open at once.
const postgresReaders = 8

// migrationLock is the advisory lock under which one process at a time migrates.
const migrationLock = 0x7061726c6579 // "parley"

// postgresEngine is a PostgreSQL database, used by one or several processes.
type postgresEngine struct {
	postgresDialect
	write, read *sql.DB
}

var _ engine = (*postgresEngine)(nil)

// postgresConfig reads the URL. pgx hides a password in its errors.
func postgresConfig(url string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("read the database's URL: %w", err)
	}
	if config.RuntimeParams == nil {
		config.RuntimeParams = map[string]string{}
	}
	// An answered command is on disk, whatever the server's default is.
	config.RuntimeParams["synchronous_commit"] = "on"
	config.RuntimeParams["application_name"] = "parley"
	config.RuntimeParams["lock_timeout"] = "10s"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "60s"
	return config, nil
}

func openPostgres(ctx context.Context, url string) (_ *postgresEngine, err error) {
	config, err := postgresConfig(url)
	if err != nil {
		return nil, err
	}
	e := &postgresEngine{write: stdlib.OpenDB(*config), read: stdlib.OpenDB(*config)}
	e.write.SetMaxOpenConns(1)
	e.read.SetMaxOpenConns(postgresReaders)
	e.read.SetMaxIdleConns(postgresReaders)
	if err := e.migrate(ctx); err != nil {
		return nil, errors.Join(err, e.close(ctx))
	}
	return e, nil
}

// migrate lets one process after the other do it: the second finds nothing left.
func (e *postgresEngine) migrate(ctx context.Context) (err error) {
	conn, err := e.read.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	for _, query := range []string{
		"SET lock_timeout = 0", // a migration of another process may take its time
		fmt.Sprintf("SELECT pg_advisory_lock(%d)", migrationLock),
		"RESET lock_timeout",
	} {
		if _, err := conn.ExecContext(ctx, query); err != nil {
			return fmt.Errorf("wait for other processes' migrations: %w", err)
		}
	}
	err = migrate(ctx, e.write, goose.DialectPostgres, "postgres")
	// Also when ctx has ended: the connection goes back into the pool.
	_, unlock := conn.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("SELECT pg_advisory_unlock(%d)", migrationLock))
	return errors.Join(err, unlock)
}

// files implements engine: the server has them, and metrics of its own.
func (*postgresEngine) files() (Files, bool) { return Files{}, false }

func (e *postgresEngine) pools() (write, read *sql.DB) { return e.write, e.read }

func (*postgresEngine) dialector(pool *sql.DB) gorm.Dialector {
	return postgres.New(postgres.Config{Conn: pool})
}

// restored implements engine. A dump cannot be marked while it is made, but it can be found out: it
// brings the name of the place that it was made at.
func (*postgresEngine) restored(ctx context.Context, tx *sql.Tx) (head, floor int64, marked bool, err error) {
	var old string
	if err = tx.QueryRowContext(ctx, "SELECT head, home FROM log_head FOR UPDATE").Scan(&head, &old); err != nil {
		return 0, 0, false, err
	}
	if floor, marked, err = floorOf(ctx, tx); err != nil {
		return 0, 0, false, err
	}
	now, err := home(ctx, tx)
	if err != nil || now == old {
		return head, floor, marked, err
	}
	_, err = tx.ExecContext(ctx, "UPDATE log_head SET home = $1", now)
	return head, floor, marked || old != "", err
}

// home names the place of a database: its server, whether that server's history has branched off (a
// standby that took over, a recovery to an earlier moment), and the table itself, which a
// restore makes anew. Another name where nothing was lost costs a hole that nobody is in.
func home(ctx context.Context, tx *sql.Tx) (name string, err error) {
	const table = "'log_head'::regclass::oid::text"
	const server = "(SELECT system_identifier::text FROM pg_control_system()) || '/' || " +
		"left(pg_walfile_name(pg_current_wal_lsn()), 8) || '/' || " +
		"(SELECT oid::text FROM pg_database WHERE datname = current_database()) || '/' || "
	if _, err := tx.ExecContext(ctx, "SAVEPOINT home"); err != nil {
		return "", err
	}
	if err = tx.QueryRowContext(ctx, "SELECT "+server+table).Scan(&name); err == nil {
		return name, nil
	}
	// Some hosts let nobody ask about the server.
	if _, err := tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT home"); err != nil {
		return "", err
	}
	err = tx.QueryRowContext(ctx, "SELECT "+table).Scan(&name)
	return name, err
}

// rest has nothing to do: the server tidies up by itself.
func (*postgresEngine) rest(context.Context) error { return nil }

func (*postgresEngine) wrote(context.Context) error { return nil }

// scrub does what can be done from here: it makes the room of old versions of rows free to be overwritten.
// Without the right to, or where somebody else does just that, it is left to the server's own vacuum.
func (e *postgresEngine) scrub(ctx context.Context) error {
	_, err := e.read.ExecContext(ctx, "VACUUM users, sessions, nonces, messages, edits, log, visitors, conversations, ratings")
	if _, refused := errors.AsType[*pgconn.PgError](err); refused {
		return nil
	}
	if err != nil {
		return fmt.Errorf("vacuum: %w", err)
	}
	return nil
}

func (e *postgresEngine) close(context.Context) error {
	return errors.Join(e.read.Close(), e.write.Close())
}
