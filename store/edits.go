package store

import (
	"parley/chat"
	"parley/models"
)

// editQuery reads earlier texts: each edit tells which text it replaced, that of the edit before it or the first.
const editQuery = "SELECT e.id, e.message_id, m.room_id, COALESCE(p.body, m.body) AS body, COALESCE(p.created_at, m.created_at) AS created_at " +
	"FROM messages m JOIN edits e ON e.message_id = m.id AND e.body IS NOT NULL " +
	"LEFT JOIN edits p ON p.id = (SELECT MAX(id) FROM edits WHERE message_id = m.id AND id < e.id AND body IS NOT NULL) WHERE "

type editRow struct {
	ID        int64
	MessageID int64
	RoomID    int64
	Body      string
	CreatedAt int64
}

func (e editRow) model() models.Edit {
	return models.Edit{ID: e.ID, MessageID: e.MessageID, RoomID: e.RoomID, Text: e.Body, CreatedAt: moment(e.CreatedAt)}
}

// Edits implements chat.MessageReader.
func (r *reader) Edits(messageID, after int64, limit int) ([]models.Edit, error) {
	return modelsOf[models.Edit](many[editRow](r, "read earlier texts",
		editQuery+"m.id = ? AND e.id > ? ORDER BY e.id LIMIT ?", messageID, after, limit))
}

// EditsFrom implements chat.ExportReader.
func (r *reader) EditsFrom(userID int64, message chat.MessageKey, id, upTo int64, limit int) ([]models.Edit, error) {
	return byRoom(message, limit, func(rooms string, from int64, limit int) ([]models.Edit, error) {
		return modelsOf[models.Edit](many[editRow](r, "read a user's earlier texts",
			editQuery+"m.sender_id = ? AND m.room_id "+rooms+" AND m.id >= ? AND m.id + 0 <= ? AND (m.id <> ? OR e.id > ?) "+
				"AND NOT EXISTS (SELECT 1 FROM tombstones d WHERE d.message_id = m.id) ORDER BY m.room_id, m.id, e.id LIMIT ?",
			userID, message.RoomID, from, upTo, message.ID, id, limit))
	})
}
