package chat

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"parley/models"
)

// LegacyOffset and the user's id make the id, in an older protocol, of somebody who has none there.
const LegacyOffset = 1_000_000_000

// LegacyReader reads the ids that the older protocols have for users.
type LegacyReader interface {
	// LegacyUser gives whose id it is.
	LegacyUser(protocol string, legacyID int64) (userID int64, err error)
	// LegacyIDs gives the ids of those of the users who have one in the protocol.
	LegacyIDs(protocol string, userIDs []int64) (map[int64]int64, error)
}

// LegacyWriter writes them. They go with their account.
type LegacyWriter interface {
	// InsertLegacyID gives the user an id of the protocol, which nobody has yet, as the user has none there.
	InsertLegacyID(protocol string, legacyID, userID int64) error
}

// LegacyIDs gives the id that each of the users has in the protocol.
func (s *Service) LegacyIDs(ctx context.Context, protocol string, userIDs []int64) (map[int64]int64, error) {
	ids, err := view(ctx, s, func(r Reader) (map[int64]int64, error) { return r.LegacyIDs(protocol, userIDs) })
	if err != nil {
		return nil, fmt.Errorf("read older ids: %w", err)
	}
	for _, id := range userIDs {
		if _, has := ids[id]; !has {
			ids[id] = LegacyOffset + id
		}
	}
	return ids, nil
}

// LegacyUser gives who has the id in the protocol, not_found where nobody has.
func (s *Service) LegacyUser(ctx context.Context, protocol string, legacyID int64) (models.User, error) {
	return view(ctx, s, func(r Reader) (models.User, error) {
		user, err := legacyUser(r, protocol, legacyID)
		return user, found(err, "user")
	})
}

// legacyUser is ErrNotFound where nobody has the id.
func legacyUser(r Reader, protocol string, legacyID int64) (models.User, error) {
	id, err := r.LegacyUser(protocol, legacyID)
	if err == nil {
		return r.User(id)
	}
	if !errors.Is(err, ErrNotFound) || legacyID <= LegacyOffset {
		return models.User{}, err
	}
	user, err := r.User(legacyID - LegacyOffset)
	if err != nil {
		return user, err
	}
	has, err := r.LegacyIDs(protocol, []int64{user.ID})
	if err == nil && len(has) > 0 {
		err = ErrNotFound // they are called otherwise there
	}
	return user, err
}

// LegacyAccount is what a client of an older protocol registers with.
type LegacyAccount struct {
	Protocol      string
	ID            int64
	Name          string // the account's, where it is free and can be one
	Prefix        string // and the id are the name otherwise
	Password      string // AddLegacy's; others make guests
	LeastPassword int    // bytes of the password
}

// RegisterLegacy makes a guest with an id of an older protocol and logs them in; conflict where the id is taken.
func (s *Service) RegisterLegacy(ctx context.Context, l LegacyAccount, d Device) (Login, error) {
	if err := checkLegacyID(l.ID); err != nil {
		return Login{}, err
	}
	if !s.guests {
		return Login{}, errNoGuests()
	}
	if err := s.checkAddress(d.Address); err != nil {
		return Login{}, err
	}
	login, err := s.logIn(ctx, func(tx Tx) (Login, error) {
		if err := legacyFree(tx, l); err != nil {
			return Login{}, err
		}
		user, err := addLegacy(tx, l, models.User{Role: models.RoleGuest}, "")
		if err != nil {
			return Login{}, err
		}
		return s.openSession(tx, user, d)
	})
	login.Actor.Address = d.Address
	return login, err
}

// addLegacy writes an account with an id of an older protocol.
func addLegacy(tx Tx, l LegacyAccount, user models.User, hash string) (models.User, error) {
	var err error
	if user.Name, user.Key, err = legacyName(tx, l); err != nil {
		return user, err
	}
	user.DisplayName = user.Name
	if user, err = addUser(tx, user, hash); err != nil {
		return user, err
	}
	if err := tx.InsertLegacyID(l.Protocol, l.ID, user.ID); err != nil {
		return user, fmt.Errorf("insert an older id: %w", err)
	}
	return user, nil
}

// legacyName is the name that was asked for, or one that is free.
func legacyName(tx Tx, l LegacyAccount) (name, key string, err error) {
	if name, key, err = models.UserName(l.Name); err == nil {
		if err = takeName(tx, key, 0); err == nil || models.CodeOf(err) != models.CodeNameTaken {
			return name, key, err
		}
	}
	return freeNameOf(tx, l.Prefix+strconv.FormatInt(l.ID, 10))
}

// LoginLegacy is Login by an id of an older protocol; not_found where nobody has it.
func (s *Service) LoginLegacy(ctx context.Context, protocol string, legacyID int64, password string, d Device) (Login, error) {
	if _, err := s.LegacyUser(ctx, protocol, legacyID); err != nil {
		return Login{}, err
	}
	login, err := s.login(ctx, func(r Reader) (models.User, error) { return legacyUser(r, protocol, legacyID) }, password, d)
	login.Actor.Address = d.Address
	return login, err
}

// ReturnLegacy opens another session for a guest whom the protocol made, by their id alone; unauthorized where the
// account has another sort or a password, not_found where nobody has the id.
func (s *Service) ReturnLegacy(ctx context.Context, protocol string, legacyID int64, d Device) (Login, error) {
	if err := s.checkAddress(d.Address); err != nil {
		return Login{}, err
	}
	login, err := s.logIn(ctx, func(tx Tx) (Login, error) {
		user, err := legacyUser(tx, protocol, legacyID)
		if err != nil {
			return Login{}, found(err, "user")
		}
		ids, err := tx.LegacyIDs(protocol, []int64{user.ID})
		if err != nil {
			return Login{}, fmt.Errorf("read older ids: %w", err)
		}
		hash, err := tx.PasswordHash(user.ID)
		if err != nil {
			return Login{}, fmt.Errorf("read password: %w", err)
		}
		if len(ids) == 0 || hash != "" || user.Role != models.RoleGuest {
			return Login{}, models.Refuse(models.CodeUnauthorized, "the id %d takes the session token of its account", legacyID)
		}
		return s.openSession(tx, user, d)
	})
	login.Actor.Address = d.Address
	return login, err
}
