package store

import "parley/models"

type pinRow struct {
	ID        int64
	MessageID int64
	UserID    int64
	UserName  string
	PinnedAt  int64
}

// Pins implements chat.PinReader: two queries, however many there are.
func (r *reader) Pins(roomID, since, before int64, limit int) ([]models.Pin, error) {
	if before == 0 {
		before = models.MaxID + 1
	}
	rows, err := many[pinRow](r, "list pins",
		"SELECT p.id, p.message_id, p.user_id, u.name AS user_name, p.created_at AS pinned_at "+
			"FROM pins p JOIN users u ON u.id = p.user_id "+
			"WHERE p.room_id = ? AND p.id < ? AND p.message_id > ? ORDER BY p.id DESC LIMIT ?",
		roomID, before, since, max(limit, 0))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = row.MessageID
	}
	messages, err := many[messageRow](r, "read pinned messages", messageQuery+r.oneOf("m.id"), r.idList(ids))
	if err != nil {
		return nil, err
	}
	byID := make(map[int64]models.Message, len(messages))
	for _, m := range messages {
		byID[m.ID] = m.model()
	}
	pins := make([]models.Pin, len(rows))
	for i, row := range rows {
		pins[i] = models.Pin{
			ID: row.ID, Message: byID[row.MessageID], At: moment(row.PinnedAt),
			By: models.Peer{ID: row.UserID, Name: row.UserName},
		}
	}
	return pins, nil
}

// PinCount implements chat.PinReader.
func (r *reader) PinCount(roomID int64) (int, error) {
	return one[int](r, "count pins", "SELECT COUNT(*) FROM pins WHERE room_id = ?", roomID)
}

// InsertPin implements chat.PinWriter.
func (t *tx) InsertPin(p models.Pin) error {
	_, err := t.write("insert pin", "INSERT INTO pins (message_id, room_id, user_id, id, created_at) VALUES (?, ?, ?, ?, ?)",
		p.Message.ID, p.Message.RoomID, p.By.ID, p.ID, millis(p.At))
	return err
}

// DeletePin implements chat.PinWriter.
func (t *tx) DeletePin(messageID int64) error {
	return t.update("delete pin", "DELETE FROM pins WHERE message_id = ?", messageID)
}
