package store

import (
	"cmp"
	"fmt"

	"parley/models"
)

// InsertRoom implements chat.Tx. A room begins without members: StartSpell counts them.
func (t *tx) InsertRoom(r models.Room) error {
	r.DirectA, r.DirectB = min(r.DirectA, r.DirectB), max(r.DirectA, r.DirectB)
	r.MemberCount, r.Mutes = 0, 0
	r.History = cmp.Or(r.History, models.HistoryAll)
	_, err := t.write("insert room",
		"INSERT INTO rooms (id, kind, name, name_key, topic, visibility, direct_a, direct_b, member_count, archived, created_at, "+
			"slow_mode, history, mutes, notes_of) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, 0, ?)",
		r.ID, string(r.Kind), r.Name, r.Key, r.Topic, string(r.Visibility), r.DirectA, r.DirectB, r.Archived, millis(r.CreatedAt),
		r.SlowMode, string(r.History), r.NotesOf)
	if err == nil {
		t.w.cache.putRoom(r)
	}
	return err
}

// UpdateRoom implements chat.Tx.
func (t *tx) UpdateRoom(r models.Room) error {
	old, err := t.Room(r.ID)
	if err != nil {
		return fmt.Errorf("update room: %w", err)
	}
	err = t.update("update room",
		"UPDATE rooms SET name = ?, name_key = ?, topic = ?, visibility = ?, archived = ?, slow_mode = ?, history = ? "+
			"WHERE id = ? AND deleted_id IS NULL",
		r.Name, r.Key, r.Topic, string(r.Visibility), r.Archived, r.SlowMode, string(r.History), r.ID)
	if err != nil {
		return err
	}
	old.Name, old.Key, old.Topic, old.Visibility, old.Archived = r.Name, r.Key, r.Topic, r.Visibility, r.Archived
	old.SlowMode, old.History = r.SlowMode, r.History
	t.w.cache.putRoom(old)
	return nil
}

// DeleteRoom implements chat.Tx. Spells that had ended before are revoked too, with their own ends:
// nothing of a deleted room is given again but how each saw it end.
func (t *tx) DeleteRoom(roomID, to int64) error {
	err := t.update("delete room",
		"UPDATE rooms SET deleted_id = ?, member_count = 0 WHERE id = ? AND deleted_id IS NULL", to, roomID)
	if err != nil {
		return err
	}
	if _, err := t.write("delete the room's restrictions", "DELETE FROM restrictions WHERE room_id = ?", roomID); err != nil {
		return err
	}
	_, err = t.write("end the room's spells",
		"UPDATE memberships SET to_id = COALESCE(to_id, ?), revoked = ? WHERE room_id = ?", to, true, roomID)
	if err != nil {
		return err
	}
	if _, err := t.write("delete the room's invitations", "DELETE FROM invites WHERE room_id = ?", roomID); err != nil {
		return err
	}
	t.w.cache.dropRoom(roomID)
	// By the members, since the table has no index by room: whoever has a mark was one.
	_, err = t.write("delete the room's read marks", "DELETE FROM reads WHERE room_id = ? AND user_id IN ("+
		"SELECT user_id FROM memberships WHERE room_id = ?)", roomID, roomID)
	return err
}

// StartSpell implements chat.Tx.
func (t *tx) StartSpell(m models.Membership) error {
	_, err := t.write("start spell",
		"INSERT INTO memberships (room_id, user_id, role, from_id, to_id, revoked, joined_at) VALUES (?, ?, ?, ?, NULL, ?, ?)",
		m.RoomID, m.UserID, string(m.Role), m.From, false, millis(m.JoinedAt))
	if err != nil {
		return err
	}
	m.To, m.Revoked = 0, false
	t.w.cache.spells.put(pair{m.RoomID, m.UserID}, m)
	return t.countMembers(m.RoomID, 1)
}

// EndSpell implements chat.Tx.
func (t *tx) EndSpell(roomID, userID, to int64, revoked bool) error {
	err := t.update("end spell",
		"UPDATE memberships SET to_id = ?, revoked = ? WHERE room_id = ? AND user_id = ? AND to_id IS NULL",
		to, revoked, roomID, userID)
	if err != nil {
		return err
	}
	t.w.cache.spells.drop(pair{roomID, userID})
	return t.countMembers(roomID, -1)
}

// SetRoomRole implements chat.Tx.
func (t *tx) SetRoomRole(roomID, userID int64, role models.RoomRole) error {
	err := t.update("set role in room",
		"UPDATE memberships SET role = ? WHERE room_id = ? AND user_id = ? AND to_id IS NULL",
		string(role), roomID, userID)
	t.w.cache.spells.drop(pair{roomID, userID})
	return err
}
