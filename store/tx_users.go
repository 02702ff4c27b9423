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
	if u.Role == models.RoleVisitor {
		return nil
	}
	return t.countMembers(models.LobbyID, 1)
}

// UpdateUser implements chat.Tx. Who becomes or ceases to be a visitor moves out of or into the lobby.
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
	was, is := old.Role == models.RoleVisitor, u.Role == models.RoleVisitor
	switch {
	case was && !is:
		return t.countMembers(models.LobbyID, 1)
	case !was && is:
		return t.countMembers(models.LobbyID, -1)
	}
	return nil
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
