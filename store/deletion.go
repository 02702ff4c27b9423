package store

import (
	"parley/chat"
	"parley/models"
)

// Unfinished implements chat.DeletionReader.
func (r *reader) Unfinished() ([]chat.Unfinished, error) {
	return many[chat.Unfinished](r, "look for unfinished deletions",
		"SELECT id AS user_id, unfinished = 2 AS erase FROM users WHERE unfinished <> 0 ORDER BY id")
}

// SoleOwned implements chat.DeletionReader.
func (r *reader) SoleOwned(userID int64) ([]int64, error) {
	return many[int64](r, "look for rooms without another owner",
		"SELECT m.room_id FROM memberships m JOIN rooms r ON r.id = m.room_id "+
			"WHERE m.user_id = ? AND m.to_id IS NULL AND m.role = 'owner' AND r.deleted_id IS NULL AND NOT EXISTS ("+
			"SELECT 1 FROM memberships o WHERE o.room_id = m.room_id AND o.to_id IS NULL AND o.role = 'owner' AND o.user_id <> ?) "+
			"ORDER BY m.room_id", userID, userID)
}

// Successor implements chat.DeletionReader.
func (r *reader) Successor(roomID, userID int64) (models.Membership, error) {
	row, err := one[membershipRow](r, "look for a successor",
		"SELECT room_id, user_id, role, from_id, joined_at FROM memberships "+
			"WHERE room_id = ? AND to_id IS NULL AND user_id <> ? "+
			"ORDER BY CASE role WHEN 'moderator' THEN 0 ELSE 1 END, from_id LIMIT 1", roomID, userID)
	return row.model(), err
}

// EntriesOf implements chat.DeletionReader.
func (r *reader) EntriesOf(messageIDs []int64) ([]int64, error) {
	return many[int64](r, "look for what carries messages",
		"SELECT id FROM messages WHERE "+r.oneOf("id")+" UNION SELECT id FROM edits WHERE "+r.oneOf("message_id")+" ORDER BY id",
		r.idList(messageIDs), r.idList(messageIDs))
}

// LiveMessages implements chat.DeletionReader.
func (r *reader) LiveMessages(userID int64, key chat.MessageKey, limit int) ([]chat.MessageKey, error) {
	return byRoom(key, limit, func(rooms string, after int64, limit int) ([]chat.MessageKey, error) {
		return many[chat.MessageKey](r, "look for messages to erase",
			"SELECT room_id, id FROM messages WHERE sender_id = ? AND room_id "+rooms+" AND id > ? "+
				"AND NOT EXISTS (SELECT 1 FROM tombstones WHERE message_id = messages.id) ORDER BY room_id, id LIMIT ?",
			userID, key.RoomID, after, limit)
	})
}

type spellOfUserRow struct {
	Room      roomRow `gorm:"embedded"`
	DeletedID int64
	Role      string
	FromID    int64
	ToID      int64
	Revoked   bool
	JoinedAt  int64
}

func (s spellOfUserRow) model() models.Spell {
	return models.Spell{
		Membership: models.Membership{
			RoomID: s.Room.ID, Role: models.RoomRole(s.Role), From: s.FromID, To: s.ToID,
			Revoked: s.Revoked, JoinedAt: moment(s.JoinedAt),
		},
		Room: s.Room.model(), RoomDeleted: s.DeletedID != 0,
	}
}

// Spells implements chat.ExportReader.
func (r *reader) Spells(userID, room, from, upTo int64, limit int) ([]models.Spell, error) {
	return modelsOf[models.Spell](many[spellOfUserRow](r, "read a user's spells",
		"SELECT "+roomColumns+", COALESCE(r.deleted_id, 0) AS deleted_id, m.role, m.from_id, COALESCE(m.to_id, 0) AS to_id, "+
			"m.revoked, m.joined_at FROM memberships m JOIN rooms r ON r.id = m.room_id "+
			"WHERE m.user_id = ? AND (m.room_id, m.from_id) > (?, ?) AND m.from_id <= ? ORDER BY m.room_id, m.from_id LIMIT ?",
		userID, room, from, upTo, limit))
}

// PeopleEntries implements chat.DeletionReader.
func (r *reader) PeopleEntries(room, after int64, limit int) ([]models.Event, error) {
	return byRoom(chat.MessageKey{RoomID: room, ID: after}, limit, func(rooms string, after int64, limit int) ([]models.Event, error) {
		return r.entriesWhere(r.byPeople()+" WHERE aud_kind <> 0 AND type <> 'message.created' AND room_id "+rooms+
			" AND id > ? ORDER BY room_id, id LIMIT ?", room, after, limit)
	})
}
