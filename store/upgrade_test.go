package store

import (
	"context"
	"database/sql"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"parley/chat"
	"parley/models"
)

// oldDatabase makes a database of an older version and fills it.
func oldDatabase(t *testing.T, o Options, version int64, queries ...string) {
	t.Helper()
	dialect, folder := goose.DialectSQLite3, "sqlite"
	var db *sql.DB
	if o.URL == "" {
		db = sqlitePool(filepath.Join(o.Dir, sqliteFile), sqliteWriter, 1)
	} else {
		config, err := pgx.ParseConfig(o.URL)
		if err != nil {
			t.Fatal(err)
		}
		db, dialect, folder = stdlib.OpenDB(*config), goose.DialectPostgres, "postgres"
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	files, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(dialect, db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(context.Background(), version); err != nil {
		t.Fatal(err)
	}
	for _, query := range queries {
		if _, err := db.Exec(query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
}

// A database of the first version takes up all that came after it, and keeps what it has.
func TestUpgradeFromTheFirstVersion(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		oldDatabase(t, o, 1, "INSERT INTO users (id, name, name_key, display_name, role, status_text, password, created_at, last_seen_at) "+
			"VALUES (2, 'ann', 'ann', 'Ann', 'admin', '', '', 1, 1), (3, 'bob', 'bob', 'Bob', 'member', '', '', 1, 1)")
		s := mustOpen(t, o)
		do(t, s, func(tx chat.Tx) error { return tx.InsertBlock(2, 3) })
		view(t, s, func(r chat.Reader) error {
			users, err := r.UsersByPrefix("", "", 10)
			if err != nil || len(users) != 2 || users[0].DisplayName != "Ann" || users[1].Role != models.RoleMember {
				t.Errorf("users %+v, %v", users, err)
			}
			blocks, err := r.Blocks(2, 0, 10)
			if err != nil || len(blocks) != 1 || blocks[0].User.Name != "bob" {
				t.Errorf("blocks %+v, %v", blocks, err)
			}
			return nil
		})
	})
}
