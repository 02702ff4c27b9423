package store

import (
	"slices"

	"parley/models"
)

const messageQuery = "SELECT m.id, m.room_id, m.sender_id, u.name AS sender_name, m.body, m.created_at, m.nonce, " +
	"COALESCE(t.deleted_at, 0) AS deleted_at FROM messages m JOIN users u ON u.id = m.sender_id " +
	"LEFT JOIN tombstones t ON t.message_id = m.id WHERE "

type messageRow struct {
	ID         int64
	RoomID     int64
	SenderID   int64
	SenderName string
	Body       string
	CreatedAt  int64
	Nonce      string
	DeletedAt  int64
}

// model hides what stands in the row of a deleted message: blanks.
func (m messageRow) model() models.Message {
	if m.DeletedAt != 0 {
		m.Body, m.Nonce = "", ""
	}
	return models.Message{
		ID: m.ID, RoomID: m.RoomID, SenderID: m.SenderID, SenderName: m.SenderName, Text: m.Body,
		CreatedAt: moment(m.CreatedAt), DeletedAt: moment(m.DeletedAt), Nonce: m.Nonce,
	}
}

type nonceRow struct {
	MessageID int64
	SentTo    string
	Digest    []byte
	CreatedAt int64
}

// Message implements chat.MessageReader.
func (r *reader) Message(id int64) (models.Message, error) {
	row, err := one[messageRow](r, "read message", messageQuery+"m.id = ?", id)
	return row.model(), err
}

// Messages implements chat.MessageReader. One row more than asked for tells whether the piece goes on
// in the direction of reading; what lies on the other side is a second query.
func (r *reader) Messages(roomID int64, page models.Page) (models.History, error) {
	var h models.History
	after, before := int64(0), int64(models.MaxID+1)
	order := "DESC"
	if page.HasBefore {
		before = page.Before
	}
	if page.HasAfter {
		after, order = page.After, "ASC"
	}
	limit := max(page.Limit, 0)
	rows, err := modelsOf[models.Message](many[messageRow](r, "read messages",
		messageQuery+"m.room_id = ? AND m.id > ? AND m.id < ? ORDER BY m.id "+order+" LIMIT ?",
		roomID, after, before, limit+1))
	if err != nil {
		return h, err
	}
	more := len(rows) > limit
	rows = rows[:min(len(rows), limit)]
	if page.HasAfter {
		h.HasAfter = more
	} else {
		h.HasBefore = more
		slices.Reverse(rows)
	}
	h.Messages = rows
	return h, r.around(roomID, after, before, &h)
}

// around finds out what lies beyond a piece within the bounds: beyond a bound that was given there
// may be messages although the piece ends at it.
func (r *reader) around(roomID, after, before int64, h *models.History) error {
	first, last := after+1, before-1
	if n := len(h.Messages); n > 0 {
		first, last = h.Messages[0].ID, h.Messages[n-1].ID
	}
	if !h.HasBefore && after > 0 {
		older, err := many[int64](r, "look for older messages",
			"SELECT id FROM messages WHERE room_id = ? AND id < ? ORDER BY id DESC LIMIT 1", roomID, first)
		if err != nil {
			return err
		}
		h.HasBefore = len(older) > 0
	}
	if !h.HasAfter && before <= models.MaxID {
		newer, err := many[int64](r, "look for newer messages",
			"SELECT id FROM messages WHERE room_id = ? AND id > ? ORDER BY id LIMIT 1", roomID, last)
		if err != nil {
			return err
		}
		h.HasAfter = len(newer) > 0
	}
	return nil
}

// MessagesFrom implements chat.MessageReader.
func (r *reader) MessagesFrom(userID, after, upTo int64, limit int) ([]models.Message, error) {
	return modelsOf[models.Message](many[messageRow](r, "read a user's messages",
		messageQuery+"m.sender_id = ? AND m.id > ? AND m.id <= ? ORDER BY m.id LIMIT ?", userID, after, upTo, limit))
}

// Nonce implements chat.MessageReader.
func (r *reader) Nonce(userID int64, nonce string) (models.Nonce, error) {
	row, err := one[nonceRow](r, "read nonce",
		"SELECT message_id, sent_to, digest, created_at FROM nonces WHERE user_id = ? AND nonce = ?",
		userID, storable(nonce))
	return models.Nonce{
		UserID: userID, Nonce: nonce, MessageID: row.MessageID, To: row.SentTo, Digest: row.Digest,
		CreatedAt: moment(row.CreatedAt),
	}, err
}
