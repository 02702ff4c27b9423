package store

import (
	"errors"

	"parley/chat"
	"parley/models"
)

// restrictionKey names one in the writer's cache.
type restrictionKey struct {
	roomID, userID int64
	kind           models.RestrictionKind
}

type restrictionRow struct {
	RoomID    int64
	Kind      string
	UserID    int64
	UserName  string
	Until     int64
	Reason    string
	ByID      int64
	ByName    string
	CreatedAt int64
}

func (r restrictionRow) model() models.Restriction {
	return models.Restriction{
		RoomID: r.RoomID, Kind: models.RestrictionKind(r.Kind), UserID: r.UserID, UserName: r.UserName, Until: moment(r.Until),
		Reason: r.Reason, ByID: r.ByID, ByName: r.ByName, CreatedAt: moment(r.CreatedAt),
	}
}

// Restriction implements chat.RestrictionReader.
func (r *reader) Restriction(roomID int64, kind models.RestrictionKind, userID int64) (models.Restriction, error) {
	row, err := one[restrictionRow](r, "read restriction",
		"SELECT room_id, kind, user_id, until, reason, by_id, created_at FROM restrictions "+
			"WHERE room_id = ? AND kind = ? AND user_id = ?", roomID, string(kind), userID)
	return row.model(), err
}

// Restrictions implements chat.RestrictionReader.
func (r *reader) Restrictions(roomID int64, kind models.RestrictionKind, now models.Time, after int64, limit int) ([]models.Restriction, error) {
	return modelsOf[models.Restriction](many[restrictionRow](r, "list restrictions",
		"SELECT x.room_id, x.kind, x.user_id, u.name AS user_name, x.until, x.reason, x.by_id, b.name AS by_name, x.created_at "+
			"FROM restrictions x JOIN users u ON u.id = x.user_id JOIN users b ON b.id = x.by_id "+
			"WHERE x.room_id = ? AND x.kind = ? AND x.user_id > ? AND (x.until = 0 OR x.until > ?) ORDER BY x.user_id LIMIT ?",
		roomID, string(kind), after, millis(now), max(limit, 0)))
}

// Restriction implements chat.RestrictionReader. In a room with mutes it is asked for every message, most of which
// are of people who are not muted: that is remembered as well.
func (t *tx) Restriction(roomID int64, kind models.RestrictionKind, userID int64) (models.Restriction, error) {
	key := restrictionKey{roomID, userID, kind}
	known, ok := lookUp(t, &t.w.cache.restrictions, key)
	if !ok && t.asking {
		return known, ask(t.scout, &t.scout.restrictions, key)
	}
	if !ok {
		var err error
		known, err = t.reader.Restriction(roomID, kind, userID)
		if err != nil && !errors.Is(err, chat.ErrNotFound) {
			return known, err
		}
		t.w.cache.restrictions.put(key, known)
	}
	if known.Kind == "" {
		return known, chat.ErrNotFound
	}
	return known, nil
}

// answerRestrictions notes also whom there is none for: most.
func (t *tx) answerRestrictions(keys []restrictionKey) error {
	if len(keys) == 0 {
		return nil
	}
	for _, k := range keys {
		t.w.cache.restrictions.put(k, models.Restriction{})
	}
	args := []any{
		column(keys, func(k *restrictionKey) int64 { return k.roomID }),
		column(keys, func(k *restrictionKey) string { return string(k.kind) }),
		column(keys, func(k *restrictionKey) int64 { return k.userID }),
	}
	return t.scan("SELECT x.* FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS k (room_id, kind, user_id) CROSS JOIN LATERAL ("+
		"SELECT room_id, kind, user_id, until, reason, by_id, created_at FROM restrictions "+
		"WHERE room_id = k.room_id AND kind = k.kind AND user_id = k.user_id LIMIT 1) x", args, func(row scanner) error {
		var r restrictionRow
		err := row.Scan(&r.RoomID, &r.Kind, &r.UserID, &r.Until, &r.Reason, &r.ByID, &r.CreatedAt)
		t.w.cache.restrictions.put(restrictionKey{r.RoomID, r.UserID, models.RestrictionKind(r.Kind)}, r.model())
		return err
	})
}

// PutRestriction implements chat.Tx.
func (t *tx) PutRestriction(r models.Restriction) error {
	n, err := t.write("replace restriction", "DELETE FROM restrictions WHERE room_id = ? AND kind = ? AND user_id = ?",
		r.RoomID, string(r.Kind), r.UserID)
	if err != nil {
		return err
	}
	_, err = t.write("insert restriction",
		"INSERT INTO restrictions (room_id, kind, user_id, until, reason, by_id, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
		r.RoomID, string(r.Kind), r.UserID, millis(r.Until), r.Reason, r.ByID, millis(r.CreatedAt))
	if err != nil {
		return err
	}
	t.w.cache.restrictions.drop(restrictionKey{r.RoomID, r.UserID, r.Kind})
	return t.countMutes(r.RoomID, r.Kind, 1-n)
}

// DeleteRestriction implements chat.Tx.
func (t *tx) DeleteRestriction(roomID int64, kind models.RestrictionKind, userID int64) error {
	n, err := t.write("delete restriction", "DELETE FROM restrictions WHERE room_id = ? AND kind = ? AND user_id = ?",
		roomID, string(kind), userID)
	if err != nil {
		return err
	}
	t.w.cache.restrictions.drop(restrictionKey{roomID, userID, kind})
	return t.countMutes(roomID, kind, -n)
}

// countMutes notes beside the room that it has so many more mutes.
func (t *tx) countMutes(roomID int64, kind models.RestrictionKind, n int64) error {
	if kind != models.MuteKind || n == 0 {
		return nil
	}
	err := t.update("count mutes", "UPDATE rooms SET mutes = mutes + ? WHERE id = ?", n, roomID)
	if room, ok := t.w.cache.rooms.get(roomID); ok && err == nil {
		room.Mutes += int(n)
		t.w.cache.rooms.put(roomID, room)
	}
	return err
}

// DeletePastRestrictions implements chat.Tx.
func (t *tx) DeletePastRestrictions(now models.Time, limit int) (int, error) {
	const past = "SELECT room_id, kind, user_id FROM restrictions WHERE until <> 0 AND until <= ? " +
		"ORDER BY until, room_id, kind, user_id LIMIT ?"
	return t.deleteRestrictions(past, millis(now), limit)
}

// deleteRestrictions deletes those that the query selects (room_id, kind, user_id), and counts the mutes among them
// out of their rooms.
func (t *tx) deleteRestrictions(query string, args ...any) (int, error) {
	_, err := t.write("count mutes", "UPDATE rooms SET mutes = mutes - gone.n FROM ("+
		"SELECT room_id, COUNT(*) AS n FROM ("+query+") AS past WHERE kind = 'mute' GROUP BY room_id) AS gone "+
		"WHERE rooms.id = gone.room_id", args...)
	if err != nil {
		return 0, err
	}
	n, err := t.write("delete restrictions", "DELETE FROM restrictions WHERE (room_id, kind, user_id) IN ("+query+")", args...)
	if n > 0 {
		t.forgetMutes()
	}
	return int(n), err
}

// forgetMutes makes the writer read anew which rooms have mutes, and all restrictions.
func (t *tx) forgetMutes() {
	for k := range t.w.cache.restrictions.rows {
		t.w.cache.restrictions.drop(k)
	}
	for id, room := range t.w.cache.rooms.rows {
		if room.Mutes > 0 {
			t.w.cache.rooms.drop(id)
		}
	}
}
