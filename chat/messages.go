package chat

import (
	"errors"
	"fmt"

	"parley/models"
)

// message finds a message by its id, and the room that it is in as the actor sees that. One that the actor may not
// read is not there: whatever the reason, the answer is the same.
func (s *Service) message(r Reader, a Actor, id int64) (target, models.Message, error) {
	user, err := acting(r, a)
	if err != nil {
		return target{}, models.Message{}, err
	}
	m, err := r.Message(id)
	if errors.Is(err, ErrNotFound) {
		if err := notVisitor(user); err != nil {
			return target{}, models.Message{}, err
		}
	}
	if err != nil {
		return target{}, m, found(err, "message")
	}
	t, err := s.resolve(r, user, models.RoomRef{ID: m.RoomID})
	if models.CodeOf(err) == models.CodeNotFound || err == nil && m.ID < t.since() {
		return target{}, models.Message{}, models.NotFound("message")
	}
	return t, m, err
}

// filled is the message with its mentions and reactions as the viewer sees them.
func filled(r Reader, m models.Message, viewer int64) (models.Message, error) {
	one := []models.Message{m}
	if err := r.Fill(one, viewer); err != nil {
		return m, fmt.Errorf("read mentions and reactions: %w", err)
	}
	return one[0], nil
}

// errDeleted refuses to change a tombstone.
func errDeleted() error {
	return models.Refuse(models.CodeConflict, "the message is deleted")
}

// hiddenFromSome says whether some member of the room may not read the message: it shows its history only from each
// one's joining on. A message.updated goes to all members, so there must be none of such a message.
func hiddenFromSome(r Reader, t target, m models.Message) (bool, error) {
	if t.room.History != models.HistorySinceJoin {
		return false, nil
	}
	newest, err := r.NewestSpell(t.room.ID)
	if err != nil {
		return false, fmt.Errorf("look for the youngest membership: %w", err)
	}
	return newest > m.ID, nil
}

// mayBeShown refuses what would show the message to all members where some may not read it.
func mayBeShown(r Reader, t target, m models.Message) error {
	hidden, err := hiddenFromSome(r, t, m)
	if err != nil || !hidden {
		return err
	}
	return models.Refuse(models.CodeConflict,
		"somebody has joined since who may not read this message: it can only be deleted now")
}

// tellUpdated appends the message.updated of a message that was changed already in the store but for its new
// text, and gives it as it is now, for everybody. The new text is written here, unless textStays.
func tellUpdated(tx Tx, room models.Room, m models.Message, textStays bool) (models.Message, error) {
	m, err := filled(tx, m, 0)
	if err != nil {
		return m, err
	}
	entry := tx.NextID()
	if !textStays {
		m.Version, m.EditedAt = entry, tx.Now()
	}
	_, err = tx.Append(models.Event{
		Type: models.MessageUpdated, RoomID: m.RoomID, Audience: room.Audience(),
	}, models.MessageData{Message: m.ForEvent()})
	if err != nil {
		return m, fmt.Errorf("append message.updated: %w", err)
	}
	if err := tx.InsertEdit(m, entry, textStays); err != nil {
		return m, fmt.Errorf("insert edit: %w", err)
	}
	return m, nil
}

// isAuthor says whether the actor wrote the message.
func (t target) isAuthor(m models.Message) bool { return t.user.ID == m.SenderID }
