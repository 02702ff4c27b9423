package store

import (
	"slices"

	"parley/chat"
	"parley/models"
)

// messageQuery reads messages, all but what Fill adds. The text is that of the newest edit, where there is one.
const messageQuery = "SELECT m.id, m.room_id, m.sender_id, u.name AS sender_name, COALESCE(e.body, m.body) AS body, " +
	"m.created_at, m.nonce, m.reply_to, m.thread_id, m.announcement, COALESCE(t.deleted_at, 0) AS deleted_at, " +
	"COALESCE(e.id, m.id) AS version, COALESCE(e.created_at, 0) AS edited_at, p.message_id IS NOT NULL AS pinned, " +
	"COALESCE(h.replies, 0) AS replies, COALESCE(l.id, 0) AS last_reply_id, COALESCE(l.created_at, 0) AS last_reply_at " +
	"FROM messages m JOIN users u ON u.id = m.sender_id " +
	"LEFT JOIN tombstones t ON t.message_id = m.id " +
	"LEFT JOIN edits e ON e.id = (SELECT MAX(id) FROM edits WHERE message_id = m.id AND body IS NOT NULL) " +
	"LEFT JOIN pins p ON p.message_id = m.id " +
	"LEFT JOIN threads h ON h.message_id = m.id LEFT JOIN messages l ON l.id = h.last_id WHERE "

type messageRow struct {
	ID           int64
	RoomID       int64
	SenderID     int64
	SenderName   string
	Body         string
	CreatedAt    int64
	Nonce        string
	ReplyTo      int64
	ThreadID     int64
	Announcement bool
	DeletedAt    int64
	Version      int64
	EditedAt     int64
	Pinned       bool
	Replies      int
	LastReplyID  int64
	LastReplyAt  int64
}

// model hides what stands in the row of a deleted message: blanks.
func (m messageRow) model() models.Message {
	if m.DeletedAt != 0 {
		m.Body, m.Nonce, m.EditedAt = "", "", 0
	}
	return models.Message{
		ID: m.ID, RoomID: m.RoomID, SenderID: m.SenderID, SenderName: m.SenderName, Text: m.Body,
		CreatedAt: moment(m.CreatedAt), EditedAt: moment(m.EditedAt), DeletedAt: moment(m.DeletedAt), Nonce: m.Nonce,
		Version: m.Version, ReplyTo: m.ReplyTo, ThreadID: m.ThreadID, Announcement: m.Announcement, Pinned: m.Pinned,
		Thread: models.Thread{Replies: m.Replies, LastID: m.LastReplyID, LastAt: moment(m.LastReplyAt)},
	}
}

// mentionRow is somebody whom a message mentions; user 0 is everybody in the room.
type mentionRow struct{ MessageID, RoomID, UserID int64 }

type reactionRow struct {
	MessageID int64
	Emoji     string
	Count     int
	Me        bool
}

// Fill implements chat.MessageReader: two queries, however many messages there are.
func (r *reader) Fill(messages []models.Message, viewer int64) error {
	at := make(map[int64]*models.Message, len(messages))
	ids := make([]int64, 0, len(messages))
	for i := range messages {
		if m := &messages[i]; !m.IsDeleted() {
			m.Mentions, m.MentionsRoom, m.Reactions = nil, false, nil
			at[m.ID] = m
			ids = append(ids, m.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	mentions, err := many[mentionRow](r, "read mentions",
		"SELECT message_id, user_id FROM mentions WHERE "+r.oneOf("message_id")+" ORDER BY message_id, user_id", r.idList(ids))
	if err != nil {
		return err
	}
	for _, row := range mentions {
		if m := at[row.MessageID]; row.UserID == 0 {
			m.MentionsRoom = true
		} else {
			m.Mentions = append(m.Mentions, row.UserID)
		}
	}
	reactions, err := many[reactionRow](r, "read reactions",
		"SELECT message_id, emoji, COUNT(*) AS count, MAX(CASE WHEN user_id = ? THEN 1 ELSE 0 END) = 1 AS me "+
			"FROM reactions WHERE "+r.oneOf("message_id")+" GROUP BY message_id, emoji ORDER BY message_id, MIN(id)",
		viewer, r.idList(ids))
	for _, row := range reactions {
		m := at[row.MessageID]
		m.Reactions = append(m.Reactions, models.Reaction{Emoji: row.Emoji, Count: row.Count, Me: row.Me})
	}
	return err
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
	if page.HasAround {
		return r.messagesAround(roomID, page)
	}
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
		roomID, max(after, page.Since), before, limit+1))
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
	return h, r.beyond(roomID, page.Since, after, before, &h)
}

// beyond finds out what lies beyond a piece within the bounds: beyond a bound that was given there
// may be messages although the piece ends at it.
func (r *reader) beyond(roomID, since, after, before int64, h *models.History) error {
	first, last := after+1, before-1
	if n := len(h.Messages); n > 0 {
		first, last = h.Messages[0].ID, h.Messages[n-1].ID
	}
	if !h.HasBefore && after > 0 {
		older, err := many[int64](r, "look for older messages",
			"SELECT id FROM messages WHERE room_id = ? AND id > ? AND id < ? ORDER BY id DESC LIMIT 1", roomID, since, first)
		if err != nil {
			return err
		}
		h.HasBefore = len(older) > 0
	}
	if !h.HasAfter && before <= models.MaxID {
		newer, err := many[int64](r, "look for newer messages",
			"SELECT id FROM messages WHERE room_id = ? AND id > ? ORDER BY id LIMIT 1", roomID, max(last, since))
		if err != nil {
			return err
		}
		h.HasAfter = len(newer) > 0
	}
	return nil
}

// LastSent implements chat.MessageReader. Like the look-ups of postgresInsertMessages it leaves only one index to choose.
func (r *reader) LastSent(roomID, userID int64) (models.Time, error) {
	at, err := one[int64](r, "read when somebody sent last",
		"SELECT created_at FROM (SELECT sender_id, room_id, created_at FROM messages WHERE (sender_id, room_id) <= (?, ?) "+
			"ORDER BY sender_id DESC, room_id DESC, id DESC LIMIT 1) AS newest WHERE sender_id = ? AND room_id = ?",
		userID, roomID, userID, roomID)
	return moment(at), err
}

// messagesAround gives half of the page before the id, the rest from it on. One row more on each side tells whether
// there are others.
func (r *reader) messagesAround(roomID int64, page models.Page) (models.History, error) {
	limit := max(page.Limit, 0)
	before, rest := limit/2, limit-limit/2
	older, err := modelsOf[models.Message](many[messageRow](r, "read messages before one",
		messageQuery+"m.room_id = ? AND m.id > ? AND m.id < ? ORDER BY m.id DESC LIMIT ?",
		roomID, page.Since, page.Around, before+1))
	if err != nil {
		return models.History{}, err
	}
	newer, err := modelsOf[models.Message](many[messageRow](r, "read messages from one on",
		messageQuery+"m.room_id = ? AND m.id > ? AND m.id >= ? ORDER BY m.id LIMIT ?",
		roomID, page.Since, page.Around, rest+1))
	if err != nil {
		return models.History{}, err
	}
	h := models.History{HasBefore: len(older) > before, HasAfter: len(newer) > rest}
	older = older[:min(len(older), before)]
	slices.Reverse(older)
	h.Messages = append(older, newer[:min(len(newer), rest)]...)
	return h, nil
}

// Replies implements chat.MessageReader.
func (r *reader) Replies(threadID, after int64, limit int) ([]models.Message, error) {
	return modelsOf[models.Message](many[messageRow](r, "read answers",
		messageQuery+"m.thread_id = ? AND m.thread_id <> 0 AND m.id > ? ORDER BY m.id LIMIT ?", threadID, after, max(limit, 0)))
}

// MessagesFrom implements chat.MessageReader.
func (r *reader) MessagesFrom(userID int64, key chat.MessageKey, upTo int64, limit int) ([]models.Message, error) {
	return byRoom(key, limit, func(rooms string, after int64, limit int) ([]models.Message, error) {
		return modelsOf[models.Message](many[messageRow](r, "read a user's messages",
			messageQuery+"m.sender_id = ? AND m.room_id "+rooms+" AND m.id > ? AND m.id + 0 <= ? ORDER BY m.room_id, m.id LIMIT ?",
			userID, key.RoomID, after, upTo, limit))
	})
}

// byRoom reads a page of what lies beyond an entry, by room and id: from its id on in its room, then in the rooms beyond.
// They are two queries, since SQLite makes no range of (room_id, id) > (?, ?): it would read the room from its beginning
// for each page. An upper bound of ids is written so that it is no range either: with two bounds the index of the room
// looks better to SQLite than that of a sender.
func byRoom[T any](key chat.MessageKey, limit int, read func(rooms string, id int64, limit int) ([]T, error)) ([]T, error) {
	page, err := read("= ?", key.ID, limit)
	if err != nil || len(page) == limit {
		return page, err
	}
	rest, err := read("> ?", 0, limit-len(page))
	return append(page, rest...), err
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
