package chat

import (
	"errors"
	"fmt"

	"parley/models"
)

// target is a room that somebody refers to, and what they are in it.
type target struct {
	room models.Room
	user models.User // the actor, read in the same snapshot
	rank Rank
	role models.RoomRole
	from int64 // where the actor's present membership begins; 0 without one
	now  models.Time
}

// since is the id that the messages which the actor may read lie beyond.
func (t target) since() int64 { return t.joined().Since() }

// joined is the room as the actor sees it, without what withCounts adds.
func (t target) joined() models.JoinedRoom {
	return models.JoinedRoom{Room: t.room, Role: t.role, From: t.from}
}

// target finds the room of a path's RoomRef and refuses one that the actor may not see.
func (s *Service) target(r Reader, a Actor, ref string) (target, error) {
	parsed, err := models.ParseRoomRef(ref)
	if err != nil {
		return target{}, err
	}
	user, err := acting(r, a)
	if err != nil {
		return target{}, err
	}
	return s.resolve(r, user, parsed)
}

// errNoDirect says that the two have no conversation yet. It is a not_found to all but the calls
// that make one or show an empty one.
var errNoDirect = errors.New("no direct conversation yet")

// resolve finds the room of a reference and the user's rank in it. A room that the user may not
// know of is not found, a direct conversation that is not made yet is errNoDirect as well.
func (s *Service) resolve(r Reader, user models.User, ref models.RoomRef) (target, error) {
	room, err := findRoom(r, user, ref)
	if user.Role == models.RoleVisitor && (models.CodeOf(err) == models.CodeNotFound || err == nil && room.Kind != models.KindSupport) {
		return target{}, errVisitor()
	}
	if err != nil {
		return target{}, err
	}
	rank, spell, err := rankIn(r, room, user)
	if err != nil {
		return target{}, err
	}
	return target{
		room: room, user: user, rank: rank, role: spell.Role, from: spell.From, now: s.moment(r),
	}, allow(SeeRoom, room, rank)
}

// moment is the command's, or now where r is no command's.
func (s *Service) moment(r Reader) models.Time {
	if tx, ok := r.(Tx); ok {
		return tx.Now()
	}
	return models.At(s.now())
}

func findRoom(r Reader, user models.User, ref models.RoomRef) (models.Room, error) {
	switch {
	case ref.ID != 0:
		room, err := r.Room(ref.ID)
		return room, found(err, "room")
	case ref.Key != "":
		room, err := r.RoomByKey(ref.Key)
		return room, found(err, "room")
	}
	other, err := otherOf(r, user, ref)
	if err != nil {
		return models.Room{}, err
	}
	room, err := r.Direct(user.ID, other.ID)
	if errors.Is(err, ErrNotFound) {
		return room, &models.Error{Code: models.CodeNotFound, Detail: "no such room", Cause: errNoDirect}
	}
	return room, found(err, "room")
}

// otherOf finds who the user can have a direct conversation with.
func otherOf(r Reader, user models.User, ref models.RoomRef) (other models.User, err error) {
	if ref.UserID != 0 {
		other, err = r.User(ref.UserID)
	} else {
		other, err = r.UserByKey(ref.UserKey)
	}
	if err != nil {
		return other, found(err, "room")
	}
	if other.ID == user.ID || other.Role == models.RoleVisitor {
		return other, models.NotFound("room")
	}
	return other, nil
}

// openDirect makes the conversation of two users: a room.created to each, where their spells
// begin.
func openDirect(tx Tx, user models.User, to models.RoomRef) (models.Room, error) {
	other, err := otherOf(tx, user, to)
	if err != nil {
		return models.Room{}, err
	}
	if err := notBlocked(tx, user.ID, other.ID); err != nil {
		return models.Room{}, err
	}
	a, b := user, other
	if b.ID < a.ID {
		a, b = b, a
	}
	room := models.Room{
		ID: tx.NextID(), Kind: models.KindDirect, Visibility: models.Private, History: models.HistoryAll, CreatedAt: tx.Now(),
		DirectA: a.ID, DirectB: b.ID,
		Members: []models.Peer{{ID: a.ID, Name: a.Name}, {ID: b.ID, Name: b.Name}},
	}
	if err := tx.InsertRoom(room); err != nil {
		return room, fmt.Errorf("insert direct conversation: %w", err)
	}
	room.MemberCount = 2
	for _, u := range []models.User{user, other} {
		if err := tellDirect(tx, room, u); err != nil {
			return room, err
		}
	}
	return room, nil
}

func tellDirect(tx Tx, room models.Room, u models.User) error {
	ev, err := tx.Append(models.Event{
		Type: models.RoomCreated, RoomID: room.ID, Audience: models.ForUser(u.ID),
		Change: models.Change{Kind: models.MemberIn, UserID: u.ID, RoomID: room.ID},
	}, models.RoomData{Room: room.ForEvent()})
	if err != nil {
		return fmt.Errorf("append room.created: %w", err)
	}
	err = tx.StartSpell(models.Membership{
		RoomID: room.ID, UserID: u.ID, Role: models.RoomMember, From: ev.ID, JoinedAt: tx.Now(),
	})
	if err != nil {
		return fmt.Errorf("start spell: %w", err)
	}
	return nil
}
