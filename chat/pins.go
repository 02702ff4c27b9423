package chat

import (
	"context"
	"fmt"
	"strconv"

	"parley/models"
)

// PinReader reads what is pinned in rooms.
type PinReader interface {
	// Pins gives a room's pinned messages that lie beyond since, the newest pin first, with pin id < before (0: all);
	// their mentions and reactions are Fill's.
	Pins(roomID, since, before int64, limit int) ([]models.Pin, error)
	// PinCount says how many messages are pinned in a room.
	PinCount(roomID int64) (int, error)
}

// PinWriter writes what is pinned.
type PinWriter interface {
	InsertPin(p models.Pin) error
	DeletePin(messageID int64) error
}

// Pin pins a message; where it is pinned, nothing changes.
func (s *Service) Pin(ctx context.Context, a Actor, messageID int64) error {
	return s.store.Do(ctx, func(tx Tx) error {
		t, m, err := s.pinnable(tx, a, messageID)
		if err != nil {
			return err
		}
		if m.IsDeleted() {
			return errDeleted()
		}
		if m.Pinned {
			return nil
		}
		if err := mayBeShown(tx, t, m); err != nil {
			return err
		}
		if err := takesAnotherPin(tx, t.room.ID); err != nil {
			return err
		}
		err = tx.InsertPin(models.Pin{
			ID: tx.NextID(), Message: m, By: models.Peer{ID: t.user.ID, Name: t.user.Name}, At: tx.Now(),
		})
		if err != nil {
			return fmt.Errorf("insert pin: %w", err)
		}
		return tellPin(tx, a, t, m, true)
	})
}

// takesAnotherPin refuses one pin too many.
func takesAnotherPin(r Reader, roomID int64) error {
	n, err := r.PinCount(roomID)
	if err != nil {
		return fmt.Errorf("count pins: %w", err)
	}
	if n >= models.MaxPins {
		return models.Refuse(models.CodeConflict, "the room has %d pinned messages, which is as many as it takes: unpin one first", n)
	}
	return nil
}

// Unpin unpins a message; where it is not pinned, nothing changes. A deleted one never is.
func (s *Service) Unpin(ctx context.Context, a Actor, messageID int64) error {
	return s.store.Do(ctx, func(tx Tx) error {
		t, m, err := s.pinnable(tx, a, messageID)
		if err != nil || !m.Pinned {
			return err
		}
		if err := tx.DeletePin(m.ID); err != nil {
			return fmt.Errorf("delete pin: %w", err)
		}
		return tellPin(tx, a, t, m, false)
	})
}

// pinnable finds a message that the actor may pin and unpin.
func (s *Service) pinnable(tx Tx, a Actor, messageID int64) (target, models.Message, error) {
	t, m, err := s.message(tx, a, messageID)
	if err != nil {
		return t, m, err
	}
	return t, m, mayTakePart(tx, t, PinMessage)
}

// tellPin tells the room that a message is, or is not, pinned any more, and writes it down where that took an
// admin's right. That one is not any more which some members may not read is told to nobody.
func tellPin(tx Tx, a Actor, t target, m models.Message, pinned bool) error {
	m.Pinned = pinned
	hidden, err := hiddenFromSome(tx, t, m)
	if err != nil {
		return err
	}
	if !hidden {
		if _, err := tellUpdated(tx, t.room, m, true); err != nil {
			return err
		}
	}
	if !t.byAdminRight(PinMessage) {
		return nil
	}
	action := models.AuditMessagePin
	if !pinned {
		action = models.AuditMessageUnpin
	}
	return recordInRoom(tx, a, t, action, models.User{}, details("message_id", strconv.FormatInt(m.ID, 10)))
}

// PinList is one page of a room's pinned messages. Next is the pin's id to go on from, 0 at the end.
type PinList struct {
	Pins []models.Pin
	Next int64
}

// Pins gives a room's pinned messages, the newest pin first, those before the pin of that id (0: all). That an
// admin reads those of a channel of others is written down, once an hour.
func (s *Service) Pins(ctx context.Context, a Actor, room string, before int64, limit int) (PinList, error) {
	var t target
	out, err := view(ctx, s, func(r Reader) (out PinList, err error) {
		if t, err = s.target(r, a, room); err != nil {
			return out, err
		}
		if out.Pins, err = r.Pins(t.room.ID, t.since(), before, limit+1); err != nil {
			return out, fmt.Errorf("list pins: %w", err)
		}
		if len(out.Pins) > limit {
			out.Pins = out.Pins[:limit]
			out.Next = out.Pins[limit-1].ID
		}
		return out, fillPins(r, out.Pins, t.user.ID)
	})
	if err == nil && t.byAdminRight(SeeRoom) {
		err = s.recordReading(ctx, a, t)
	}
	if err != nil {
		return PinList{}, err
	}
	return out, nil
}

func fillPins(r Reader, pins []models.Pin, viewer int64) error {
	messages := make([]models.Message, len(pins))
	for i, p := range pins {
		messages[i] = p.Message
	}
	if err := r.Fill(messages, viewer); err != nil {
		return fmt.Errorf("read mentions and reactions: %w", err)
	}
	for i := range pins {
		pins[i].Message = messages[i]
	}
	return nil
}
