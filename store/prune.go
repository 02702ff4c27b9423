package store

// PruneLog implements chat.Tx. The pages that are given up hold what comes next: on SQLite the
// file does not shrink and, with as much going as coming, does not grow.
func (t *tx) PruneLog(through int64) error {
	if _, err := t.write("prune the log", "DELETE FROM log WHERE id <= ?", through); err != nil {
		return err
	}
	// Entries of this very batch are behind the head as it is stored, and so is what is kept then.
	return t.update("note the oldest entry",
		"UPDATE log_head SET oldest = COALESCE((SELECT MIN(id) FROM log WHERE id > ?), head + 1)", through)
}
