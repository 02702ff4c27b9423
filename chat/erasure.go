package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"parley/models"
)

const (
	// eraseStep is how many messages or entries one command rewrites: few enough that no sender
	// notices.
	eraseStep = 200
	// nonceStep is how many nonces one command deletes.
	nonceStep = 1000
	// searchStep is how many entries one snapshot looks through.
	searchStep = 1000
)

// clearAway does what a deletion leaves for later. It may have been done in part before.
func (s *Service) clearAway(ctx context.Context, u Unfinished) error {
	for more := true; more; {
		err := s.step(ctx, func(tx Tx) (err error) {
			more, err = tx.DeleteNoncesOf(u.UserID, nonceStep)
			return err
		})
		if err != nil {
			return fmt.Errorf("delete nonces: %w", err)
		}
	}
	if !u.Erase {
		if err := s.forgetDetails(ctx, u.UserID); err != nil {
			return fmt.Errorf("forget the details of a visitor: %w", err)
		}
		return nil
	}
	if err := s.eraseMessages(ctx, u.UserID); err != nil {
		return fmt.Errorf("erase messages: %w", err)
	}
	if err := s.eraseReactions(ctx, u.UserID); err != nil {
		return fmt.Errorf("erase reactions: %w", err)
	}
	if err := s.step(ctx, func(tx Tx) error { return tx.EraseConversations(u.UserID) }); err != nil {
		return fmt.Errorf("erase conversations: %w", err)
	}
	if err := s.eraseNames(ctx, u.UserID); err != nil {
		return fmt.Errorf("erase names: %w", err)
	}
	return nil
}

// eraseMessages makes tombstones of all messages of the user, who sends no more.
func (s *Service) eraseMessages(ctx context.Context, userID int64) error {
	for after := (MessageKey{}); ; {
		live, err := view(ctx, s, func(r Reader) ([]MessageKey, error) {
			return r.LiveMessages(userID, after, eraseStep)
		})
		if err != nil || len(live) == 0 {
			return err
		}
		ids := make([]int64, len(live))
		for i, message := range live {
			ids[i] = message.ID
		}
		err = s.step(ctx, func(tx Tx) error {
			return bury(tx, ids, models.DeletedName(userID))
		})
		if err != nil {
			return err
		}
		after = live[len(live)-1]
	}
}

// bury makes messages tombstones, in the history and in the log, where their sender is called by that name
// from now on, or as before where it is empty.
func bury(tx Tx, ids []int64, sender string) error {
	if err := tx.BuryMessages(ids); err != nil {
		return fmt.Errorf("bury messages: %w", err)
	}
	entries, err := tx.EntriesOf(ids)
	if err != nil {
		return err
	}
	return tx.RewriteEntries(entries, func(e *models.Event) error {
		return e.Bury(tx.Now(), sender)
	})
}

// forgetDetails takes what a visitor told before the chat out of what the log has of their conversations. Whoever
// came otherwise told nothing.
func (s *Service) forgetDetails(ctx context.Context, userID int64) error {
	_, err := view(ctx, s, func(r Reader) (models.Conversation, error) {
		c, err := r.LastConversation(userID)
		if err == nil && c.Visitor.Role != models.RoleVisitor {
			err = ErrNotFound
		}
		return c, err
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	for id, more := userID, true; more; {
		page, err := view(ctx, s, func(r Reader) ([]models.Event, error) { return r.PeopleEntries(0, id, searchStep) })
		if err != nil {
			return err
		}
		var found []int64
		more = len(page) > 0
		for i := range page {
			if e := &page[i]; e.RoomID != 0 { // all of no room come first
				more = false
				break
			} else if e.Type == models.SupportUpdated && e.Names(userID) {
				found = append(found, e.ID)
			}
			id = page[i].ID
		}
		for ids := range slices.Chunk(found, eraseStep) {
			err := s.step(ctx, func(tx Tx) error {
				return tx.RewriteEntries(ids, func(e *models.Event) error { return e.ForgetDetails(userID) })
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseNames takes the user's names out of what else the log has: their registration, and all that happened
// to them, whoever was told of it.
func (s *Service) eraseNames(ctx context.Context, userID int64) error {
	found := []int64{userID}
	for room, id := int64(-1), int64(0); ; {
		page, err := view(ctx, s, func(r Reader) ([]models.Event, error) {
			return r.PeopleEntries(room, id, searchStep)
		})
		if err != nil {
			return err
		}
		for i := range page {
			if page[i].Names(userID) {
				found = append(found, page[i].ID)
			}
			room, id = page[i].RoomID, page[i].ID
		}
		for ; len(found) >= eraseStep || len(page) == 0 && len(found) > 0; found = found[min(len(found), eraseStep):] {
			if err := s.forget(ctx, userID, found[:min(len(found), eraseStep)]); err != nil {
				return err
			}
		}
		if len(page) == 0 {
			return nil
		}
	}
}

func (s *Service) forget(ctx context.Context, userID int64, ids []int64) error {
	return s.step(ctx, func(tx Tx) error {
		return tx.RewriteEntries(ids, func(e *models.Event) error { return e.Forget(userID, tx.Now()) })
	})
}
