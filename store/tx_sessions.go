package store

import (
	"fmt"

	"parley/models"
)

// InsertSession implements chat.Tx.
func (t *tx) InsertSession(s models.Session) (models.Session, error) {
	if err := t.save(); err != nil {
		return s, err
	}
	if err := t.fault(OpInsert); err != nil {
		return s, t.fail("insert session", injected{err})
	}
	id, err := one[int64](&t.reader, "insert session",
		"INSERT INTO sessions (user_id, token_hash, created_at, last_used_at, expires_at, agent, address) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
		s.UserID, blob(s.TokenHash), millis(s.CreatedAt), millis(s.LastUsedAt), millis(s.ExpiresAt), s.Agent, s.Address)
	t.dirty = true
	s.ID = id
	return s, err
}

// TouchSession implements chat.Tx. The times only move forward: two touches may come in either order.
func (t *tx) TouchSession(id int64, used, expires models.Time) error {
	session, err := t.Session(id)
	if err != nil {
		return fmt.Errorf("touch session: %w", err)
	}
	err = t.update("touch session", "UPDATE sessions SET last_used_at = ?, expires_at = ? WHERE id = ?",
		max(millis(session.LastUsedAt), millis(used)), max(millis(session.ExpiresAt), millis(expires)), id)
	if err != nil {
		return err
	}
	_, err = t.jot("note when the user was seen",
		"UPDATE users SET last_seen_at = ? WHERE id = ? AND last_seen_at < ?", millis(used), session.UserID, millis(used))
	t.w.cache.users.drop(session.UserID)
	return err
}

// TouchSessions implements chat.Tx, with as many statements for many as for one.
func (t *tx) TouchSessions(sessions []models.Session, used, expires models.Time) error {
	ids, users := make([]int64, len(sessions)), make([]int64, len(sessions))
	for i, s := range sessions {
		ids[i], users[i] = s.ID, s.UserID
		t.w.cache.users.drop(s.UserID)
	}
	_, err := t.write("touch sessions",
		"UPDATE sessions SET last_used_at = CASE WHEN last_used_at < ? THEN ? ELSE last_used_at END, "+
			"expires_at = CASE WHEN expires_at < ? THEN ? ELSE expires_at END WHERE "+t.oneOf("id"),
		millis(used), millis(used), millis(expires), millis(expires), t.idList(ids))
	if err != nil {
		return err
	}
	_, err = t.jot("note when the users were seen",
		"UPDATE users SET last_seen_at = ? WHERE last_seen_at < ? AND "+t.oneOf("id"), millis(used), millis(used), t.idList(users))
	return err
}

// DeleteSession implements chat.Tx. Its tickets go by their foreign key.
func (t *tx) DeleteSession(id int64) error {
	_, err := t.write("delete session", "DELETE FROM sessions WHERE id = ?", id)
	return err
}

// InsertTicket implements chat.Tx.
func (t *tx) InsertTicket(k models.Ticket) error {
	_, err := t.write("insert ticket",
		"INSERT INTO tickets (hash, session_id, user_id, created_at, used_at, closed_at) VALUES (?, ?, ?, ?, ?, ?)",
		blob(k.Hash), k.SessionID, k.UserID, millis(k.CreatedAt), millis(k.UsedAt), millis(k.ClosedAt))
	return err
}

// SetTicketUse implements chat.Tx.
func (t *tx) SetTicketUse(hash []byte, used, closed models.Time) error {
	return t.update("set ticket's use", "UPDATE tickets SET used_at = ?, closed_at = ? WHERE hash = ?",
		millis(used), millis(closed), blob(hash))
}

// CloseTickets implements chat.Tx.
func (t *tx) CloseTickets(at models.Time) error {
	_, err := t.write("close open tickets", "UPDATE tickets SET closed_at = ? WHERE used_at <> 0 AND closed_at = 0", millis(at))
	return err
}

// DeleteTickets implements chat.Tx, with one statement for each index.
func (t *tx) DeleteTickets(unused, closed models.Time, limit int) (int, error) {
	n, err := t.write("delete unused tickets", "DELETE FROM tickets WHERE hash IN ("+
		"SELECT hash FROM tickets WHERE used_at = 0 AND created_at < ? ORDER BY created_at LIMIT ?)", millis(unused), limit)
	if err != nil {
		return 0, err
	}
	m, err := t.write("delete closed tickets", "DELETE FROM tickets WHERE hash IN ("+
		"SELECT hash FROM tickets WHERE closed_at <> 0 AND closed_at < ? ORDER BY closed_at LIMIT ?)", millis(closed), limit)
	return int(n + m), err
}
