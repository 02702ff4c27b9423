package chat

import (
	"context"
	"errors"
	"fmt"

	"parley/models"
)

// DeleteAccount ends the actor's account: at once for everyone to see, and when it returns, also what
// was left to clear away is done. With erase, the account's messages and names go too. An account with a password
// must give it.
//
// Where ctx ends, or the server does, before all is cleared away, that goes on without the caller.
func (s *Service) DeleteAccount(ctx context.Context, a Actor, password string, erase bool) error {
	for range loginTries {
		err := s.tryDelete(ctx, a, password, erase)
		switch {
		case errors.Is(err, errStale):
			continue
		case err != nil:
			return err
		}
		return s.finisher.wait(ctx, a.User.ID)
	}
	return errCredentials()
}

// tryDelete is errStale where the account gets another hash meanwhile.
func (s *Service) tryDelete(ctx context.Context, a Actor, password string, erase bool) error {
	verified, err := s.provePassword(ctx, a, password)
	if err != nil {
		return err
	}
	return s.store.Do(ctx, func(tx Tx) error {
		user, err := acting(tx, a)
		if err != nil {
			return err
		}
		if err := living(tx, a); err != nil {
			return err
		}
		if err := stillVerified(tx, user.ID, verified); err != nil {
			return err
		}
		return s.deleteUser(tx, user, erase)
	})
}

// provePassword compares the password of the actor, and gives the hash that it was compared with.
func (s *Service) provePassword(ctx context.Context, a Actor, password string) (hash string, err error) {
	hash, err = view(ctx, s, func(r Reader) (string, error) {
		if _, err := acting(r, a); err != nil {
			return "", err
		}
		return r.PasswordHash(a.User.ID)
	})
	switch {
	case err != nil || hash == "":
		return hash, err
	case password == "":
		return "", models.Invalid("password", "is missing: it takes the password to delete the account")
	}
	return hash, s.verify(ctx, hash, password)
}

// deleteUser is all of a deletion that others can see.
func (s *Service) deleteUser(tx Tx, user models.User, erase bool) error {
	if err := keepsAdmin(tx, user); err != nil {
		return err
	}
	if err := s.quitSupport(tx, user); err != nil {
		return err
	}
	since := tx.NextID()
	if err := handOver(tx, user); err != nil {
		return err
	}
	if err := partAll(tx, user); err != nil {
		return err
	}
	if err := endSessions(tx, user.ID, 0, ending{reason: "deleted"}); err != nil {
		return err
	}
	ev, err := tx.Append(models.Event{
		Type: models.UserDeleted, Audience: models.Everyone(),
		Change: models.Change{Kind: models.UserGone, UserID: user.ID},
	}, models.UserDeletedData{UserID: user.ID, Erased: erase})
	if err != nil {
		return fmt.Errorf("append user.deleted: %w", err)
	}
	if err := tx.LeaveAll(user.ID, since, ev.ID); err != nil {
		return fmt.Errorf("leave all rooms: %w", err)
	}
	if err := tx.DeleteUser(user, ev.ID, erase); err != nil {
		return fmt.Errorf("delete user: %w", err)
	}
	return nil
}

// keepsAdmin refuses to take the last admin away from others: nobody could make another one. Where
// there is no account left, the next one to register is the admin.
func keepsAdmin(r Reader, user models.User) error {
	if user.Role != models.RoleAdmin {
		return nil
	}
	admin, err := r.OtherAdmin(user.ID)
	if err != nil || admin {
		return err
	}
	others, err := r.OtherAccount(user.ID)
	if err != nil || !others {
		return err
	}
	return models.Refuse(models.CodeConflict, "the server needs an admin: name another one first")
}

// handOver gives each room that would be without an owner to who has been in it longest, moderators
// before members. A room of nobody else stays without one.
func handOver(tx Tx, user models.User) error {
	rooms, err := tx.SoleOwned(user.ID)
	if err != nil {
		return fmt.Errorf("look for rooms to hand over: %w", err)
	}
	for _, room := range rooms {
		heir, err := tx.Successor(room, user.ID)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look for a successor: %w", err)
		}
		if err := crown(tx, room, heir.UserID); err != nil {
			return err
		}
	}
	return nil
}

// crown makes a member the room's owner.
func crown(tx Tx, roomID, userID int64) error {
	user, err := tx.User(userID)
	if err != nil {
		return fmt.Errorf("read the successor: %w", err)
	}
	room, err := tx.Room(roomID)
	if err != nil {
		return fmt.Errorf("read the successor's room: %w", err)
	}
	if err := tellMember(tx, room, user, models.RoomOwner, ""); err != nil {
		return err
	}
	if err := tx.SetRoomRole(roomID, userID, models.RoomOwner); err != nil {
		return fmt.Errorf("set role: %w", err)
	}
	return nil
}

// partAll appends the member.left of every room that has such events; LeaveAll ends the spells.
func partAll(tx Tx, user models.User) error {
	const page = 200
	for after := int64(0); ; {
		rooms, err := tx.JoinedRooms(user.ID, after, page)
		if err != nil {
			return fmt.Errorf("list rooms: %w", err)
		}
		for _, room := range rooms {
			after = room.ID
			if room.IsLobby() || room.Kind == models.KindDirect {
				continue
			}
			_, err := tx.Append(models.Event{
				Type: models.MemberLeft, RoomID: room.ID, Audience: models.InRoom(room.ID),
				Change: models.Change{Kind: models.MemberOut, UserID: user.ID, RoomID: room.ID},
			}, models.MemberData{User: user.ForEvent(), Role: room.Role, Reason: "deleted"})
			if err != nil {
				return fmt.Errorf("append member.left: %w", err)
			}
		}
		if len(rooms) < page {
			return nil
		}
	}
}

// otherLives refuses to write to somebody who is deleted.
func otherLives(r Reader, room models.Room, user models.User) error {
	if room.Kind != models.KindDirect {
		return nil
	}
	_, err := r.User(room.DirectA + room.DirectB - user.ID)
	if errors.Is(err, ErrNotFound) {
		return models.Refuse(models.CodeConflict, "the account at the other end is deleted")
	}
	if err != nil {
		return fmt.Errorf("read the other end: %w", err)
	}
	return nil
}
