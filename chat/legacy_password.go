package chat

import (
	"context"
	"errors"
	"fmt"

	"parley/models"
)

// A protocol whose clients register and log in by a password of their own: registering is one call, logging in another,
// and a session is there for one connection.

// AddLegacy makes an account with an id of an older protocol and a password; conflict where the id is taken. It never
// makes an admin, as Register does of the first account: these passwords may be as short as one byte.
func (s *Service) AddLegacy(ctx context.Context, l LegacyAccount, d Device) error {
	if err := checkLegacyID(l.ID); err != nil {
		return err
	}
	if err := checkLegacyPassword(l); err != nil {
		return err
	}
	if err := s.checkAddress(d.Address); err != nil {
		return err
	}
	// As with Register, looked up before the hash is computed only to save the work.
	if err := s.store.View(ctx, func(r Reader) error { return legacyFree(r, l) }); err != nil {
		return err
	}
	hash, err := s.hasher.Hash(ctx, l.Password)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	return s.store.Do(ctx, func(tx Tx) error {
		if err := legacyFree(tx, l); err != nil {
			return err
		}
		user, err := addLegacy(tx, l, models.User{Role: models.RoleMember}, hash)
		if err != nil {
			return err
		}
		return admit(tx, user, d.Address)
	})
}

// legacyFree refuses an id that somebody has.
func legacyFree(r Reader, l LegacyAccount) error {
	_, err := legacyUser(r, l.Protocol, l.ID)
	switch {
	case err == nil:
		return models.Refuse(models.CodeConflict, "the id %d is taken", l.ID)
	case !errors.Is(err, ErrNotFound):
		return fmt.Errorf("look up an older id: %w", err)
	default:
		return nil
	}
}

func checkLegacyPassword(l LegacyAccount) error {
	if n, least := len(l.Password), max(1, l.LeastPassword); n < least || n > maxPassword {
		return models.Invalid("password", "has %d bytes, %d to %d are allowed", n, least, maxPassword)
	}
	return nil
}

// checkLegacyID refuses an id that no client can choose: those beyond are the ones of people who have none.
func checkLegacyID(id int64) error {
	if id < 1 || id > LegacyOffset {
		return models.Invalid("id", "must be 1 to %d", LegacyOffset)
	}
	return nil
}

// PassingLogin is LoginLegacy for one connection. Depart must follow.
func (s *Service) PassingLogin(ctx context.Context, protocol string, legacyID int64, password string, d Device) (Login, error) {
	d.mark = passingAgent
	return s.LoginLegacy(ctx, protocol, legacyID, password, d)
}
