package chat

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"parley/models"
)

// Bounds of invitations.
const (
	MaxInvites    = 50 // that live, of one room
	InviteLife    = 7 * 24 * time.Hour
	MaxInviteLife = 365 * 24 * time.Hour
	MaxInviteUses = 10_000
)

// NewInvite says how often and how long an invitation lets somebody in.
type NewInvite struct {
	MaxUses   *int // nil: any number
	ExpiresIn *int // seconds, 0 is without end; nil: InviteLife
}

func (n NewInvite) check() error {
	if n.MaxUses != nil && (*n.MaxUses < 1 || *n.MaxUses > MaxInviteUses) {
		return models.Invalid("max_uses", "must be 1 to %d", MaxInviteUses)
	}
	if longest := int(MaxInviteLife / time.Second); n.ExpiresIn != nil && (*n.ExpiresIn < 0 || *n.ExpiresIn > longest) {
		return models.Invalid("expires_in", "must be 0 to %d seconds", longest)
	}
	return nil
}

// expiry is when an invitation of now is over.
func (n NewInvite) expiry(now models.Time) models.Time {
	switch {
	case n.ExpiresIn == nil:
		return models.At(now.Add(InviteLife))
	case *n.ExpiresIn == 0:
		return models.Time{}
	default:
		return models.At(now.Add(time.Duration(*n.ExpiresIn) * time.Second))
	}
}

// CreateInvite makes an invitation to a private channel. Its code is given here and never again.
func (s *Service) CreateInvite(ctx context.Context, a Actor, ref string, n NewInvite) (inv models.Invite, code string, err error) {
	if err := n.check(); err != nil {
		return inv, "", err
	}
	code, hash := newToken()
	inv, err = do(ctx, s, func(tx Tx) (models.Invite, error) {
		t, err := s.target(tx, a, ref)
		if err != nil {
			return models.Invite{}, err
		}
		if err := mayTakePart(tx, t, Invite); err != nil {
			return models.Invite{}, err
		}
		return invite(tx, a, t, n, hash)
	})
	return inv, code, err
}

func invite(tx Tx, a Actor, t target, n NewInvite, hash []byte) (models.Invite, error) {
	live, err := tx.LiveInvites(t.room.ID, tx.Now())
	if err != nil {
		return models.Invite{}, fmt.Errorf("count invitations: %w", err)
	}
	if live >= MaxInvites {
		return models.Invite{}, models.Refuse(models.CodeConflict, "the room has %d invitations: revoke one first", live)
	}
	inv := models.Invite{
		RoomID: t.room.ID, CodeHash: hash, ByID: t.user.ID, ByName: t.user.Name, CreatedAt: tx.Now(), ExpiresAt: n.expiry(tx.Now()),
	}
	if n.MaxUses != nil {
		inv.MaxUses = *n.MaxUses
	}
	if inv, err = tx.InsertInvite(inv); err != nil {
		return inv, fmt.Errorf("insert invitation: %w", err)
	}
	return inv, recordInvite(tx, a, t, models.AuditInviteCreate, inv)
}

// recordInvite writes down what was done to an invitation where it took an admin's right.
func recordInvite(tx Tx, a Actor, t target, action models.AuditAction, inv models.Invite) error {
	if !t.byAdminRight(Invite) {
		return nil
	}
	return recordInRoom(tx, a, t, action, models.User{}, details("invite_id", strconv.FormatInt(inv.ID, 10)))
}

// Invites gives the room's live invitations, newest first, with an id less than before, 0 for the first page. next is
// the id to go on from, 0 at the end.
func (s *Service) Invites(ctx context.Context, a Actor, ref string, before int64, limit int) (list []models.Invite, next int64, err error) {
	if before == 0 {
		before = models.MaxID
	}
	list, err = view(ctx, s, func(r Reader) ([]models.Invite, error) {
		t, err := s.target(r, a, ref)
		if err != nil {
			return nil, err
		}
		if err := allow(Invite, t.room, t.rank); err != nil {
			return nil, err
		}
		return r.Invites(t.room.ID, t.now, before, limit+1)
	})
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return list, next, err
}

// RevokeInvite ends an invitation; not_found for one of another room, or that is over.
func (s *Service) RevokeInvite(ctx context.Context, a Actor, room, ref string) error {
	id, ok := models.ParseID(ref)
	return s.store.Do(ctx, func(tx Tx) error {
		t, err := s.target(tx, a, room)
		if err != nil {
			return err
		}
		if err := allow(Invite, t.room, t.rank); err != nil {
			return err
		}
		if !ok {
			return models.NotFound("invitation")
		}
		inv, err := tx.Invite(id)
		if err == nil && (inv.RoomID != t.room.ID || !inv.Live(t.now.Time)) {
			err = ErrNotFound
		}
		if err != nil {
			return found(err, "invitation")
		}
		if err := tx.DeleteInvite(id); err != nil {
			return fmt.Errorf("delete invitation: %w", err)
		}
		return recordInvite(tx, a, t, models.AuditInviteDelete, inv)
	})
}

// Invitation is what the holder of a code is invited to.
type Invitation struct {
	Invite models.Invite
	Room   models.Room
}

// Invitation gives what the code invites to.
func (s *Service) Invitation(ctx context.Context, a Actor, code string) (Invitation, error) {
	return view(ctx, s, func(r Reader) (Invitation, error) {
		t, inv, err := s.invitedBy(r, a, code)
		if err != nil {
			return Invitation{}, err
		}
		if err := lives(inv, t); err != nil {
			return Invitation{}, err
		}
		return Invitation{inv, t.room}, notBanned(r, t)
	})
}

// AcceptInvite makes the actor a member and counts a use. Who is a member already stays as they are, and no use
// is counted.
func (s *Service) AcceptInvite(ctx context.Context, a Actor, code string) (models.JoinedRoom, error) {
	return do(ctx, s, withCounts(a, func(tx Tx) (models.JoinedRoom, error) {
		t, inv, err := s.invitedBy(tx, a, code)
		if err != nil || t.role != models.NoRole {
			return t.joined(), err
		}
		if err := lives(inv, t); err != nil {
			return models.JoinedRoom{}, err
		}
		if err := mayEnter(tx, t); err != nil {
			return models.JoinedRoom{}, err
		}
		if err := tx.CountInviteUse(inv.ID); err != nil {
			return models.JoinedRoom{}, fmt.Errorf("count the invitation's use: %w", err)
		}
		if _, err := welcome(tx, t.room, t.user, models.RoomMember); err != nil {
			return models.JoinedRoom{}, err
		}
		t.role, t.from = models.RoomMember, tx.NextID()-1 // the member.joined
		t.room.MemberCount++
		return t.joined(), nil
	}))
}

// invitedBy finds an invitation and its room by the code, and what the actor is there.
func (s *Service) invitedBy(r Reader, a Actor, code string) (target, models.Invite, error) {
	user, err := acting(r, a)
	if err != nil {
		return target{}, models.Invite{}, err
	}
	if err := notVisitor(user); err != nil {
		return target{}, models.Invite{}, err
	}
	inv, err := r.InviteByHash(hashToken(code))
	if err != nil {
		return target{}, inv, found(err, "invitation")
	}
	room, err := r.Room(inv.RoomID)
	if err != nil {
		return target{}, inv, found(err, "invitation")
	}
	rank, spell, err := rankIn(r, room, user)
	return target{room: room, user: user, rank: rank, role: spell.Role, from: spell.From, now: s.moment(r)}, inv, err
}

// lives refuses an invitation that lets nobody in any more, as if there were none.
func lives(inv models.Invite, t target) error {
	if !inv.Live(t.now.Time) || needed(Invite, t.room) == Never {
		return models.NotFound("invitation")
	}
	return nil
}
