package chat

import (
	"context"
	"errors"
	"fmt"

	"parley/models"
)

// ChangePassword gives the actor's account another password and ends its other sessions.
// invalid_credentials where current is wrong, conflict where the password was changed meanwhile.
func (s *Service) ChangePassword(ctx context.Context, a Actor, current, next string) error {
	if err := checkPassword("new", next); err != nil {
		return err
	}
	verified, err := view(ctx, s, func(r Reader) (string, error) { return ownPassword(r, a) })
	if err != nil {
		return err
	}
	if err := s.verify(ctx, verified, current); err != nil {
		if models.CodeOf(err) == models.CodeInvalidCredentials {
			err = models.Refuse(models.CodeInvalidCredentials, "the present password is wrong")
		}
		return err
	}
	hash, err := s.hasher.Hash(ctx, next)
	if err != nil {
		return err
	}
	return s.store.Do(ctx, func(tx Tx) error { return replacePassword(tx, a, verified, hash) })
}

// ownPassword gives the hash of the actor's password, and refuses who has none.
func ownPassword(r Reader, a Actor) (string, error) {
	user, err := acting(r, a)
	if err != nil {
		return "", err
	}
	hash, err := r.PasswordHash(user.ID)
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	if hash == "" {
		return "", models.Refuse(models.CodeForbidden, "a %s has no password to change", user.Role)
	}
	return hash, nil
}

// replacePassword puts hash in the place of the one that the actor has proved to know. With it end the sessions
// of whoever knew it.
func replacePassword(tx Tx, a Actor, verified, hash string) error {
	if err := living(tx, a); err != nil {
		return err
	}
	err := stillVerified(tx, a.User.ID, verified)
	if errors.Is(err, errStale) {
		return models.Refuse(models.CodeConflict, "the password was changed meanwhile")
	}
	if err != nil {
		return err
	}
	if err := tx.SetPassword(a.User.ID, hash); err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	return endSessions(tx, a.User.ID, a.Session.ID, ending{reason: "password"})
}

// stillVerified is errStale unless the account's hash is the one that a password was compared with before
// the command began: the comparison takes too long for one.
func stillVerified(r Reader, userID int64, verified string) error {
	hash, err := r.PasswordHash(userID)
	if err != nil {
		return fmt.Errorf("read password: %w", err)
	}
	if hash != verified {
		return errStale
	}
	return nil
}
