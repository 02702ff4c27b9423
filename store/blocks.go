package store

import (
	"parley/models"
)

type blockRow struct {
	User      userRow `gorm:"embedded"`
	BlockedAt int64
}

func (b blockRow) model() models.Block {
	return models.Block{User: b.User.model(), CreatedAt: moment(b.BlockedAt)}
}

// Blocked implements chat.UserReader.
func (r *reader) Blocked(a, b int64) (bool, error) {
	found, err := many[int64](r, "look for a block",
		"SELECT blocker_id FROM blocks WHERE blocker_id = ? AND blocked_id = ? "+
			"UNION ALL SELECT blocker_id FROM blocks WHERE blocker_id = ? AND blocked_id = ?", a, b, b, a)
	return len(found) > 0, err
}

// Blocks implements chat.UserReader.
func (r *reader) Blocks(userID, after int64, limit int) ([]models.Block, error) {
	return modelsOf[models.Block](many[blockRow](r, "list blocks",
		"SELECT u.id, u.name, u.name_key, u.display_name, u.role, u.status_text, u.created_at, u.last_seen_at, "+
			"b.created_at AS blocked_at FROM blocks b JOIN users u ON u.id = b.blocked_id "+
			"WHERE b.blocker_id = ? AND b.blocked_id > ? ORDER BY b.blocked_id LIMIT ?", userID, after, max(limit, 0)))
}

// Blocked implements chat.UserReader. It is asked for every message of a direct conversation, most of which
// are between two who do not block each other: that is remembered as well.
func (t *tx) Blocked(a, b int64) (bool, error) {
	both := pair{min(a, b), max(a, b)}
	if blocked, ok := lookUp(t, &t.w.cache.blocks, both); ok {
		return blocked, nil
	}
	if t.asking {
		return false, ask(t.scout, &t.scout.blocks, both)
	}
	blocked, err := t.reader.Blocked(a, b)
	if err == nil {
		t.w.cache.blocks.put(both, blocked)
	}
	return blocked, err
}

// InsertBlock implements chat.Tx.
func (t *tx) InsertBlock(blocker, blocked int64) error {
	_, err := t.write("insert block",
		"INSERT INTO blocks (blocker_id, blocked_id, created_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
		blocker, blocked, millis(t.now))
	if err == nil {
		t.w.cache.blocks.put(pair{min(blocker, blocked), max(blocker, blocked)}, true)
	}
	return err
}

// DeleteBlock implements chat.Tx. Whether the other blocks too is read when it matters.
func (t *tx) DeleteBlock(blocker, blocked int64) error {
	_, err := t.write("delete block", "DELETE FROM blocks WHERE blocker_id = ? AND blocked_id = ?", blocker, blocked)
	t.w.cache.blocks.drop(pair{min(blocker, blocked), max(blocker, blocked)})
	return err
}

// answerBlocks notes also who does not block each other: most.
func (t *tx) answerBlocks(pairs []pair) error {
	if len(pairs) == 0 {
		return nil
	}
	both := make([]pair, 0, 2*len(pairs))
	for _, p := range pairs {
		t.w.cache.blocks.put(p, false)
		both = append(both, p, pair{p.b, p.a})
	}
	return t.scan("SELECT k.a, k.b FROM unnest($1::bigint[], $2::bigint[]) AS k (a, b) CROSS JOIN LATERAL ("+
		"SELECT 1 FROM blocks WHERE blocker_id = k.a AND blocked_id = k.b LIMIT 1) AS x", columns(both), func(row scanner) error {
		var p pair
		err := row.Scan(&p.a, &p.b)
		t.w.cache.blocks.put(pair{min(p.a, p.b), max(p.a, p.b)}, true)
		return err
	})
}
