package chat

import (
	"context"
	"fmt"

	"parley/models"
)

// MemberList is one page of a room's members. Next is the user id to go on from, 0 at the
// end.
type MemberList struct {
	Members []models.Member
	Next    int64
}

// Members gives a room's members by user id beyond after.
func (s *Service) Members(ctx context.Context, a Actor, ref string, after int64, limit int) (MemberList, error) {
	return view(ctx, s, func(r Reader) (out MemberList, err error) {
		t, err := s.target(r, a, ref)
		if err != nil {
			return out, err
		}
		if out.Members, err = r.Members(t.room.ID, after, limit+1); err != nil {
			return out, fmt.Errorf("list members: %w", err)
		}
		if len(out.Members) > limit {
			out.Members = out.Members[:limit]
			out.Next = out.Members[limit-1].User.ID
		}
		return out, nil
	})
}

// Join makes the actor a member; who is one already stays as they are.
func (s *Service) Join(ctx context.Context, a Actor, ref string) (models.JoinedRoom, error) {
	return do(ctx, s, withCounts(a, func(tx Tx) (models.JoinedRoom, error) {
		t, err := s.target(tx, a, ref)
		if err != nil {
			return models.JoinedRoom{}, err
		}
		if err := allow(JoinRoom, t.room, t.rank); err != nil || t.role != models.NoRole {
			return t.joined(), err
		}
		if err := mayEnter(tx, t); err != nil {
			return models.JoinedRoom{}, err
		}
		t.from = tx.NextID()
		if _, err := enter(tx, t.room, t.user, models.RoomMember); err != nil {
			return models.JoinedRoom{}, err
		}
		if t.byAdminRight(JoinRoom) {
			err = recordInRoom(tx, a, t, models.AuditMemberAdd, t.user, details("role", string(models.RoomMember)))
		}
		t.role = models.RoomMember
		t.room.MemberCount++
		return t.joined(), err
	}))
}

// enter begins a spell with its member.joined.
func enter(tx Tx, room models.Room, user models.User, role models.RoomRole) (models.Member, error) {
	data, err := memberData(tx, room, user, role)
	if err != nil {
		return models.Member{}, err
	}
	ev, err := tx.Append(models.Event{
		Type: models.MemberJoined, RoomID: room.ID, Audience: models.InRoom(room.ID),
		Change: models.Change{Kind: models.MemberIn, UserID: user.ID, RoomID: room.ID},
	}, data)
	if err != nil {
		return models.Member{}, fmt.Errorf("append member.joined: %w", err)
	}
	err = tx.StartSpell(models.Membership{
		RoomID: room.ID, UserID: user.ID, Role: role, From: ev.ID, JoinedAt: tx.Now(),
	})
	if err != nil {
		return models.Member{}, fmt.Errorf("start spell: %w", err)
	}
	return models.Member{User: user, Role: role, JoinedAt: tx.Now()}, nil
}

// part ends a spell with its member.left. One that others end, for a reason, is revoked: that hides what the
// member had seen from every later replay.
func part(tx Tx, room models.Room, user models.User, role models.RoomRole, reason string) error {
	if err := keepsOwner(tx, room, role); err != nil {
		return err
	}
	ev, err := tx.Append(models.Event{
		Type: models.MemberLeft, RoomID: room.ID, Audience: models.InRoom(room.ID),
		Change: models.Change{Kind: models.MemberOut, UserID: user.ID, RoomID: room.ID},
	}, models.MemberData{User: user.ForEvent(), Role: role, Reason: reason})
	if err != nil {
		return fmt.Errorf("append member.left: %w", err)
	}
	if err := tx.EndSpell(room.ID, user.ID, ev.ID, reason != ""); err != nil {
		return fmt.Errorf("end spell: %w", err)
	}
	return nil
}

// keepsOwner refuses to take the last owner of a room away.
func keepsOwner(r Reader, room models.Room, leaving models.RoomRole) error {
	if leaving != models.RoomOwner {
		return nil
	}
	owners, err := r.Owners(room.ID)
	if err != nil {
		return fmt.Errorf("count owners: %w", err)
	}
	if owners <= 1 {
		return models.Refuse(models.CodeConflict, "the room needs an owner: name another one first")
	}
	return nil
}

// PutMember adds a user to a room, or changes a member's role. Without a role an added user becomes
// a member, and a member stays what they are.
func (s *Service) PutMember(ctx context.Context, a Actor, ref, userRef string, role models.RoomRole) (models.Member, error) {
	return do(ctx, s, func(tx Tx) (models.Member, error) {
		t, err := s.target(tx, a, ref)
		if err != nil {
			return models.Member{}, err
		}
		other, err := lookupUser(tx, userRef)
		if err != nil {
			return models.Member{}, err
		}
		present, err := presentMember(tx, t.room, other)
		if err != nil {
			return models.Member{}, err
		}
		if present.Role == models.NoRole {
			return add(tx, a, t, other, role)
		}
		return setRole(tx, a, t, present, role)
	})
}

// presentMember gives the user's membership, with NoRole where there is none.
func presentMember(r Reader, room models.Room, user models.User) (models.Member, error) {
	role, err := roomRole(r, room, user)
	if err != nil {
		return models.Member{}, err
	}
	m := models.Member{User: user, Role: role, JoinedAt: user.CreatedAt}
	if role == models.NoRole || room.IsLobby() {
		return m, nil
	}
	spell, err := r.Membership(room.ID, user.ID)
	if err != nil {
		return m, fmt.Errorf("read membership: %w", err)
	}
	m.JoinedAt = spell.JoinedAt
	return m, nil
}

// welcome tells somebody of a room, and then begins their spell there.
func welcome(tx Tx, room models.Room, user models.User, role models.RoomRole) (models.Member, error) {
	_, err := tx.Append(models.Event{
		Type: models.RoomCreated, RoomID: room.ID, Audience: models.ForUser(user.ID),
	}, models.RoomData{Room: room.ForEvent()})
	if err != nil {
		return models.Member{}, fmt.Errorf("append room.created: %w", err)
	}
	return enter(tx, room, user, role)
}

// add makes somebody a member.
func add(tx Tx, a Actor, t target, other models.User, role models.RoomRole) (models.Member, error) {
	if err := allow(AddMember, t.room, t.rank); err != nil {
		return models.Member{}, err
	}
	if role == models.NoRole {
		role = models.RoomMember
	}
	if role != models.RoomMember {
		if err := allow(SetRole, t.room, t.rank); err != nil {
			return models.Member{}, err
		}
	}
	if other.Role == models.RoleVisitor {
		return models.Member{}, models.NotFound("user")
	}
	if err := mayBeAdded(tx, t, other); err != nil {
		return models.Member{}, err
	}
	member, err := welcome(tx, t.room, other, role)
	if err == nil && (t.byAdminRight(AddMember) || role != models.RoomMember && t.byAdminRight(SetRole)) {
		err = recordInRoom(tx, a, t, models.AuditMemberAdd, other, details("role", string(role)))
	}
	return member, err
}

// setRole changes a present member's role.
func setRole(tx Tx, a Actor, t target, m models.Member, role models.RoomRole) (models.Member, error) {
	if role == models.NoRole || role == m.Role {
		return m, allow(SeeRoom, t.room, t.rank)
	}
	if err := allow(SetRole, t.room, t.rank); err != nil {
		return m, err
	}
	if err := keepsOwner(tx, t.room, m.Role); err != nil {
		return m, err
	}
	old := m.Role
	m.Role = role
	if err := tellMember(tx, t.room, m.User, role, ""); err != nil {
		return m, err
	}
	if err := tx.SetRoomRole(t.room.ID, m.User.ID, role); err != nil {
		return m, fmt.Errorf("set role: %w", err)
	}
	if t.byAdminRight(SetRole) {
		return m, recordInRoom(tx, a, t, models.AuditMemberUpdate, m.User, details("from", string(old), "to", string(role)))
	}
	return m, nil
}

// RemoveMember takes somebody out of a room; oneself is leaving. Nobody removes who ranks
// higher.
func (s *Service) RemoveMember(ctx context.Context, a Actor, ref, userRef string) error {
	return s.store.Do(ctx, func(tx Tx) error {
		t, err := s.target(tx, a, ref)
		if err != nil {
			return err
		}
		other, err := lookupUser(tx, userRef)
		if err != nil {
			return err
		}
		if other.ID == t.user.ID {
			return removeSelf(tx, t)
		}
		return remove(tx, a, t, other)
	})
}

func removeSelf(tx Tx, t target) error {
	if err := allow(LeaveRoom, t.room, t.rank); err != nil {
		return err
	}
	if t.role == models.NoRole {
		return models.NotFound("member")
	}
	return part(tx, t.room, t.user, t.role, "")
}

func remove(tx Tx, a Actor, t target, other models.User) error {
	if err := allow(RemoveMember, t.room, t.rank); err != nil {
		return err
	}
	rank, spell, err := rankIn(tx, t.room, other)
	if err != nil {
		return err
	}
	role := spell.Role
	if role == models.NoRole {
		return models.NotFound("member")
	}
	if rank > t.rank {
		return models.Refuse(models.CodeForbidden, "the member's role is higher than yours")
	}
	if err := part(tx, t.room, other, role, "removed"); err != nil {
		return err
	}
	if t.byAdminRight(RemoveMember) || rank > rankOf(t.role) {
		return recordInRoom(tx, a, t, models.AuditMemberRemove, other, details("role", string(role)))
	}
	return nil
}
