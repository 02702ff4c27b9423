package chat

import (
	"context"
	"fmt"

	"parley/models"
)

// ProfileChange is what may be changed of a profile; nil leaves it as it is. An empty DisplayName is
// the name.
type ProfileChange struct {
	DisplayName *string
	StatusText  *string
}

// UpdateMe changes the actor's profile; all of the change or nothing.
func (s *Service) UpdateMe(ctx context.Context, a Actor, c ProfileChange) (Profile, error) {
	var err error
	if c.DisplayName, err = cleaned(c.DisplayName, models.DisplayName); err != nil {
		return Profile{}, err
	}
	if c.StatusText, err = cleaned(c.StatusText, models.StatusText); err != nil {
		return Profile{}, err
	}
	user, err := do(ctx, s, func(tx Tx) (models.User, error) {
		before, err := acting(tx, a)
		if err != nil {
			return before, err
		}
		user := before
		if c.DisplayName != nil {
			user.DisplayName = *c.DisplayName
			if user.DisplayName == "" {
				user.DisplayName = user.Name // the present one: a rename may have come before
			}
		}
		if c.StatusText != nil {
			user.StatusText = *c.StatusText
		}
		if user.DisplayName == before.DisplayName && user.StatusText == before.StatusText {
			return user, nil
		}
		return user, writeProfile(tx, user)
	})
	return s.profile(user), err
}

// cleaned gives the stored form of a field that may be absent.
func cleaned(field *string, clean func(string) (string, error)) (*string, error) {
	if field == nil {
		return field, nil
	}
	stored, err := clean(*field)
	return &stored, err
}

func writeProfile(tx Tx, user models.User) error {
	_, err := tx.Append(models.Event{
		Type: models.UserUpdated, Audience: audienceOf(user),
		Change: models.Change{Kind: models.UserAltered, UserID: user.ID},
	}, models.UserData{User: user.ForEvent()})
	if err != nil {
		return fmt.Errorf("append user.updated: %w", err)
	}
	if err := tx.UpdateUser(user); err != nil {
		return fmt.Errorf("update user: %w", err)
	}
	return nil
}

// audienceOf is who hears of a user's changes: everyone, but of a support visitor, whom they do not
// know of, only the visitor's own devices.
func audienceOf(user models.User) models.Audience {
	if user.Role == models.RoleVisitor {
		return models.ForUser(user.ID)
	}
	return models.Everyone()
}
