package store

import (
	"strconv"

	"parley/models"
)

// countsQuery tells of each room how far the user (both parameters) has read it, how many messages are unread and how
// many of them mention the user, and which message is the last. What lies beyond the mark is not counted, but the
// difference of look-ups of a message's place in the room: of all messages, less that of the user's own. Only what was
// deleted there, and what mentions the user, is counted one by one.
//
// newest and newestOwn are such a look-up: a query for the column of the newest message in b.room_id, by b.user_id, up to
// an id. Each is a query of its own for one room: as a join, a plan that PostgreSQL made while the table was small would
// read all of it for as long as the plan is kept.
func countsQuery(newest, newestOwn func(column, upTo string) string) string {
	end := strconv.FormatInt(models.MaxID, 10)
	return `, b AS MATERIALIZED (
  SELECT user_id, room_id, CASE WHEN mark > from_id THEN mark ELSE from_id END AS read_id
  FROM (SELECT CAST(? AS BIGINT) AS user_id, k.*,
    (SELECT d.read_id FROM reads d WHERE d.user_id = ? AND d.room_id = k.room_id) AS mark FROM k) marked
)
SELECT b.room_id, b.read_id,
  COALESCE((` + newest("id", end) + `), 0) AS last_id,
  COALESCE((` + newest("ord", end) + `), 0) - COALESCE((` + newest("ord", "b.read_id") + `), 0)
  - COALESCE((` + newestOwn("own", end) + `), 0) + COALESCE((` + newestOwn("own", "b.read_id") + `), 0)
  - (SELECT COUNT(*) FROM tombstones t WHERE t.room_id = b.room_id AND t.message_id > b.read_id AND t.sender_id <> b.user_id) AS unread,
  (SELECT COUNT(DISTINCT n.message_id) FROM mentions n
   WHERE n.user_id IN (b.user_id, 0) AND n.room_id = b.room_id AND n.message_id > b.read_id
   AND (SELECT m.sender_id FROM messages m WHERE m.id = n.message_id) <> b.user_id) AS mentions
FROM b`
}

type countsRow struct {
	RoomID   int64
	ReadID   int64
	LastID   int64
	Unread   int
	Mentions int
}

// FillRooms implements chat.RoomReader: four queries, however many rooms and messages there are.
func (r *reader) FillRooms(rooms []models.JoinedRoom, userID int64) error {
	if len(rooms) == 0 {
		return nil
	}
	rows, err := many[countsRow](r, "count unread messages", "WITH k AS ("+r.places()+")"+r.counts(), placeList(rooms), userID, userID)
	if err != nil {
		return err
	}
	counts := make(map[int64]countsRow, len(rows))
	for _, row := range rows {
		counts[row.RoomID] = row
	}
	var ids []int64
	for i := range rooms {
		if last := counts[rooms[i].ID].LastID; last > rooms[i].Since() {
			ids = append(ids, last)
		}
	}
	last, err := r.messagesOf(ids, userID)
	if err != nil {
		return err
	}
	for i := range rooms {
		room, c := &rooms[i], counts[rooms[i].ID]
		room.LastMessage = last[c.LastID]
		if room.Role != models.NoRole {
			room.Unread, room.Mentions, room.ReadID = c.Unread, c.Mentions, c.ReadID
		}
	}
	return nil
}

// messagesOf reads messages by their ids as the viewer sees them.
func (r *reader) messagesOf(ids []int64, viewer int64) (map[int64]*models.Message, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	messages, err := modelsOf[models.Message](many[messageRow](r, "read messages by id",
		messageQuery+r.oneOf("m.id"), r.idList(ids)))
	if err != nil {
		return nil, err
	}
	if err := r.Fill(messages, viewer); err != nil {
		return nil, err
	}
	found := make(map[int64]*models.Message, len(messages))
	for i := range messages {
		found[messages[i].ID] = &messages[i]
	}
	return found, nil
}

// placeList writes rooms for dialect.places: room and where the membership began. For
// who is not a member, nothing lies beyond where it began.
func placeList(rooms []models.JoinedRoom) string {
	b := make([]byte, 0, 2+24*len(rooms))
	for _, room := range rooms {
		from := room.From
		if room.Role == models.NoRole {
			from = models.MaxID
		}
		b = append(b, ',', '[')
		b = strconv.AppendInt(b, room.ID, 10)
		b = append(b, ',')
		b = strconv.AppendInt(b, from, 10)
		b = append(b, ']')
	}
	b[0] = '['
	return string(append(b, ']'))
}

type readRow struct{ RoomID, ReadID int64 }

func (r readRow) model() models.ReadMark {
	return models.ReadMark{RoomID: r.RoomID, MessageID: r.ReadID}
}

// ReadMarks implements chat.ExportReader.
func (r *reader) ReadMarks(userID, after int64, limit int) ([]models.ReadMark, error) {
	return modelsOf[models.ReadMark](many[readRow](r, "read a user's read marks",
		"SELECT room_id, read_id FROM reads WHERE user_id = ? AND room_id > ? ORDER BY room_id LIMIT ?", userID, after, limit))
}

// FillRooms implements chat.RoomReader. Messages that wait in the buffer are written first.
func (t *tx) FillRooms(rooms []models.JoinedRoom, userID int64) error {
	if err := t.show(); err != nil {
		return err
	}
	return t.reader.FillRooms(rooms, userID)
}

// MoveRead implements chat.Tx.
func (t *tx) MoveRead(userID, roomID, messageID int64) (moved bool, err error) {
	n, err := t.write("move read mark", "INSERT INTO reads (user_id, room_id, read_id) VALUES (?, ?, ?) "+
		"ON CONFLICT (user_id, room_id) DO UPDATE SET read_id = excluded.read_id WHERE reads.read_id < excluded.read_id",
		userID, roomID, messageID)
	return n > 0, err
}
