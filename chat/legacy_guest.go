package chat

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"parley/models"
)

// Guests of an older protocol come back by their id. Each of their connections is a session of its own, which nobody is given.

// returningAgent marks these sessions; what follows it is the protocol.
const returningAgent = "returning: "

// GuestOf gives the device of a session that is to end with its connection. A former process's are ended by DepartLeft.
func GuestOf(protocol, address string) Device {
	return Device{Agent: protocol, Address: address, mark: returningAgent}
}

// AddressLegacy gives whose id it is that the actor writes to, and makes the guest where nobody has it yet, as mayMake lets it.
func (s *Service) AddressLegacy(ctx context.Context, a Actor, l LegacyAccount, mayMake func() error) (models.User, error) {
	user, err := s.LegacyUser(ctx, l.Protocol, l.ID)
	if models.CodeOf(err) != models.CodeNotFound {
		return user, err
	}
	if err := checkLegacyID(l.ID); err != nil {
		return user, err
	}
	if !s.guests {
		return user, errNoGuests()
	}
	if err := mayMake(); err != nil {
		return user, err
	}
	return do(ctx, s, func(tx Tx) (models.User, error) {
		if _, err := acting(tx, a); err != nil {
			return models.User{}, err
		}
		user, err := legacyUser(tx, l.Protocol, l.ID)
		if errors.Is(err, ErrNotFound) {
			return addLegacy(tx, l, models.User{Role: models.RoleGuest}, "")
		}
		return user, err
	})
}

// LeaveLegacy ends the session of a connection that has ended.
func (s *Service) LeaveLegacy(ctx context.Context, a Actor) error {
	return s.store.Do(ctx, func(tx Tx) error { return endOpen(tx, a.Session) })
}

// eachLeft gives the sessions that older protocols had when this process began.
func (s *Service) eachLeft(ctx context.Context, visit func(session models.Session) error) error {
	for after := int64(0); ; {
		sessions, err := view(ctx, s, func(r Reader) ([]models.Session, error) { return r.SessionsAfter(after, departPage) })
		if err != nil {
			return fmt.Errorf("look for sessions of former connections: %w", err)
		}
		for _, session := range sessions {
			after = session.ID
			ours := strings.HasPrefix(session.Agent, passingAgent) || strings.HasPrefix(session.Agent, returningAgent)
			if !ours || !session.CreatedAt.Before(s.started) {
				continue
			}
			if err := visit(session); err != nil {
				return err
			}
		}
		if len(sessions) < departPage {
			return nil
		}
	}
}
