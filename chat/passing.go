package chat

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"parley/models"
)

// Somebody who comes by an older protocol is here for one connection: nobody is given its session, and it cannot be taken up
// again. Where the protocol has no accounts, one is made when the connection begins.

// passingProtocol marks the accounts that were made for one connection, among the ids of older protocols.
const passingProtocol = "passing"

// passingAgent marks such sessions; what follows it is the protocol.
const passingAgent = "passing: "

// departPage is how many sessions are looked at in one read.
const departPage = 500

// PassingGuest makes a guest that is called by the prefix and its id, for one connection. Device.Agent names the protocol. Depart
// must follow.
func (s *Service) PassingGuest(ctx context.Context, prefix string, d Device) (Login, error) {
	d.mark = passingAgent
	login, err := s.guest(ctx, "", prefix, d, func(tx Tx, id int64) error { return tx.InsertLegacyID(passingProtocol, id, id) })
	login.Actor.Address = d.Address
	return login, err
}

// Depart ends the session of somebody whose connection has ended. A guest's account of which nobody has anything, neither a
// message nor a conversation nor another name, goes with it as if it had never been: no event tells of it. The actor's
// streams must have ended.
func (s *Service) Depart(ctx context.Context, a Actor) error {
	user, err := do(ctx, s, func(tx Tx) (models.User, error) {
		if err := endOpen(tx, a.Session); err != nil {
			return models.User{}, err
		}
		user, err := tx.User(a.User.ID)
		if errors.Is(err, ErrNotFound) {
			return a.User, nil
		}
		if err != nil {
			return user, fmt.Errorf("read the leaving user: %w", err)
		}
		if user.Role != models.RoleGuest || !strings.HasSuffix(user.Name, "-"+strconv.FormatInt(user.ID, 10)) {
			return user, nil // others have been told of another name or role
		}
		if _, err := tx.ForgetUser(user); err != nil {
			return user, fmt.Errorf("forget user: %w", err)
		}
		return user, nil
	})
	if err != nil {
		user = a.User
	}
	s.presence.Leave(user)
	return err
}

// DepartLeft ends the sessions of all connections of older protocols whose end a former process did not see: who was there for
// one connection departs, guests who come back leave.
func (s *Service) DepartLeft(ctx context.Context) error {
	return s.eachLeft(ctx, func(session models.Session) error {
		if !strings.HasPrefix(session.Agent, passingAgent) {
			return s.LeaveLegacy(ctx, Actor{Session: session})
		}
		user, err := view(ctx, s, func(r Reader) (models.User, error) { return r.User(session.UserID) })
		if err == nil {
			err = s.Depart(ctx, Actor{User: user, Session: session})
		}
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
}

// endOpen ends the session unless it has ended.
func endOpen(tx Tx, session models.Session) error {
	_, err := tx.Session(session.ID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read session: %w", err)
	}
	return endSession(tx, session, ending{reason: "logout"})
}

// RoomKind says what kind of room somebody hears from by their stream.
func (s *Service) RoomKind(ctx context.Context, roomID int64) (models.RoomKind, error) {
	room, err := view(ctx, s, func(r Reader) (models.Room, error) {
		room, err := r.Room(roomID)
		return room, found(err, "room")
	})
	return room.Kind, err
}
