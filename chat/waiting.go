package chat

import (
	"context"
	"fmt"
	"strconv"

	"parley/models"
)

// What waits for somebody is what others wrote to them, in conversations of two, beyond their read marks: for protocols that tell
// of messages and know no histories.

const (
	// waitingIDs is how many messages are looked up at once, waitingPage how many are read.
	waitingIDs  = 10_000
	waitingPage = 50
)

// UnheardReader reads what waits for somebody.
type UnheardReader interface {
	// Unheard gives ids of messages, after < id <= upTo, that others wrote to the user in conversations of two beyond the
	// user's read marks, by id.
	Unheard(userID, after, upTo int64, limit int) ([]int64, error)
	// MessagesByID gives those of the messages that exist, by id.
	MessagesByID(ids []int64) ([]models.Message, error)
}

// EachWaiting has hear told of each message up to an id that waits for the actor as it begins, by id. What is deleted meanwhile is left out.
// It moves no read mark: see Heard. hear's error ends it.
func (s *Service) EachWaiting(ctx context.Context, a Actor, upTo int64, hear func(m models.Message) error) error {
	for after := int64(0); ; {
		ids, err := view(ctx, s, func(r Reader) ([]int64, error) { return r.Unheard(a.User.ID, after, upTo, waitingIDs) })
		if err != nil {
			return fmt.Errorf("look for waiting messages: %w", err)
		}
		last := len(ids) < waitingIDs
		for len(ids) > 0 {
			page := ids[:min(len(ids), waitingPage)]
			ids, after = ids[len(page):], page[len(page)-1]
			if err := s.eachOf(ctx, page, hear); err != nil {
				return err
			}
		}
		if last {
			return nil
		}
	}
}

func (s *Service) eachOf(ctx context.Context, ids []int64, hear func(m models.Message) error) error {
	messages, err := view(ctx, s, func(r Reader) ([]models.Message, error) { return r.MessagesByID(ids) })
	if err != nil {
		return fmt.Errorf("read waiting messages: %w", err)
	}
	for i := range messages {
		if messages[i].IsDeleted() {
			continue
		}
		if err := hear(messages[i]); err != nil {
			return err
		}
	}
	return nil
}

// Heard moves the actor's read marks forward to the messages, of which there is one for each room. What is no more is left out.
func (s *Service) Heard(ctx context.Context, a Actor, upTo map[int64]int64) error {
	moved, err := do(ctx, s, func(tx Tx) (map[int64]int64, error) {
		moved := make(map[int64]int64, len(upTo))
		for room, message := range upTo {
			t, err := s.readable(tx, a, strconv.FormatInt(room, 10), message)
			if code := models.CodeOf(err); err != nil && (code == models.CodeNotFound || code == models.CodeValidationFailed) {
				continue
			}
			if err != nil {
				return nil, err
			}
			did, err := tx.MoveRead(t.user.ID, room, message)
			if err != nil {
				return nil, fmt.Errorf("move read mark: %w", err)
			}
			if did {
				moved[room] = message
			}
		}
		return moved, nil
	})
	for room, message := range moved {
		s.whisper.ReadMoved(a.User.ID, room, message)
	}
	return err
}
