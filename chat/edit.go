package chat

import (
	"context"
	"fmt"

	"parley/models"
)

// Message gives one message that the actor may read. That an admin reads in a channel of others is written down,
// as for History.
func (s *Service) Message(ctx context.Context, a Actor, id int64) (models.Message, error) {
	var t target
	m, err := view(ctx, s, func(r Reader) (m models.Message, err error) {
		if t, m, err = s.message(r, a, id); err != nil {
			return m, err
		}
		return filled(r, m, a.User.ID)
	})
	if err == nil && t.byAdminRight(SeeRoom) {
		err = s.recordReading(ctx, a, t)
	}
	return m, err
}

// Revision is what an author makes of a message. OnlyIf is asked for the version that would be replaced, inside the
// command; nil takes any.
type Revision struct {
	Text   string
	OnlyIf func(version int64) bool
}

// Edit gives a message of the actor's another text. The same text again changes nothing.
func (s *Service) Edit(ctx context.Context, a Actor, id int64, rev Revision) (models.Message, error) {
	if err := models.CheckMessageText(rev.Text, s.maxText); err != nil {
		return models.Message{}, err
	}
	places, err := s.placesIn(ctx, rev.Text)
	if err != nil {
		return models.Message{}, err
	}
	return do(ctx, s, func(tx Tx) (models.Message, error) {
		t, m, err := s.message(tx, a, id)
		if err != nil {
			return m, err
		}
		if err := mayEdit(tx, t, m, rev); err != nil {
			return m, err
		}
		if m.Text != rev.Text {
			if err := mayBeShown(tx, t, m); err != nil {
				return m, err
			}
			if m, err = setText(tx, t, m, rev.Text, places); err != nil {
				return m, err
			}
		}
		return filled(tx, m, a.User.ID)
	})
}

func mayEdit(tx Tx, t target, m models.Message, rev Revision) error {
	if !t.isAuthor(m) {
		return models.Refuse(models.CodeForbidden, "only its author can edit a message")
	}
	if err := mayTakePart(tx, t, EditMessage); err != nil {
		return err
	}
	if m.IsDeleted() {
		return errDeleted()
	}
	if rev.OnlyIf != nil && !rev.OnlyIf(m.Version) {
		return models.Refuse(models.CodePreconditionFailed, "the message has another text now: read it again")
	}
	return nil
}

// setText writes another text of a message and tells of it: whatever hangs on a text is made anew here. It gives the message
// as it is then.
func setText(tx Tx, t target, m models.Message, text string, places []models.Mention) (models.Message, error) {
	m.Text = text
	mentions, everybody, err := mentionsIn(tx, t, places)
	if err != nil {
		return m, err
	}
	if everybody {
		mentions = append(mentions, 0)
	}
	if err := tx.SetMentions(m, mentions); err != nil {
		return m, fmt.Errorf("write mentions: %w", err)
	}
	return tellUpdated(tx, t.room, m, false)
}

// EditList is a page of a message's earlier texts, oldest first. Next is the id to go on from, 0 at the end.
type EditList struct {
	Edits []models.Edit
	Next  int64
}

// Edits gives the texts that a message had before its present one, to its author and to who looks after the room.
func (s *Service) Edits(ctx context.Context, a Actor, id, after int64, limit int) (EditList, error) {
	var t target
	list, err := view(ctx, s, func(r Reader) (list EditList, err error) {
		var m models.Message
		if t, m, err = s.message(r, a, id); err != nil {
			return list, err
		}
		if !t.isAuthor(m) {
			if err := allow(SeeEdits, t.room, t.rank); err != nil {
				return list, err
			}
		}
		if m.IsDeleted() {
			return list, nil
		}
		if list.Edits, err = r.Edits(m.ID, after, limit+1); err != nil {
			return list, fmt.Errorf("read earlier texts: %w", err)
		}
		if len(list.Edits) > limit {
			list.Edits = list.Edits[:limit]
			list.Next = list.Edits[limit-1].ID
		}
		return list, nil
	})
	if err == nil && t.byAdminRight(SeeRoom) {
		err = s.recordReading(ctx, a, t)
	}
	return list, err
}
