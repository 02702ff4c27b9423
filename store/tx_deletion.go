package store

import (
	"slices"

	"parley/models"
)

// DeleteUser implements chat.Tx.
func (t *tx) DeleteUser(u models.User, at int64, erase bool) error {
	unfinished := 1
	if erase {
		unfinished = 2
	}
	name := models.DeletedName(u.ID)
	err := t.update("delete user",
		"UPDATE users SET name = ?, name_key = ?, display_name = ?, status_text = '', password = '', "+
			"deleted_id = ?, unfinished = ? WHERE id = ? AND deleted_id IS NULL",
		name, name, name, at, unfinished, u.ID)
	if err != nil {
		return err
	}
	t.w.cache.users.drop(u.ID)
	t.w.cache.names.drop(u.Key)
	_, err = t.write("delete blocks", "DELETE FROM blocks WHERE blocker_id = ? OR blocked_id = ?", u.ID, u.ID)
	if err != nil {
		return err
	}
	if _, err := t.deleteRestrictions("SELECT room_id, kind, user_id FROM restrictions WHERE user_id = ?", u.ID); err != nil {
		return err
	}
	if _, err := t.write("delete read marks", "DELETE FROM reads WHERE user_id = ?", u.ID); err != nil {
		return err
	}
	for _, s := range []struct{ what, query string }{
		{"delete what the visitor told", "DELETE FROM visitors WHERE user_id = ?"},
		{"delete the agent", "DELETE FROM support_agents WHERE user_id = ?"},
		{"delete the agent's departments", "DELETE FROM support_agent_queues WHERE user_id = ?"},
		{"delete the older ids", "DELETE FROM legacy_ids WHERE user_id = ?"},
	} {
		if _, err := t.write(s.what, s.query, u.ID); err != nil {
			return err
		}
	}
	if u.Role.Staff() {
		if err := t.stopServing(u.ID, at); err != nil {
			return err
		}
	}
	if u.Role == models.RoleVisitor {
		return nil
	}
	return t.countMembers(models.LobbyID, -1)
}

// LeaveAll implements chat.Tx. However many rooms there are, it is two statements: each spell's end
// is looked up in the log.
func (t *tx) LeaveAll(userID, since, at int64) error {
	rooms, err := many[int64](&t.reader, "list rooms to leave",
		"SELECT room_id FROM memberships WHERE user_id = ? AND to_id IS NULL", userID)
	if err != nil || len(rooms) == 0 {
		return err
	}
	if err := t.show(); err != nil {
		return err
	}
	_, err = t.write("end spells", "UPDATE memberships SET to_id = COALESCE((SELECT MAX(l.id) FROM log l "+
		"WHERE l.aud_kind = 2 AND l.aud_id = memberships.room_id AND l.id >= ? AND l.type = 'member.left'), ?) "+
		"WHERE user_id = ? AND to_id IS NULL", since, at, userID)
	if err != nil {
		return err
	}
	_, err = t.write("count members", "UPDATE rooms SET member_count = member_count - 1 WHERE "+t.oneOf("id"), t.idList(rooms))
	for _, room := range rooms {
		t.w.cache.spells.drop(pair{room, userID})
		t.w.cache.count(room, -1)
	}
	return err
}

// DeleteNoncesOf implements chat.Tx.
func (t *tx) DeleteNoncesOf(userID int64, limit int) (more bool, err error) {
	clear(t.nonceKnown)
	if err := t.show(); err != nil {
		return false, err
	}
	n, err := t.write("delete a user's nonces", "DELETE FROM nonces WHERE user_id = ? AND nonce IN ("+
		"SELECT nonce FROM nonces WHERE user_id = ? LIMIT ?)", userID, userID, limit)
	return n == int64(limit), err
}

// EraseConversations implements chat.SupportWriter.
func (t *tx) EraseConversations(visitorID int64) error {
	_, err := t.write("blank the subjects of a visitor", "UPDATE conversations SET subject = "+t.blank("subject")+" WHERE visitor_id = ?", visitorID)
	if err != nil {
		return err
	}
	_, err = t.write("blank the comments of a visitor", "UPDATE ratings SET comment = "+t.blank("comment")+
		" WHERE conversation_id IN (SELECT id FROM conversations WHERE visitor_id = ?)", visitorID)
	return err
}

// FinishDeletion implements chat.Tx.
func (t *tx) FinishDeletion(userID int64) error {
	return t.update("note that the deletion is finished", "UPDATE users SET unfinished = 0 WHERE id = ?", userID)
}

// BuryMessages implements chat.Tx.
func (t *tx) BuryMessages(ids []int64) error {
	if err := t.show(); err != nil {
		return err
	}
	list := t.idList(ids)
	threads, err := many[int64](&t.reader, "look for the threads of deleted messages",
		"SELECT DISTINCT thread_id FROM messages WHERE thread_id <> 0 AND "+t.oneOf("id"), list)
	if err != nil {
		return err
	}
	_, err = t.write("note deleted messages", "INSERT INTO tombstones (message_id, room_id, sender_id, deleted_at) "+
		"SELECT id, room_id, sender_id, CAST(? AS bigint) FROM messages WHERE "+t.oneOf("id")+" ON CONFLICT (message_id) DO NOTHING",
		millis(t.now), list)
	if err != nil {
		return err
	}
	for _, s := range []struct{ what, query string }{
		{"blank deleted messages", "UPDATE messages SET body = " + t.blank("body") + ", nonce = " + t.blank("nonce") + " WHERE " + t.oneOf("id")},
		{"blank their edits", "UPDATE edits SET body = " + t.blank("body") + " WHERE body IS NOT NULL AND " + t.oneOf("message_id")},
		{"delete their mentions", "DELETE FROM mentions WHERE " + t.oneOf("message_id")},
		{"delete their reactions", "DELETE FROM reactions WHERE " + t.oneOf("message_id")},
		{"unpin them", "DELETE FROM pins WHERE " + t.oneOf("message_id")},
	} {
		if _, err := t.write(s.what, s.query, list); err != nil {
			return err
		}
	}
	return t.countThreads(threads)
}

// countThreads counts the live answers of threads anew.
func (t *tx) countThreads(ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	const live = " FROM messages m WHERE m.thread_id = threads.message_id AND m.thread_id <> 0 AND NOT EXISTS (SELECT 1 FROM tombstones d WHERE d.message_id = m.id)"
	_, err := t.write("count threads anew", "UPDATE threads SET replies = (SELECT COUNT(*)"+live+"), last_id = COALESCE((SELECT MAX(m.id)"+live+
		"), 0) WHERE "+t.oneOf("message_id"), t.idList(ids))
	return err
}

// sizedEntry is an entry with the room that it takes.
type sizedEntry struct {
	ID   int64
	Size int
}

// RewriteEntries implements chat.Tx. An entry that this very batch appended is changed where it waits for its
// publication too.
func (t *tx) RewriteEntries(ids []int64, rewrite func(e *models.Event) error) error {
	if err := t.show(); err != nil {
		return err
	}
	sizes, err := many[sizedEntry](&t.reader, "measure entries",
		"SELECT id, octet_length(json) AS size FROM log WHERE "+t.oneOf("id")+" ORDER BY id", t.idList(ids))
	if err != nil {
		return err
	}
	events, err := t.entries(ids)
	if err != nil {
		return err
	}
	for i := range events {
		if err := rewrite(&events[i]); err != nil {
			return err
		}
		if err := t.overwrite(events[i], sizes[i].Size); err != nil {
			return err
		}
	}
	if len(events) == 0 {
		return nil
	}
	gone := make([]int64, len(events)) // without those that were not there
	for i := range events {
		gone[i] = events[i].ID
	}
	_, err = t.Append(models.Event{
		Type: models.LogRewritten, Change: models.Change{Kind: models.EntriesGone, EventIDs: gone},
	}, models.RewrittenData{EventIDs: gone})
	return err
}

func (t *tx) overwrite(e models.Event, size int) error {
	stored, err := pack(e.JSON, size)
	if err != nil {
		return err
	}
	if err := t.update("rewrite entry", "UPDATE log SET json = ? WHERE id = ?", blob(stored), e.ID); err != nil {
		return err
	}
	if i := e.ID - t.w.head - 1; i >= 0 && i < int64(len(t.events)) {
		old := &t.events[i]
		t.rewritten = append(t.rewritten, waiting{int(i), old.JSON})
		old.JSON = e.JSON
	}
	return nil
}

// waiting is what an entry that is not published yet was before a command rewrote it.
type waiting struct {
	index int
	json  []byte
}

// unwrite takes back what the present command rewrote of the entries that wait.
func (t *tx) unwrite() {
	for _, w := range slices.Backward(t.rewritten) {
		t.events[w.index].JSON = w.json
	}
	t.rewritten = t.rewritten[:0]
}
