package store

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the database to this program's version, each step in a transaction of its own. One
// that is ahead of it is left alone: this program would not know what it destroys.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, folder string) error {
	all, err := scripts(folder)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	provider, err := goose.NewProvider(dialect, db, nil, goose.WithGoMigrations(all...))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, want, err := provider.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("read the database's version: %w", err)
	}
	if have > want {
		return fmt.Errorf("the database has version %d, this program knows %d at most: use a newer parley", have, want)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database from version %d: %w", have, err)
	}
	return nil
}

// scripts gives the folder's migrations, each of which is sent to the database as a whole. Goose would look for the end of
// each statement, in a buffer of 4 MiB for each line.
func scripts(folder string) ([]*goose.Migration, error) {
	paths, err := fs.Glob(migrations, "migrations/"+folder+"/*.sql")
	if err != nil {
		return nil, err
	}
	var all []*goose.Migration
	for _, path := range paths {
		content, err := migrations.ReadFile(path)
		if err != nil {
			return nil, err
		}
		version, err := goose.NumericComponent(path)
		if err != nil {
			return nil, err
		}
		script, ok := strings.CutPrefix(string(content), "-- +goose Up\n")
		if !ok || strings.Contains(script, "+goose") {
			return nil, fmt.Errorf("%s must be one script upwards", path)
		}
		run := func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, script)
			return err
		}
		all = append(all, goose.NewGoMigration(version, &goose.GoFunc{RunTx: run}, nil))
	}
	return all, nil
}
