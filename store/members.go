package store

import (
	"parley/models"
)

type membershipRow struct {
	RoomID   int64
	UserID   int64
	Role     string
	FromID   int64
	JoinedAt int64
}

func (m membershipRow) model() models.Membership {
	return models.Membership{
		RoomID: m.RoomID, UserID: m.UserID, Role: models.RoomRole(m.Role), From: m.FromID, JoinedAt: moment(m.JoinedAt),
	}
}

type memberRow struct {
	User     userRow `gorm:"embedded"`
	RoomRole string
	JoinedAt int64
}

func (m memberRow) model() models.Member {
	return models.Member{User: m.User.model(), Role: models.RoomRole(m.RoomRole), JoinedAt: moment(m.JoinedAt)}
}

// Membership implements chat.RoomReader.
func (r *reader) Membership(roomID, userID int64) (models.Membership, error) {
	row, err := one[membershipRow](r, "read membership",
		"SELECT room_id, user_id, role, from_id, joined_at FROM memberships "+
			"WHERE room_id = ? AND user_id = ? AND to_id IS NULL", roomID, userID)
	return row.model(), err
}

// Members implements chat.RoomReader.
func (r *reader) Members(roomID, after int64, limit int) ([]models.Member, error) {
	if roomID == models.LobbyID {
		return modelsOf[models.Member](many[memberRow](r, "list users",
			"SELECT "+userColumns+", 'member' AS room_role, created_at AS joined_at FROM users "+
				"WHERE id > ? AND role <> 'visitor' AND deleted_id IS NULL ORDER BY id LIMIT ?", after, max(limit, 0)))
	}
	return modelsOf[models.Member](many[memberRow](r, "list members",
		"SELECT u.id, u.name, u.name_key, u.display_name, u.role, u.status_text, u.created_at, u.last_seen_at, u.banned_until, "+
			"m.role AS room_role, m.joined_at AS joined_at FROM memberships m JOIN users u ON u.id = m.user_id "+
			"WHERE m.room_id = ? AND m.to_id IS NULL AND m.user_id > ? ORDER BY m.user_id LIMIT ?",
		roomID, after, max(limit, 0)))
}

// MembersAmong implements chat.RoomReader.
func (r *reader) MembersAmong(roomID int64, userIDs []int64) ([]int64, error) {
	if len(userIDs) == 0 {
		return nil, nil
	}
	if roomID == models.LobbyID {
		return many[int64](r, "look for members",
			"SELECT id FROM users WHERE role <> 'visitor' AND deleted_id IS NULL AND "+r.oneOf("id"), r.idList(userIDs))
	}
	return many[int64](r, "look for members",
		"SELECT user_id FROM memberships WHERE room_id = ? AND to_id IS NULL AND "+r.oneOf("user_id"),
		roomID, r.idList(userIDs))
}

// Owners implements chat.RoomReader.
func (r *reader) Owners(roomID int64) (int, error) {
	return one[int](r, "count owners",
		"SELECT COUNT(*) FROM memberships WHERE room_id = ? AND to_id IS NULL AND role = 'owner'", roomID)
}

// NewestSpell implements chat.RoomReader.
func (r *reader) NewestSpell(roomID int64) (int64, error) {
	return one[int64](r, "look for the youngest membership",
		"SELECT COALESCE(MAX(from_id), 0) FROM memberships WHERE room_id = ? AND to_id IS NULL", roomID)
}
