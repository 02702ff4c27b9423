package chat

import (
	"context"
	"fmt"

	"parley/models"
)

// NewRestriction is what a mute or a ban in a room is made from.
type NewRestriction struct {
	Until  models.Time // zero: until lifted
	Reason string
}

// RestrictionList is one page of a room's mutes or bans. Next is the user id to go on from, 0 at the end.
type RestrictionList struct {
	Restrictions []models.Restriction
	Next         int64
}

// restricting says for each kind whose right it is, and how the audit log calls it.
var restricting = map[models.RestrictionKind]struct {
	action    Action
	set, lift models.AuditAction
}{
	models.MuteKind: {MuteMember, models.AuditMemberMute, models.AuditMemberUnmute},
	models.BanKind:  {BanMember, models.AuditMemberBan, models.AuditMemberUnban},
}

// moderation is one act of moderation: who acts in which room, and upon whom.
type moderation struct {
	target
	action    Action
	other     models.User
	otherRank Rank
	otherRole models.RoomRole // NoRole: no member
}

// moderate begins an act upon the user of a UserRef, who may be no member. Nobody acts upon themselves.
func (s *Service) moderate(r Reader, a Actor, ref, userRef string, action Action) (moderation, error) {
	t, err := s.target(r, a, ref)
	if err != nil {
		return moderation{}, err
	}
	m := moderation{target: t, action: action}
	if err := allow(action, t.room, t.rank); err != nil {
		return m, err
	}
	if m.other, err = lookupUser(r, userRef); err != nil {
		return m, err
	}
	if m.other.Role == models.RoleVisitor {
		return m, models.NotFound("user")
	}
	if m.other.ID == t.user.ID {
		return m, models.Refuse(models.CodeConflict, "that is you: it takes somebody else")
	}
	var spell models.Membership
	m.otherRank, spell, err = rankIn(r, t.room, m.other)
	m.otherRole = spell.Role
	return m, err
}

// against refuses to act against somebody of a higher rank, and against admins at all: what held for them would hold
// up who keeps the server.
func (m moderation) against() error {
	if m.otherRank > m.rank {
		return models.Refuse(models.CodeForbidden, "the role of %s is higher than yours", m.other.Name)
	}
	if m.otherRank == Admin {
		return models.Refuse(models.CodeConflict, "%s is an admin, whom nobody can %s", m.other.Name, m.action)
	}
	return nil
}

// record writes the act down where it took an admin's right.
func (m moderation) record(tx Tx, a Actor, action models.AuditAction, detail map[string]string) error {
	if m.byAdminRight(m.action) || m.rank == Admin && m.otherRank > rankOf(m.role) {
		return recordInRoom(tx, a, m.target, action, m.other, detail)
	}
	return nil
}

// Restrict mutes somebody in a room, or bans them from it; a member who is banned is taken out. One that is in force
// takes the new end and reason.
func (s *Service) Restrict(ctx context.Context, a Actor, kind models.RestrictionKind, ref, userRef string, n NewRestriction) (models.Restriction, error) {
	reason, err := checkTerm(n.Until, n.Reason, models.At(s.now()))
	if err != nil {
		return models.Restriction{}, err
	}
	return do(ctx, s, func(tx Tx) (models.Restriction, error) {
		m, err := s.moderate(tx, a, ref, userRef, restricting[kind].action)
		if err != nil {
			return models.Restriction{}, err
		}
		if err := m.against(); err != nil {
			return models.Restriction{}, err
		}
		x, err := restrictionOf(tx, m.room.ID, kind, m.other.ID, m.now)
		if err != nil {
			return x, err
		}
		if x.Kind == "" {
			x = models.Restriction{RoomID: m.room.ID, Kind: kind, UserID: m.other.ID, CreatedAt: m.now}
		}
		x.Until, x.Reason, x.ByID = n.Until, reason, m.user.ID
		x.UserName, x.ByName = m.other.Name, m.user.Name
		return x, m.restrict(tx, a, x)
	})
}

func (m moderation) restrict(tx Tx, a Actor, x models.Restriction) error {
	if err := tx.PutRestriction(x); err != nil {
		return fmt.Errorf("write %s: %w", x.Kind, err)
	}
	if err := m.tell(tx, x.Kind, x.Reason); err != nil {
		return err
	}
	detail := details("reason", x.Reason)
	if !x.Until.IsZero() {
		detail["until"] = x.Until.String()
	}
	return m.record(tx, a, restricting[x.Kind].set, detail)
}

// tell makes a change of what holds for a member known to the room. The lobby has no events of members, and who is no
// member has none either.
func (m moderation) tell(tx Tx, kind models.RestrictionKind, reason string) error {
	if m.otherRole == models.NoRole || m.room.IsLobby() {
		return nil
	}
	if kind == models.BanKind {
		return part(tx, m.room, m.other, m.otherRole, "banned")
	}
	room, err := tx.Room(m.room.ID) // whose mutes are counted anew
	if err != nil {
		return fmt.Errorf("read room: %w", err)
	}
	return tellMember(tx, room, m.other, m.otherRole, reason)
}

// tellMember appends the member.updated of a member as they are now.
func tellMember(tx Tx, room models.Room, user models.User, role models.RoomRole, reason string) error {
	data, err := memberData(tx, room, user, role)
	if err != nil {
		return err
	}
	data.Reason = reason
	_, err = tx.Append(models.Event{
		Type: models.MemberUpdated, RoomID: room.ID, Audience: models.InRoom(room.ID),
	}, data)
	if err != nil {
		return fmt.Errorf("append member.updated: %w", err)
	}
	return nil
}

// memberData is the member with the mute that holds for them.
func memberData(tx Tx, room models.Room, user models.User, role models.RoomRole) (models.MemberData, error) {
	mute, err := inForce(tx, room, models.MuteKind, user, tx.Now())
	return models.MemberData{
		User: user.ForEvent(), Role: role, Muted: mute.Kind != "", MutedUntil: mute.Until,
	}, err
}

// Lift ends a mute or a ban; where there is none nothing changes. It brings no membership back.
func (s *Service) Lift(ctx context.Context, a Actor, kind models.RestrictionKind, ref, userRef string) error {
	return s.store.Do(ctx, func(tx Tx) error {
		m, err := s.moderate(tx, a, ref, userRef, restricting[kind].action)
		if err != nil {
			return err
		}
		x, err := restrictionOf(tx, m.room.ID, kind, m.other.ID, m.now)
		if err != nil || x.Kind == "" {
			return err
		}
		if err := tx.DeleteRestriction(x.RoomID, kind, x.UserID); err != nil {
			return fmt.Errorf("delete %s: %w", kind, err)
		}
		if kind == models.MuteKind {
			if err := m.tell(tx, kind, ""); err != nil {
				return err
			}
		}
		return m.record(tx, a, restricting[kind].lift, nil)
	})
}

// Restrictions gives a room's mutes or bans in force by user id beyond after, to those who may set them.
func (s *Service) Restrictions(ctx context.Context, a Actor, kind models.RestrictionKind, ref string, after int64, limit int) (RestrictionList, error) {
	return view(ctx, s, func(r Reader) (out RestrictionList, err error) {
		t, err := s.target(r, a, ref)
		if err != nil {
			return out, err
		}
		if err := allow(restricting[kind].action, t.room, t.rank); err != nil {
			return out, err
		}
		if out.Restrictions, err = r.Restrictions(t.room.ID, kind, t.now, after, limit+1); err != nil {
			return out, fmt.Errorf("list restrictions: %w", err)
		}
		if len(out.Restrictions) > limit {
			out.Restrictions = out.Restrictions[:limit]
			out.Next = out.Restrictions[limit-1].UserID
		}
		return out, nil
	})
}
