package chat

import (
	"errors"
	"fmt"
	"strconv"

	"parley/models"
)

// nameFree refuses a key that belongs to a user other than self.
func nameFree(r Reader, key string, self int64) error {
	u, err := r.UserByKey(key)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("look up name: %w", err)
	case u.ID == self:
		return nil
	default:
		return models.Refuse(models.CodeNameTaken, "the name %q is taken", u.Name)
	}
}

// nameToBeHad refuses a key that belongs to somebody who can come back.
func nameToBeHad(r Reader, key string) error {
	_, err := nameLeft(r, key, 0)
	return err
}

// takeName makes the key free for the user self, 0 for a new one. Who has left it for good is called by a number from then on.
func takeName(tx Tx, key string, self int64) error {
	left, err := nameLeft(tx, key, self)
	if err != nil || left.ID == 0 {
		return err
	}
	name, key, err := freeNameOf(tx, "guest-"+strconv.FormatInt(left.ID, 10))
	if err != nil {
		return err
	}
	_, err = rename(tx, left, name, key)
	return err
}

// nameLeft gives who has the key but left for good, the zero user where nobody has it; name_taken where somebody other than
// self has it.
func nameLeft(r Reader, key string, self int64) (models.User, error) {
	taken := nameFree(r, key, self)
	if models.CodeOf(taken) != models.CodeNameTaken {
		return models.User{}, taken
	}
	user, err := r.UserByKey(key)
	if err != nil {
		return user, fmt.Errorf("look up name: %w", err)
	}
	left, err := leftForGood(r, user)
	if err == nil && !left {
		err = taken
	}
	return user, err
}

// leftForGood says whether nobody can come back as the user: a passing guest whose connection has ended.
func leftForGood(r Reader, u models.User) (bool, error) {
	if u.Role != models.RoleGuest {
		return false, nil
	}
	ids, err := r.LegacyIDs(passingProtocol, []int64{u.ID})
	if err != nil || len(ids) == 0 {
		return false, err
	}
	sessions, err := r.SessionsOf(u.ID)
	return err == nil && len(sessions) == 0, err
}
