// Package pgtest gives tests PostgreSQL databases: on the server that PARLEY_TEST_POSTGRES names (a
// URL of a role that may create databases), else on one that it starts for the test
// binary from the programs `initdb` and `postgres`.
//
// A package's TestMain runs its tests with Main, which stops the server at the end. Where there is
// no PostgreSQL, DSN skips the test; with CI=true in the environment it fails it.
package pgtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Servers are started once for a test binary: this is the one piece of state for all its tests.
var shared struct {
	once   sync.Once
	server *server
	admin  string // URL of a database to give commands from
	err    error

	mu   sync.Mutex
	last int // number of the last database made
}

// Main runs the tests and stops the server that they started, if any. Its result is for os.Exit.
func Main(m *testing.M) int {
	code := m.Run()
	if shared.server != nil {
		if err := shared.server.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop postgres:", err)
			return max(code, 1)
		}
	}
	return code
}

// DSN gives the URL of a new, empty database, which goes with the test. Nothing in it is flushed to
// disk where pgtest started the server.
func DSN(tb testing.TB) string {
	tb.Helper()
	shared.once.Do(begin)
	if shared.err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("no PostgreSQL for this test: %v", shared.err)
		}
		tb.Skipf("no PostgreSQL for this test: %v", shared.err)
	}
	return create(tb, "")
}

// Copy gives the URL of another database with what the one of that URL has, which nobody may be using.
func Copy(tb testing.TB, dsn string) string {
	tb.Helper()
	from, err := url.Parse(dsn)
	if err != nil {
		tb.Fatalf("read the database's URL: %v", err)
	}
	return create(tb, " TEMPLATE "+strings.TrimPrefix(from.Path, "/"))
}

func create(tb testing.TB, how string) string {
	tb.Helper()
	name := nextName()
	if err := command("CREATE DATABASE " + name + how); err != nil {
		tb.Fatalf("make a database: %v", err)
	}
	tb.Cleanup(func() {
		if err := command("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			tb.Errorf("drop the database: %v", err)
		}
	})
	dsn, err := url.Parse(shared.admin)
	if err != nil {
		tb.Fatalf("read the server's URL: %v", err)
	}
	dsn.Path = "/" + name
	return dsn.String()
}

// Load runs a script of SQL in the database, such as a dump with INSERTs.
func Load(tb testing.TB, dsn, script string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		tb.Fatalf("connect: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.PgConn().Exec(ctx, script).ReadAll(); err != nil {
		tb.Fatalf("run the script: %v", err)
	}
}

func begin() {
	if shared.admin = os.Getenv("PARLEY_TEST_POSTGRES"); shared.admin != "" {
		return
	}
	shared.server, shared.err = start()
	if shared.err == nil {
		shared.admin = shared.server.url()
	}
}

// nextName is unlike those of other test binaries on the same server.
func nextName() string {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.last++
	return fmt.Sprintf("parley_test_%d_%d", os.Getpid(), shared.last)
}

func command(query string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, shared.admin)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, query); err != nil {
		return fmt.Errorf("run %q: %w", query, err)
	}
	return nil
}
