package store

import (
	"cmp"

	"parley/models"
)

const roomColumns = "r.id, r.kind, r.name, r.name_key, r.topic, r.visibility, r.direct_a, r.direct_b, " +
	"r.member_count, r.archived, r.created_at, r.slow_mode, r.history, r.mutes, r.notes_of"

type roomRow struct {
	ID          int64
	Kind        string
	Name        string
	NameKey     string
	Topic       string
	Visibility  string
	DirectA     int64
	DirectB     int64
	MemberCount int
	Archived    bool
	CreatedAt   int64
	SlowMode    int
	History     string
	Mutes       int
	NotesOf     int64
}

func (r roomRow) model() models.Room {
	return models.Room{
		ID: r.ID, Kind: models.RoomKind(r.Kind), Name: r.Name, Key: r.NameKey, Topic: r.Topic,
		Visibility: models.Visibility(r.Visibility), DirectA: r.DirectA, DirectB: r.DirectB,
		MemberCount: r.MemberCount, Archived: r.Archived, CreatedAt: moment(r.CreatedAt),
		SlowMode: r.SlowMode, History: models.HistoryMode(r.History), Mutes: r.Mutes, NotesOf: r.NotesOf,
	}
}

// joinedRow is a room with the role of who asks, and where their membership began; Role is empty where they have
// none.
type joinedRow struct {
	Room   roomRow `gorm:"embedded"`
	Role   string
	FromID int64
}

func (j joinedRow) model() models.JoinedRoom {
	room := models.JoinedRoom{Room: j.Room.model(), Role: models.RoomRole(j.Role), From: j.FromID}
	if room.Role == models.NoRole {
		room.From = 0
	}
	return room
}

// Room implements chat.RoomReader.
func (r *reader) Room(id int64) (models.Room, error) {
	return r.withPeers(r.roomWhere("r.id = ?", id))
}

// RoomByKey implements chat.RoomReader.
func (r *reader) RoomByKey(key string) (models.Room, error) {
	return r.roomWhere("r.name_key = ? AND r.name_key <> ''", storable(key))
}

// Direct implements chat.RoomReader.
func (r *reader) Direct(a, b int64) (models.Room, error) {
	return r.withPeers(r.roomWhere("r.direct_a = ? AND r.direct_b = ? AND r.direct_a <> 0", min(a, b), max(a, b)))
}

// roomWhere reads one room that is not deleted, without Members.
func (r *reader) roomWhere(condition string, args ...any) (models.Room, error) {
	row, err := one[roomRow](r, "read room",
		"SELECT "+roomColumns+" FROM rooms r WHERE "+condition+" AND r.deleted_id IS NULL", args...)
	return row.model(), err
}

// withPeers fills a direct room's Members.
func (r *reader) withPeers(room models.Room, err error) (models.Room, error) {
	if err != nil || room.Kind != models.KindDirect {
		return room, err
	}
	rooms := []models.JoinedRoom{{Room: room}}
	err = r.fillPeers(rooms)
	return rooms[0].Room, err
}

// fillPeers fills the Members of all direct rooms among rooms with one query.
func (r *reader) fillPeers(rooms []models.JoinedRoom) error {
	var ids []int64
	for _, room := range rooms {
		if room.Kind == models.KindDirect {
			ids = append(ids, room.DirectA, room.DirectB)
		}
	}
	users, err := r.Users(ids)
	if err != nil {
		return err
	}
	names := make(map[int64]string, len(users))
	for _, u := range users {
		names[u.ID] = u.Name
	}
	for i := range rooms {
		if rooms[i].Kind == models.KindDirect {
			rooms[i].Members = peers(rooms[i].Room, func(id int64) string {
				return cmp.Or(names[id], models.DeletedName(id))
			})
		}
	}
	return nil
}

// peers are the two of a direct room, or the one who talks to themselves.
func peers(room models.Room, name func(id int64) string) []models.Peer {
	both := []models.Peer{{ID: room.DirectA, Name: name(room.DirectA)}}
	if room.DirectB != room.DirectA {
		both = append(both, models.Peer{ID: room.DirectB, Name: name(room.DirectB)})
	}
	return both
}

// JoinedRooms implements chat.RoomReader. The lobby's role is member for all but visitors, for
// whom the last condition does not hold.
func (r *reader) JoinedRooms(userID, after int64, limit int) ([]models.JoinedRoom, error) {
	return r.joined("list joined rooms",
		"SELECT "+roomColumns+", m.role AS role, m.from_id FROM memberships m JOIN rooms r ON r.id = m.room_id "+
			"WHERE m.user_id = ? AND m.to_id IS NULL AND m.room_id > ? AND r.deleted_id IS NULL "+
			"UNION ALL SELECT "+roomColumns+", 'member' AS role, u.id AS from_id FROM rooms r "+
			"JOIN users u ON u.id = ? AND u.role <> 'visitor' WHERE r.id = 1 AND r.id > ? "+
			"ORDER BY id LIMIT ?",
		userID, after, userID, after, max(limit, 0))
}

// PublicRooms implements chat.RoomReader.
func (r *reader) PublicRooms(userID, after int64, limit int) ([]models.JoinedRoom, error) {
	return r.joined("list public rooms",
		"SELECT "+roomColumns+", CASE "+
			"WHEN r.id = 1 AND EXISTS (SELECT 1 FROM users WHERE id = ? AND role <> 'visitor') THEN 'member' "+
			"ELSE COALESCE(m.role, '') END AS role, CASE WHEN r.id = 1 THEN CAST(? AS bigint) ELSE COALESCE(m.from_id, 0) END AS from_id "+
			"FROM rooms r LEFT JOIN memberships m ON m.room_id = r.id AND m.user_id = ? AND m.to_id IS NULL "+
			"WHERE r.kind = 'channel' AND r.visibility = 'public' AND r.deleted_id IS NULL AND r.id > ? "+
			"ORDER BY r.id LIMIT ?",
		userID, userID, userID, after, max(limit, 0))
}

func (r *reader) joined(what, query string, args ...any) ([]models.JoinedRoom, error) {
	rooms, err := modelsOf[models.JoinedRoom](many[joinedRow](r, what, query, args...))
	if err != nil {
		return nil, err
	}
	return rooms, r.fillPeers(rooms)
}
