package store

import (
	"fmt"
	"slices"
	"strings"

	"parley/models"
)

// Where other processes write too, what the writer remembers is good as long as the log stands where this process has
// seen it. The first statement of each transaction locks and reads the head; where that has moved, the entries between tell
// whether anything that is remembered can have changed. So all that changes it must be an entry, also what clients are not
// told of: a transaction without one gets an entry of its own.

// harmless are the entries that leave alone all that the writer remembers.
var harmless = []string{
	string(models.MessageCreated), string(models.MessageUpdated), string(models.MessageDeleted),
	string(models.ReactionAdded), string(models.ReactionRemoved),
	string(models.SupportResponded), string(models.SessionFinished), string(models.LogRewritten),
}

// mostForeign is how many entries of others are looked at; where there are more, everything is read anew.
const mostForeign = 1000

// remembered are the tables that the cache has rows of.
var remembered = []string{"users", "rooms", "memberships", "blocks", "restrictions"}

// alters says whether a statement changes rows that a writer may remember.
func alters(query string) bool {
	for _, verb := range []string{"INSERT INTO ", "UPDATE ", "DELETE FROM "} {
		if rest, ok := strings.CutPrefix(query, verb); ok {
			table, _, _ := strings.Cut(rest, " ")
			return slices.Contains(remembered, table)
		}
	}
	return false
}

// catchUp forgets what is remembered, unless the log has only harmless entries from where this process saw it last up to
// the head. Entries that are there no more, pruned or lost in a restore, cannot be judged.
func (t *tx) catchUp(seen, head int64) error {
	if seen != 0 && head == seen {
		return nil
	}
	if seen == 0 || head < seen || head-seen > mostForeign {
		t.w.cache.clear()
		return nil
	}
	var known int64
	row := t.conn.QueryRowContext(t.context(),
		"SELECT COUNT(*) FROM log WHERE id > $1 AND id <= $2 AND type = ANY ($3)", seen, head, harmless)
	if err := row.Scan(&known); err != nil {
		return fmt.Errorf("read what others have written: %w", err)
	}
	if known != head-seen {
		t.w.cache.clear()
	}
	return nil
}

// tell appends an entry where the transaction has changed what others remember, and no entry says so.
func (t *tx) tell() error {
	if !t.lockHead() || !t.altered {
		return nil
	}
	for i := range t.events {
		if !slices.Contains(harmless, string(t.events[i].Type)) {
			return nil
		}
	}
	_, err := t.Append(models.Event{Type: models.StateChanged}, struct{}{})
	return err
}
