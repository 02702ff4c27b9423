package store

import (
	"fmt"

	"parley/models"
)

// SetMentions implements chat.Tx.
func (t *tx) SetMentions(m models.Message, userIDs []int64) error {
	if err := t.show(); err != nil {
		return err
	}
	if _, err := t.write("delete mentions", "DELETE FROM mentions WHERE message_id = ?", m.ID); err != nil {
		return err
	}
	var rows []mentionRow
	for _, id := range userIDs {
		rows = append(rows, mentionRow{MessageID: m.ID, RoomID: m.RoomID, UserID: id})
	}
	if err := t.insertMentions(t.context(), t.conn, rows); err != nil {
		return t.fail("insert mentions", err)
	}
	t.dirty = t.dirty || len(rows) > 0
	return nil
}

// mentionsOf gives the rows of those whom the messages mention.
func mentionsOf(messages []models.Message) (rows []mentionRow) {
	for i := range messages {
		m := &messages[i]
		if m.MentionsRoom {
			rows = append(rows, mentionRow{MessageID: m.ID, RoomID: m.RoomID})
		}
		for _, id := range m.Mentions {
			rows = append(rows, mentionRow{MessageID: m.ID, RoomID: m.RoomID, UserID: id})
		}
	}
	return rows
}

// countReplies counts the answers among messages that were just inserted into their threads.
func (t *tx) countReplies(messages []models.Message) error {
	var ids []int64
	for i := range messages {
		if messages[i].ThreadID != 0 {
			ids = append(ids, messages[i].ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	err := t.db.Exec("INSERT INTO threads (message_id, replies, last_id) "+
		"SELECT thread_id, COUNT(*), MAX(id) FROM messages WHERE "+t.oneOf("id")+" GROUP BY thread_id "+
		"ON CONFLICT (message_id) DO UPDATE SET replies = threads.replies + excluded.replies, last_id = excluded.last_id",
		t.idList(ids)).Error
	if err != nil {
		return fmt.Errorf("count answers: %w", err)
	}
	return nil
}

// UsersByKeys implements chat.UserReader. The cache knows of names that they are nobody's too.
func (t *tx) UsersByKeys(keys []string) (map[string]int64, error) {
	found := map[string]int64{}
	var unknown []string
	for _, key := range keys {
		if id, ok := lookUp(t, &t.w.cache.names, key); !ok {
			unknown = append(unknown, key)
		} else if id != 0 {
			found[key] = id
		}
	}
	if len(unknown) == 0 {
		return found, nil
	}
	if t.asking {
		return nil, askAll(t.scout, &t.scout.names, unknown)
	}
	return found, t.learnNames(unknown, found)
}

// learnNames looks up keys and adds those that are somebody's to found.
func (t *tx) learnNames(keys []string, found map[string]int64) error {
	named, err := t.reader.UsersByKeys(keys)
	if err != nil {
		return err
	}
	for _, key := range keys {
		id := named[key]
		t.w.cache.names.put(key, id)
		if id != 0 {
			found[key] = id
		}
	}
	return nil
}

// MembersAmong implements chat.RoomReader.
func (t *tx) MembersAmong(roomID int64, userIDs []int64) ([]int64, error) {
	var members, unknown []int64
	for _, id := range userIDs {
		switch known, member := t.knownMember(roomID, id); {
		case !known:
			unknown = append(unknown, id)
		case member:
			members = append(members, id)
		}
	}
	if len(unknown) == 0 {
		return members, nil
	}
	if t.asking {
		return nil, t.askMembers(roomID, unknown)
	}
	rest, err := t.reader.MembersAmong(roomID, unknown)
	return append(members, rest...), err
}

// knownMember says whether the user is a member of the room as far as the cache knows.
func (t *tx) knownMember(roomID, userID int64) (known, member bool) {
	if roomID == models.LobbyID {
		u, ok := lookUp(t, &t.w.cache.users, userID)
		return ok, u.Role != models.RoleVisitor
	}
	_, ok := lookUp(t, &t.w.cache.spells, pair{roomID, userID})
	return ok, ok
}

func (t *tx) askMembers(roomID int64, userIDs []int64) error {
	if roomID == models.LobbyID {
		return askAll(t.scout, &t.scout.users, userIDs)
	}
	return askAll(t.scout, &t.scout.spells, column(userIDs, func(id *int64) pair { return pair{roomID, *id} }))
}
