package chat

import (
	"context"
	"fmt"

	"parley/models"
)

// ReactionReader reads who reacted with what. Emoji are in the one form that models.ParseEmoji gives.
type ReactionReader interface {
	// Reacted says whether the user, and whether anybody, has reacted to the message with the emoji.
	Reacted(messageID, userID int64, emoji string) (own, known bool, err error)
	// EmojiOf counts the different emoji that a message has.
	EmojiOf(messageID int64) (int, error)
	// Reactions gives a message's reactions with id > after, by id; where emoji is not empty, those with it alone.
	Reactions(messageID int64, emoji string, after int64, limit int) ([]models.Reacted, error)
	// ReactionsOf gives the user's own reactions with after < id ≤ upTo, by id, without the user.
	ReactionsOf(userID, after, upTo int64, limit int) ([]models.Reacted, error)
}

// ReactionWriter writes reactions.
type ReactionWriter interface {
	InsertReaction(r models.Reacted) error
	// DeleteReaction says whether there was one.
	DeleteReaction(messageID, userID int64, emoji string) (was bool, err error)
	// DeleteReactionsOf removes at most limit reactions of the user and says whether there may be more.
	DeleteReactionsOf(userID int64, limit int) (more bool, err error)
}

// React adds the actor's reaction to a message; one that is there already changes nothing.
func (s *Service) React(ctx context.Context, a Actor, messageID int64, emoji string) error {
	emoji, err := models.ParseEmoji(emoji)
	if err != nil {
		return err
	}
	return s.store.Do(ctx, func(tx Tx) error {
		t, m, err := s.message(tx, a, messageID)
		if err != nil {
			return err
		}
		if err := mayTakePart(tx, t, React); err != nil {
			return err
		}
		if m.IsDeleted() {
			return errDeleted()
		}
		own, known, err := tx.Reacted(m.ID, t.user.ID, emoji)
		if err != nil || own {
			return err
		}
		if !known {
			if err := takesAnotherEmoji(tx, m.ID); err != nil {
				return err
			}
		}
		ev, err := tellReaction(tx, models.ReactionAdded, t, m, emoji)
		if err != nil {
			return err
		}
		err = tx.InsertReaction(models.Reacted{ID: ev.ID, MessageID: m.ID, Emoji: emoji, User: t.user})
		if err != nil {
			return fmt.Errorf("insert reaction: %w", err)
		}
		return nil
	})
}

// takesAnotherEmoji refuses an emoji that is new to a message which has as many as it can.
func takesAnotherEmoji(r Reader, messageID int64) error {
	n, err := r.EmojiOf(messageID)
	if err != nil {
		return fmt.Errorf("count emoji: %w", err)
	}
	if n >= models.MaxEmoji {
		return models.Refuse(models.CodeConflict,
			"the message has %d different emoji, which is as many as it takes: use one of these", n)
	}
	return nil
}

// TakeReactionBack removes the actor's reaction to a message; where there is none, nothing changes. It takes no
// right but to see the message: what one has said of one's own will, one may take back, also when muted.
func (s *Service) TakeReactionBack(ctx context.Context, a Actor, messageID int64, emoji string) error {
	emoji, err := models.ParseEmoji(emoji)
	if err != nil {
		return err
	}
	return s.store.Do(ctx, func(tx Tx) error {
		t, m, err := s.message(tx, a, messageID)
		if err != nil {
			return err
		}
		was, err := tx.DeleteReaction(m.ID, t.user.ID, emoji)
		if err != nil {
			return fmt.Errorf("delete reaction: %w", err)
		}
		if !was {
			return nil
		}
		_, err = tellReaction(tx, models.ReactionRemoved, t, m, emoji)
		return err
	})
}

func tellReaction(tx Tx, kind models.EventType, t target, m models.Message, emoji string) (models.Event, error) {
	ev, err := tx.Append(models.Event{
		Type: kind, RoomID: t.room.ID, Audience: t.room.Audience(),
	}, models.ReactionData{MessageID: m.ID, Emoji: emoji, User: t.user.ForEvent()})
	if err != nil {
		return ev, fmt.Errorf("append %s: %w", kind, err)
	}
	return ev, nil
}

// ReactionList is one page of who reacted to a message. Next is the id to go on from, 0 at the end.
type ReactionList struct {
	Reactions []models.Reacted
	Next      int64
}

// Reactions gives who reacted to a message, the earliest first; where emoji is not empty, with it alone.
func (s *Service) Reactions(ctx context.Context, a Actor, messageID int64, emoji string, after int64, limit int) (ReactionList, error) {
	if emoji != "" {
		var err error
		if emoji, err = models.ParseEmoji(emoji); err != nil {
			return ReactionList{}, err
		}
	}
	var t target
	out, err := view(ctx, s, func(r Reader) (out ReactionList, err error) {
		if t, _, err = s.message(r, a, messageID); err != nil {
			return out, err
		}
		if out.Reactions, err = r.Reactions(messageID, emoji, after, limit+1); err != nil {
			return out, fmt.Errorf("list reactions: %w", err)
		}
		if len(out.Reactions) > limit {
			out.Reactions = out.Reactions[:limit]
			out.Next = out.Reactions[limit-1].ID
		}
		return out, nil
	})
	if err == nil && t.byAdminRight(SeeRoom) {
		err = s.recordReading(ctx, a, t)
	}
	if err != nil {
		return ReactionList{}, err
	}
	return out, nil
}

// Reactions gives with what the account reacted to which messages, wherever it was, the earliest first.
func (e *Export) Reactions(ctx context.Context, yield func(models.Reacted) error) error {
	return pages(ctx, e, yield, func(r Reader, last *models.Reacted) ([]models.Reacted, error) {
		var after int64
		if last != nil {
			after = last.ID
		}
		return r.ReactionsOf(e.actor.User.ID, after, e.Head, exportPage)
	})
}

// eraseReactions takes the user's reactions back. Nothing is said of each: the event user.deleted says so of all.
func (s *Service) eraseReactions(ctx context.Context, userID int64) error {
	for more := true; more; {
		err := s.step(ctx, func(tx Tx) (err error) {
			more, err = tx.DeleteReactionsOf(userID, eraseStep)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
