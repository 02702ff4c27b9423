package chat

import (
	"context"

	"parley/models"
)

// Leave ends the actor's membership; leaving what one is not in changes nothing. The last owner cannot, conflict,
// unless a successor is named: a UserRef of a member, who is an owner from then on.
func (s *Service) Leave(ctx context.Context, a Actor, ref, successor string) error {
	return s.store.Do(ctx, func(tx Tx) error {
		t, err := s.target(tx, a, ref)
		if err != nil {
			return err
		}
		if err := allow(LeaveRoom, t.room, t.rank); err != nil || t.role == models.NoRole {
			return err
		}
		if successor != "" {
			if err := succeed(tx, a, t, successor); err != nil {
				return err
			}
		}
		return part(tx, t.room, t.user, t.role, "")
	})
}

// succeed makes a member an owner, for one who leaves.
func succeed(tx Tx, a Actor, t target, userRef string) error {
	if err := allow(SetRole, t.room, t.rank); err != nil {
		return err
	}
	other, err := lookupUser(tx, userRef)
	if err != nil && models.CodeOf(err) != models.CodeNotFound {
		return err
	}
	if err != nil {
		return models.Invalid("successor", "there is no such user")
	}
	if other.ID == t.user.ID {
		return models.Invalid("successor", "must be somebody else")
	}
	member, err := presentMember(tx, t.room, other)
	if err != nil {
		return err
	}
	if member.Role == models.NoRole {
		return models.Invalid("successor", "%s is not a member of the room", other.Name)
	}
	_, err = setRole(tx, a, t, member, models.RoomOwner)
	return err
}
