package chat

import (
	"context"
	"errors"
	"fmt"

	"parley/models"
)

// MarkRead moves the actor's read mark in a room forward to a message; an older one changes nothing. It is no
// event: the actor's own streams are told of it, nobody else.
func (s *Service) MarkRead(ctx context.Context, a Actor, ref string, messageID int64) error {
	type move struct {
		userID, roomID int64
		moved          bool
	}
	m, err := do(ctx, s, func(tx Tx) (m move, err error) {
		t, err := s.readable(tx, a, ref, messageID)
		m.userID, m.roomID = t.user.ID, t.room.ID
		if err != nil || messageID <= t.from {
			return m, err // what was there before the membership is read as it is
		}
		if m.moved, err = tx.MoveRead(m.userID, m.roomID, messageID); err != nil {
			return m, fmt.Errorf("move read mark: %w", err)
		}
		return m, nil
	})
	if err == nil && m.moved {
		s.whisper.ReadMoved(m.userID, m.roomID, messageID)
	}
	return err
}

// readable finds the room, and refuses a message that is not one of those in it that the actor may read.
func (s *Service) readable(tx Tx, a Actor, ref string, messageID int64) (target, error) {
	t, err := s.target(tx, a, ref)
	if err != nil {
		return t, err
	}
	if err := allow(MarkRead, t.room, t.rank); err != nil {
		return t, err
	}
	if t.role == models.NoRole { // an admin may do what owners do, but has read nothing here
		return t, models.Refuse(models.CodeForbidden, "only members can %s: join first", MarkRead)
	}
	m, err := tx.Message(messageID)
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return t, fmt.Errorf("read message: %w", err)
	case err != nil, m.RoomID != t.room.ID, m.ID < t.since():
		return t, models.Invalid("message_id", "is no message of this room")
	}
	return t, nil
}

// withCounts makes what a view or a command gives of a room whole: unread and mention counts, the read mark and the
// last message, as the actor sees them.
func withCounts[R Reader](a Actor, give func(r R) (models.JoinedRoom, error)) func(r R) (models.JoinedRoom, error) {
	return func(r R) (models.JoinedRoom, error) {
		room, err := give(r)
		if err != nil || room.Role == models.NoRole && room.Visibility != models.Public {
			return room, err // an admin who reads in there does so by History, where it is written down
		}
		one := []models.JoinedRoom{room}
		if err := r.FillRooms(one, a.User.ID); err != nil {
			return room, fmt.Errorf("count unread messages: %w", err)
		}
		return one[0], nil
	}
}
