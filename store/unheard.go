package store

import (
	"slices"

	"parley/models"
)

type markedRow struct{ RoomID, Mark int64 }

// Unheard implements chat.UnheardReader. Each look-up is of one room: a join's plan may be one that reads all messages.
func (r *reader) Unheard(userID, after, upTo int64, limit int) ([]int64, error) {
	rooms, err := many[markedRow](r, "look for rooms with unread messages", "SELECT room_id, mark FROM ("+
		"SELECT s.room_id, COALESCE((SELECT d.read_id FROM reads d WHERE d.user_id = s.user_id AND d.room_id = s.room_id), s.from_id) AS mark, "+
		"COALESCE((SELECT m.id FROM messages m WHERE m.room_id = s.room_id ORDER BY m.id DESC LIMIT 1), 0) AS newest "+
		"FROM memberships s JOIN rooms o ON o.id = s.room_id "+
		"WHERE s.user_id = ? AND s.to_id IS NULL AND o.kind = 'direct' AND o.deleted_id IS NULL) marked WHERE newest > mark", userID)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, room := range rooms {
		more, err := many[int64](r, "look for unread messages", "SELECT m.id FROM messages m WHERE m.room_id = ? AND m.id > ? AND m.id <= ? "+
			"AND m.sender_id <> ? ORDER BY m.id LIMIT ?", room.RoomID, max(after, room.Mark), upTo, userID, limit)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	slices.Sort(ids)
	return ids[:min(len(ids), limit)], nil
}

// MessagesByID implements chat.UnheardReader.
func (r *reader) MessagesByID(ids []int64) ([]models.Message, error) {
	return modelsOf[models.Message](many[messageRow](r, "read messages by id", messageQuery+r.oneOf("m.id")+" ORDER BY m.id", r.idList(ids)))
}
