package store

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"parley/chat"
	"parley/models"
)

// talk fills a database with some of everything that hangs on messages: 20 messages in tea from number 7 on, where 8 and 10
// are answers to 7 and 9 one to 8; 12 is edited (27), pinned, has a reaction (28) and mentions bob; 11 and 14, an answer to 7, are
// deleted (29, 30).
func talk(tb testing.TB, s *Store) {
	tb.Helper()
	ann, bob := newUser(tb, s, "ann", models.RoleMember), newUser(tb, s, "bob", models.RoleMember)
	room := newChannel(tb, s, "tea", ann)
	do(tb, s, func(tx chat.Tx) error { return join(tx, room.ID, bob, models.RoomMember) })
	answers := map[int64][2]int64{8: {7, 7}, 9: {8, 7}, 10: {7, 7}, 14: {7, 7}}
	for i := range int64(20) {
		do(tb, s, func(tx chat.Tx) error { return answer(tx, room, 2+i%2, answers[tx.NextID()]) })
	}
	mark := func(kind models.EventType) int64 {
		var id int64
		do(tb, s, func(tx chat.Tx) error {
			m, err := tx.Message(12)
			if err != nil {
				return err
			}
			e, err := tx.Append(models.Event{Type: kind, RoomID: room.ID, Audience: models.InRoom(room.ID)}, models.MessageData{Message: m.ForEvent()})
			if id = e.ID; err != nil || kind != models.MessageUpdated {
				return err
			}
			return errors.Join(tx.InsertEdit(m, e.ID, false), tx.SetMentions(m, []int64{3}))
		})
		return id
	}
	mark(models.MessageUpdated)
	write, _ := s.engine.pools()
	for _, query := range []string{
		fmt.Sprintf("INSERT INTO reactions (message_id, emoji, user_id, id) VALUES (12, 'x', 2, %d)", mark("reaction.added")),
		"INSERT INTO pins (message_id, room_id, user_id, created_at, id) VALUES (12, 4, 2, 1, 27)",
		"INSERT INTO reads (user_id, room_id, read_id) VALUES (2, 4, 20)",
		"INSERT INTO restrictions (room_id, kind, user_id, until, reason, by_id, created_at) VALUES (4, 'mute', 3, 0, '', 2, 1), (4, 'ban', 3, 0, '', 2, 1)",
		"UPDATE rooms SET mutes = 1 WHERE id = 4",
	} {
		if _, err := write.Exec(query); err != nil {
			tb.Fatalf("%s: %v", query, err)
		}
	}
	do(tb, s, func(tx chat.Tx) error { return bury(tx, []int64{11, 14}) })
}

func answer(tx chat.Tx, room models.Room, sender int64, to [2]int64) error {
	m := models.Message{ID: tx.NextID(), RoomID: room.ID, SenderID: sender, Text: "x", CreatedAt: tx.Now(), ReplyTo: to[0], ThreadID: to[1]}
	_, err := tx.Append(models.Event{Type: models.MessageCreated, RoomID: room.ID, Audience: models.InRoom(room.ID)}, models.MessageData{Message: m.ForEvent()})
	return errors.Join(err, tx.InsertMessage(m))
}

// Each relation of messages is broken in a database of its own, and found, and nothing besides it.
func TestCheckFindsWhatIsWrongInRooms(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ query, want string }{
		"well":              {"SELECT 1", ""},
		"place":             {"UPDATE messages SET ord = 9 WHERE id = 9", "message 9 is number 9 of room 4 and should be 3"},
		"own place":         {"UPDATE messages SET own = 9 WHERE id = 9", "message 9 is number 9 of user 2 in room 4 and should be 2"},
		"many places":       {"UPDATE messages SET ord = ord + 1", "… and more like this"},
		"tombstone's room":  {"UPDATE tombstones SET room_id = 1 WHERE message_id = 11", "the tombstone of message 11 is not of its room and sender"},
		"tombstone's user":  {"UPDATE tombstones SET sender_id = 3 WHERE message_id = 11", "the tombstone of message 11 is not of its room and sender"},
		"tombstone of none": {"INSERT INTO tombstones (message_id, room_id, sender_id, deleted_at) VALUES (5, 4, 2, 1)", "the tombstone of message 5"},
		"thread's count":    {"UPDATE threads SET replies = 4", "the thread of message 7 counts 4 answers up to 10, there are 3 up to 10"},
		"thread's last":     {"UPDATE threads SET last_id = 14", "the thread of message 7 counts 3 answers up to 14, there are 3 up to 10"},
		"thread of none":    {"INSERT INTO threads (message_id, replies, last_id) VALUES (9, 1, 10)", "the thread of message 9 counts 1 answers up to 10, there are 0 up to 0"},
		"no thread":         {"DELETE FROM threads", "message 7 was answered and has no thread"},
		"answer to none":    {"UPDATE messages SET reply_to = 99 WHERE id = 10", "message 10 answers 99 in thread 7"},
		"answer to later":   {"UPDATE messages SET reply_to = 10 WHERE id = 10", "message 10 answers 10 in thread 7"},
		"answer elsewhere":  {"UPDATE messages SET reply_to = 12 WHERE id = 14", "message 14 answers 12 in thread 7"},
		"edit of none":      {"UPDATE edits SET message_id = 5", "edit 27 is of message 5, which is not there"},
		"edit not told":     {"UPDATE edits SET id = 28", "edit 28 has no entry in the log"},
		"reaction to none":  {"UPDATE reactions SET message_id = 5", "there are reactions to message 5, which is not there"},
		"to a tombstone":    {"UPDATE reactions SET message_id = 11", "there are reactions to message 11, which is not there"},
		"reaction not told": {"UPDATE reactions SET id = 27", "reaction 27 has no entry in the log"},
		"pin of none":       {"UPDATE pins SET message_id = 5", "message 5 is pinned in room 4 and is not there"},
		"pin elsewhere":     {"UPDATE pins SET room_id = 1", "message 12 is pinned in room 1 and is not there"},
		"pinned tombstone":  {"UPDATE pins SET message_id = 11", "message 11 is pinned in room 4"},
		"mention by none":   {"UPDATE mentions SET message_id = 5", "user 3 is mentioned in room 4 by message 5, which is not there"},
		"mention elsewhere": {"UPDATE mentions SET room_id = 1", "user 3 is mentioned in room 1 by message 12"},
		"by a tombstone":    {"UPDATE mentions SET message_id = 11", "by message 11, which is not there"},
		"read ahead":        {"UPDATE reads SET read_id = 1000", "user 2 has read room 4 up to 1000"},
		"mutes":             {"UPDATE rooms SET mutes = 0", "room 4 counts 0 mutes, there are 1"},
		"no mutes":          {"DELETE FROM restrictions", "room 4 counts 1 mutes, there are 0"},
		"invited nowhere":   {"INSERT INTO invites (room_id, code_hash, by_id, created_at, expires_at, max_uses, uses) SELECT 99, json, 2, 1, 0, 0, 0 FROM log WHERE id = 2", "invitation 1 is to room 99, which is not there"},
		"ban in no room":    {"UPDATE restrictions SET room_id = 99 WHERE kind = 'ban'", "user 3 has a ban in room 99, which is not there"},
	}
	onCopies(t, talk, func(t *testing.T, another func(tb testing.TB) Options) {
		for name, tt := range cases {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				found := spoilt(t, another(t), tt.query).Findings
				if (tt.want == "") != (len(found) == 0) || !strings.Contains(strings.Join(found, "\n"), tt.want) {
					t.Errorf("found %q, want %q", found, tt.want)
				}
				if name != "many places" && len(found) > 1 {
					t.Errorf("one thing was broken, found were %q", found)
				}
			})
		}
	})
}
