package store

import (
	"parley/models"
)

const inviteQuery = "SELECT i.id, i.room_id, i.code_hash, i.by_id, u.name AS by_name, i.created_at, i.expires_at, i.max_uses, i.uses " +
	"FROM invites i JOIN users u ON u.id = i.by_id WHERE "

// liveInvite is models.Invite.Live; its opposite is in two parts that have an index each.
const (
	liveInvite  = "(max_uses = 0 OR uses < max_uses) AND (expires_at = 0 OR expires_at > ?)"
	pastInvite  = "expires_at <> 0 AND expires_at <= ?"
	spentInvite = "max_uses <> 0 AND uses >= max_uses"
)

type inviteRow struct {
	ID        int64
	RoomID    int64
	CodeHash  []byte
	ByID      int64
	ByName    string
	CreatedAt int64
	ExpiresAt int64
	MaxUses   int
	Uses      int
}

func (i inviteRow) model() models.Invite {
	return models.Invite{
		ID: i.ID, RoomID: i.RoomID, CodeHash: i.CodeHash, ByID: i.ByID, ByName: i.ByName,
		CreatedAt: moment(i.CreatedAt), ExpiresAt: moment(i.ExpiresAt), MaxUses: i.MaxUses, Uses: i.Uses,
	}
}

// InviteByHash implements chat.InviteReader.
func (r *reader) InviteByHash(hash []byte) (models.Invite, error) {
	row, err := one[inviteRow](r, "read invitation", inviteQuery+"i.code_hash = ?", blob(hash))
	return row.model(), err
}

// Invite implements chat.InviteReader.
func (r *reader) Invite(id int64) (models.Invite, error) {
	row, err := one[inviteRow](r, "read invitation", inviteQuery+"i.id = ?", id)
	return row.model(), err
}

// Invites implements chat.InviteReader.
func (r *reader) Invites(roomID int64, now models.Time, before int64, limit int) ([]models.Invite, error) {
	return modelsOf[models.Invite](many[inviteRow](r, "list invitations",
		inviteQuery+"i.room_id = ? AND i.id < ? AND "+liveInvite+" ORDER BY i.id DESC LIMIT ?",
		roomID, before, millis(now), max(limit, 0)))
}

// LiveInvites implements chat.InviteReader.
func (r *reader) LiveInvites(roomID int64, now models.Time) (int, error) {
	return one[int](r, "count invitations", "SELECT COUNT(*) FROM invites WHERE room_id = ? AND "+liveInvite, roomID, millis(now))
}

// InsertInvite implements chat.Tx.
func (t *tx) InsertInvite(i models.Invite) (models.Invite, error) {
	if err := t.save(); err != nil {
		return i, err
	}
	if err := t.fault(OpInsert); err != nil {
		return i, t.fail("insert invitation", injected{err})
	}
	id, err := one[int64](&t.reader, "insert invitation",
		"INSERT INTO invites (room_id, code_hash, by_id, created_at, expires_at, max_uses, uses) VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
		i.RoomID, blob(i.CodeHash), i.ByID, millis(i.CreatedAt), millis(i.ExpiresAt), i.MaxUses, i.Uses)
	t.dirty = true
	i.ID = id
	return i, err
}

// CountInviteUse implements chat.Tx.
func (t *tx) CountInviteUse(id int64) error {
	return t.update("count an invitation's use", "UPDATE invites SET uses = uses + 1 WHERE id = ?", id)
}

// DeleteInvite implements chat.Tx.
func (t *tx) DeleteInvite(id int64) error {
	return t.update("delete invitation", "DELETE FROM invites WHERE id = ?", id)
}

// DeleteDeadInvites implements chat.Tx, with one statement for each index.
func (t *tx) DeleteDeadInvites(now models.Time, limit int) (int, error) {
	n, err := t.write("delete past invitations",
		"DELETE FROM invites WHERE id IN (SELECT id FROM invites WHERE "+pastInvite+" ORDER BY expires_at LIMIT ?)", millis(now), limit)
	if err != nil {
		return 0, err
	}
	m, err := t.write("delete spent invitations",
		"DELETE FROM invites WHERE id IN (SELECT id FROM invites WHERE "+spentInvite+" ORDER BY id LIMIT ?)", limit)
	return int(n + m), err
}
