package store

import (
	"fmt"

	"parley/models"
)

// InsertUser implements chat.Tx.
func (t *tx) InsertUser(u models.User, passwordHash string) error {
	_, err := t.write("insert user",
		"INSERT INTO users (id, name, name_key, display_name, role, status_text, password, created_at, last_seen_at) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		u.ID, u.Name, u.Key, u.DisplayName, string(u.Role), u.StatusText, passwordHash, millis(u.CreatedAt), millis(u.LastSeenAt))
	if err != nil {
		return err
	}
	t.w.cache.users.put(u.ID, u)
	t.w.cache.names.put(u.Key, u.ID)
	if u.Role.Staff() {
		if err := t.startServing(u.ID, u.ID); err != nil {
			return err
		}
	}
	if u.Role == models.RoleVisitor {
		return nil
	}
	return t.countMembers(models.LobbyID, 1)
}

// UpdateUser implements chat.Tx. Who becomes or ceases to be a visitor moves out of or into the lobby; who becomes
// or ceases to be an agent or admin begins or ends a spell at the newest entry.
func (t *tx) UpdateUser(u models.User) error {
	old, err := t.User(u.ID)
	if err != nil {
		return fmt.Errorf("update user: %w", err)
	}
	err = t.update("update user",
		"UPDATE users SET name = ?, name_key = ?, display_name = ?, role = ?, status_text = ? WHERE id = ?",
		u.Name, u.Key, u.DisplayName, string(u.Role), u.StatusText, u.ID)
	if err != nil {
		return err
	}
	u.CreatedAt, u.LastSeenAt, u.BannedUntil = old.CreatedAt, old.LastSeenAt, old.BannedUntil
	t.w.cache.users.put(u.ID, u)
	t.w.cache.names.drop(old.Key)
	t.w.cache.names.put(u.Key, u.ID)
	switch at := t.next - 1; {
	case u.Role.Staff() && !old.Role.Staff():
		err = t.startServing(u.ID, at)
	case !u.Role.Staff() && old.Role.Staff():
		err = t.stopServing(u.ID, at)
	}
	if err != nil {
		return err
	}
	was, is := old.Role == models.RoleVisitor, u.Role == models.RoleVisitor
	switch {
	case was && !is:
		return t.countMembers(models.LobbyID, 1)
	case !was && is:
		return t.countMembers(models.LobbyID, -1)
	}
	return nil
}

// startServing notes that what is sent to the agents is the user's from the entry on.
func (t *tx) startServing(userID, from int64) error {
	_, err := t.write("start an agent's spell", "INSERT INTO agent_spells (user_id, from_id, to_id) VALUES (?, ?, NULL)", userID, from)
	return err
}

// stopServing notes that it is theirs up to the entry. What they had they keep.
func (t *tx) stopServing(userID, to int64) error {
	return t.update("end an agent's spell", "UPDATE agent_spells SET to_id = ? WHERE user_id = ? AND to_id IS NULL", to, userID)
}

// SetPassword implements chat.Tx.
func (t *tx) SetPassword(userID int64, hash string) error {
	return t.update("set password", "UPDATE users SET password = ? WHERE id = ?", hash, userID)
}

// SetBannedUntil implements chat.Tx.
func (t *tx) SetBannedUntil(userID int64, until models.Time) error {
	err := t.update("set until when a user is banned", "UPDATE users SET banned_until = ? WHERE id = ?", millis(until), userID)
	t.w.cache.users.drop(userID)
	return err
}

// countMembers adds n to a room's number of members.
func (t *tx) countMembers(roomID int64, n int) error {
	err := t.update("count members", "UPDATE rooms SET member_count = member_count + ? WHERE id = ?", n, roomID)
	if err == nil {
		t.w.cache.count(roomID, n)
	}
	return err
}

// traces are the rows by which an account would be missed. Blocks of it go by their foreign key; what the operators noted
// has its name.
const traces = "SELECT 1 FROM sessions WHERE user_id = ? " +
	"UNION ALL SELECT 1 FROM memberships WHERE user_id = ? " +
	"UNION ALL SELECT 1 FROM messages WHERE sender_id = ? " +
	"UNION ALL SELECT 1 FROM mentions WHERE user_id = ? " +
	"UNION ALL SELECT 1 FROM reactions WHERE user_id = ? " +
	"UNION ALL SELECT 1 FROM restrictions WHERE user_id = ? " +
	"UNION ALL SELECT 1 FROM bans WHERE user_id = ? LIMIT 1"

// ForgetUser implements chat.Tx.
func (t *tx) ForgetUser(u models.User) (forgotten bool, err error) {
	if err := t.show(); err != nil {
		return false, err
	}
	left, err := many[int64](&t.reader, "look for traces of a user", traces, u.ID, u.ID, u.ID, u.ID, u.ID, u.ID, u.ID)
	if err != nil || len(left) > 0 {
		return false, err
	}
	for _, s := range []struct{ what, query string }{
		{"forget a user's read marks", "DELETE FROM reads WHERE user_id = ?"},
		{"forget a user's older ids", "DELETE FROM legacy_ids WHERE user_id = ?"},
	} {
		if _, err := t.write(s.what, s.query, u.ID); err != nil {
			return false, err
		}
	}
	if err := t.update("forget user", "DELETE FROM users WHERE id = ?", u.ID); err != nil {
		return false, err
	}
	t.w.cache.users.drop(u.ID)
	t.w.cache.names.drop(u.Key)
	if u.Role == models.RoleVisitor {
		return true, nil
	}
	return true, t.countMembers(models.LobbyID, -1)
}
