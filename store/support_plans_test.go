package store

import (
	"strings"
	"testing"
	"time"
)

// What is asked every second goes by indexes that hold little, however many conversations there have been.
func TestSupportIsLookedAtByIndex(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		write, _ := s.engine.pools()
		for _, query := range []string{
			"INSERT INTO conversations (id, notes_room, visitor_id, queue_id, opened_queue, subject, state, agent_id, front, place, offline, opened_at, " +
				"queued_at, assigned_at, first_assigned_at, responded_at, closed_at, reason, closed_by) " +
				"SELECT i, 0, i, 1, 1, '', 'closed', 0, i < 0, i, i < 0, 1, 1, 0, 0, 0, 2, 'agent', 0 FROM (" +
				"WITH RECURSIVE n (i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) SELECT i FROM n) AS many",
			"ANALYZE",
		} {
			if _, err := write.ExecContext(t.Context(), query); err != nil {
				t.Fatal(err)
			}
		}
		err := s.snapshot(t.Context(), func(r *reader) error {
			for _, query := range []struct {
				index, text string
				args        []any
			}{
				{"conversations_left", leftQuery, []any{time.Now().UnixMilli()}},
				{"conversations_state", openQuery, nil},
			} {
				if plan := explained(t, r, query.text, query.args...); !strings.Contains(plan, query.index) {
					t.Errorf("%s is not used in\n%s", query.index, plan)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
