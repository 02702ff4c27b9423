package store

import (
	"cmp"
	"database/sql"
	"errors"
	"slices"

	"parley/chat"
	"parley/models"
)

// The look-ups of a send ask the cache and the buffers first. Look-ups that are not here go to the
// tables of users, rooms, memberships and sessions, which are never behind.

// User implements chat.UserReader.
func (t *tx) User(id int64) (models.User, error) {
	if u, ok := lookUp(t, &t.w.cache.users, id); ok {
		return u, nil
	}
	if t.asking {
		return models.User{}, ask(t.scout, &t.scout.users, id)
	}
	u, err := t.reader.User(id)
	if err == nil {
		t.w.cache.users.put(id, u)
	}
	return u, err
}

// Room implements chat.RoomReader.
func (t *tx) Room(id int64) (models.Room, error) {
	if room, ok := lookUp(t, &t.w.cache.rooms, id); ok {
		return t.withNames(room)
	}
	if t.asking {
		return models.Room{}, ask(t.scout, &t.scout.rooms, id)
	}
	return t.remember(t.roomWhere("r.id = ?", id))
}

// RoomByKey implements chat.RoomReader.
func (t *tx) RoomByKey(key string) (models.Room, error) {
	if id, ok := lookUp(t, &t.w.cache.keys, key); ok {
		return t.Room(id)
	}
	if t.asking {
		return models.Room{}, ask(t.scout, &t.scout.keys, storable(key))
	}
	return t.remember(t.reader.RoomByKey(key))
}

// Direct implements chat.RoomReader.
func (t *tx) Direct(a, b int64) (models.Room, error) {
	both := pair{min(a, b), max(a, b)}
	if id, ok := lookUp(t, &t.w.cache.directs, both); ok {
		return t.Room(id)
	}
	if t.asking {
		return models.Room{}, ask(t.scout, &t.scout.directs, both)
	}
	return t.remember(t.roomWhere("r.direct_a = ? AND r.direct_b = ? AND r.direct_a <> 0", both.a, both.b))
}

// remember puts a room that was read into the cache.
func (t *tx) remember(room models.Room, err error) (models.Room, error) {
	if err != nil {
		return room, err
	}
	t.w.cache.putRoom(room)
	return t.withNames(room)
}

// withNames fills a direct room's Members with the present names.
func (t *tx) withNames(room models.Room) (models.Room, error) {
	if room.Kind != models.KindDirect {
		return room, nil
	}
	var failed error
	room.Members = peers(room, func(id int64) string {
		u, err := t.User(id)
		if err != nil && !errors.Is(err, chat.ErrNotFound) {
			failed = err
		}
		return cmp.Or(u.Name, models.DeletedName(id))
	})
	return room, failed
}

// Membership implements chat.RoomReader.
func (t *tx) Membership(roomID, userID int64) (models.Membership, error) {
	key := pair{roomID, userID}
	if m, ok := lookUp(t, &t.w.cache.spells, key); ok {
		return m, nil
	}
	if t.asking {
		return models.Membership{}, ask(t.scout, &t.scout.spells, key)
	}
	m, err := t.reader.Membership(roomID, userID)
	if err == nil {
		t.w.cache.spells.put(key, m)
	}
	return m, err
}

// Message implements chat.MessageReader. One that waits in the buffer is written first: what came upon it since
// stands in other tables.
func (t *tx) Message(id int64) (models.Message, error) {
	for _, m := range t.messages[t.flushed.messages:] {
		if m.ID != id {
			continue
		}
		if err := t.show(); err != nil {
			return models.Message{}, err
		}
		break
	}
	return t.reader.Message(id)
}

// LastSent implements chat.MessageReader. It is the last that a send asks for.
func (t *tx) LastSent(roomID, userID int64) (models.Time, error) {
	if t.asking {
		return models.Time{}, errScout
	}
	for _, m := range slices.Backward(t.messages) {
		if m.RoomID == roomID && m.SenderID == userID {
			return m.CreatedAt, nil
		}
	}
	return t.reader.LastSent(roomID, userID)
}

// Messages implements chat.MessageReader.
func (t *tx) Messages(roomID int64, page models.Page) (models.History, error) {
	if err := t.show(); err != nil {
		return models.History{}, err
	}
	return t.reader.Messages(roomID, page)
}

// Replies implements chat.MessageReader.
func (t *tx) Replies(threadID, after int64, limit int) ([]models.Message, error) {
	if err := t.show(); err != nil {
		return nil, err
	}
	return t.reader.Replies(threadID, after, limit)
}

// Nonce implements chat.MessageReader. Two of one batch are found in the buffer.
func (t *tx) Nonce(userID int64, nonce string) (models.Nonce, error) {
	if n := t.buffered(userID, nonce); n != nil {
		return *n, nil
	}
	key := nonceKey{userID, storable(nonce)}
	if n, known := t.nonceKnown[key]; known {
		if n == nil {
			return models.Nonce{}, chat.ErrNotFound
		}
		return *n, nil
	}
	if t.asking {
		return models.Nonce{}, ask(t.scout, &t.scout.nonces, key)
	}
	return t.nonce(key)
}

// nonce reads one that nobody has asked for before. Each send of a lone sender does.
func (t *tx) nonce(key nonceKey) (n models.Nonce, err error) {
	const what = "read nonce"
	if err := t.mayRead(what); err != nil {
		return n, err
	}
	var at int64
	row := t.conn.QueryRowContext(t.context(), "SELECT user_id, nonce, message_id, sent_to, digest, created_at FROM nonces "+
		"WHERE user_id = $1 AND nonce = $2", key.userID, key.nonce)
	switch err := row.Scan(&n.UserID, &n.Nonce, &n.MessageID, &n.To, &n.Digest, &at); {
	case errors.Is(err, sql.ErrNoRows):
		return n, chat.ErrNotFound
	case err != nil:
		return n, t.fail(what, err)
	}
	n.CreatedAt = moment(at)
	return n, nil
}

func (t *tx) buffered(userID int64, nonce string) *models.Nonce {
	for i := len(t.nonces) - 1; i >= t.flushed.nonces; i-- {
		if n := &t.nonces[i]; n.UserID == userID && n.Nonce == nonce {
			return n
		}
	}
	return nil
}
