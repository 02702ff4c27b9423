package tests

import (
	"testing"

	"parley/tests/harness"
)

// onBoth tells a story on SQLite and on PostgreSQL.
func onBoth(t *testing.T, story func(t *testing.T, s *harness.Server), with ...harness.Option) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		story(t, harness.Start(t, with...))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		if testing.Short() {
			t.Skip("what differs on PostgreSQL is in the store, whose own tests are on both databases, under the race detector too")
		}
		story(t, harness.Start(t, append(with, harness.Postgres())...))
	})
}
