package chat

import (
	"context"
	"errors"
	"fmt"

	"parley/models"
)

// Support by an older protocol: its visitors are known by an id of theirs, and for its agents to be connected is to serve.

// ComeVisitor logs in the support visitor with an id of an older protocol, and makes the account where nobody has the id. The name
// told this time is the display name from now on.
func (s *Service) ComeVisitor(ctx context.Context, protocol string, legacyID int64, n NewVisitor, d Device) (Login, error) {
	display, details, err := n.check()
	if err != nil {
		return Login{}, err
	}
	if err := s.checkAddress(d.Address); err != nil {
		return Login{}, err
	}
	login, err := s.logIn(ctx, func(tx Tx) (Login, error) {
		user, err := legacyUser(tx, protocol, legacyID)
		switch {
		case errors.Is(err, ErrNotFound):
			user, err = addVisitor(tx, display, details)
			if err == nil {
				err = tx.InsertLegacyID(protocol, legacyID, user.ID)
			}
		case err == nil:
			user, err = calledNow(tx, user, display)
		}
		if err != nil {
			return Login{}, fmt.Errorf("let a visitor in: %w", err)
		}
		return s.openSession(tx, user, d)
	})
	login.Actor.Address = d.Address
	return login, err
}

// addVisitor writes the account of somebody who seeks support.
func addVisitor(tx Tx, display string, details models.VisitorDetails) (models.User, error) {
	user := models.User{Role: models.RoleVisitor, DisplayName: display}
	var err error
	if user.Name, user.Key, err = freeName(tx, "visitor-"); err != nil {
		return user, err
	}
	if user.DisplayName == "" {
		user.DisplayName = user.Name
	}
	if user, err = addUser(tx, user, ""); err != nil {
		return user, err
	}
	if err := tx.InsertVisitor(user.ID, details); err != nil {
		return user, fmt.Errorf("insert visitor: %w", err)
	}
	return user, nil
}

// calledNow gives a visitor who is back the name that they told.
func calledNow(tx Tx, user models.User, display string) (models.User, error) {
	if user.Role != models.RoleVisitor {
		return user, models.Refuse(models.CodeUnauthorized, "the account is no visitor's any more")
	}
	if display == "" || display == user.DisplayName {
		return user, nil
	}
	user.DisplayName = display
	return user, writeProfile(tx, user)
}

// TakeUpService has an agent take part who is connected by an older protocol, which knows one visitor at a time: who was not available
// is, with a capacity of one. before is for LeaveService. forbidden for all but agents.
func (s *Service) TakeUpService(ctx context.Context, a Actor) (before models.SupportAgent, err error) {
	s.desk.watch(a.User.ID)
	return do(ctx, s, func(tx Tx) (models.SupportAgent, error) {
		user, err := serving(tx, a)
		if err != nil {
			return models.SupportAgent{}, err
		}
		before, err := agentOf(tx, user)
		if err != nil || before.Available {
			return before, err
		}
		one := 1
		_, err = s.setAvailability(tx, user, Availability{Available: true, Capacity: &one})
		return before, err
	})
}

// LeaveService ends the session of an agent's connection. The last one gives back what TakeUpService took, and requeue
// says that what the agent has goes to others, unless they are here in another way, too. The actor's streams must have ended.
func (s *Service) LeaveService(ctx context.Context, a Actor, before models.SupportAgent, last, requeue bool) error {
	if last && requeue {
		s.presence.Leave(a.User) // or they would be given it again
	}
	return s.store.Do(ctx, func(tx Tx) error {
		if err := endOpen(tx, a.Session); err != nil {
			return err
		}
		user, err := tx.User(a.User.ID)
		if errors.Is(err, ErrNotFound) || err == nil && (!user.Role.Staff() || !last) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the leaving agent: %w", err)
		}
		if !before.Available {
			now, err := agentOf(tx, user)
			if err != nil {
				return err
			}
			now.Available, now.Capacity = false, before.Capacity
			if err := tx.SaveSupportAgent(now); err != nil {
				return fmt.Errorf("save agent: %w", err)
			}
		}
		if !requeue || s.presence.connected(user.ID) {
			return nil
		}
		if err := requeueAll(tx, user.ID); err != nil {
			return err
		}
		return s.assignWaiting(tx)
	})
}

// LeaveSupport ends the session of a visitor's connection. With the last one their conversation is closed: they cannot come back to it.
func (s *Service) LeaveSupport(ctx context.Context, a Actor, last bool) error {
	return s.store.Do(ctx, func(tx Tx) error {
		if err := endOpen(tx, a.Session); err != nil || !last {
			return err
		}
		if err := closeOwn(tx, a.User.ID, models.ClosedByVisitor, a.User.ID); err != nil {
			return err
		}
		return s.assignWaiting(tx)
	})
}
