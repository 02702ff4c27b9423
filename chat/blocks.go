package chat

import (
	"context"
	"fmt"

	"parley/models"
)

// BlockList is one page of whom the actor blocks. Next is the user id to go on from, 0 at the end.
type BlockList struct {
	Blocks []models.Block
	Next   int64
}

// Blocks gives whom the actor blocks by user id beyond after.
func (s *Service) Blocks(ctx context.Context, a Actor, after int64, limit int) (BlockList, error) {
	if err := notVisitor(a.User); err != nil {
		return BlockList{}, err
	}
	return view(ctx, s, func(r Reader) (out BlockList, err error) {
		if out.Blocks, err = r.Blocks(a.User.ID, after, limit+1); err != nil {
			return out, fmt.Errorf("list blocks: %w", err)
		}
		if len(out.Blocks) > limit {
			out.Blocks = out.Blocks[:limit]
			out.Next = out.Blocks[limit-1].User.ID
		}
		return out, nil
	})
}

// Block ends direct messages between the actor and a user; who is blocked already stays so.
func (s *Service) Block(ctx context.Context, a Actor, ref string) error {
	return s.store.Do(ctx, func(tx Tx) error {
		user, other, err := blockable(tx, a, ref)
		if err != nil {
			return err
		}
		if err := tx.InsertBlock(user.ID, other.ID); err != nil {
			return fmt.Errorf("insert block: %w", err)
		}
		return nil
	})
}

// Unblock takes the actor's block of a user back; where there is none, nothing changes.
func (s *Service) Unblock(ctx context.Context, a Actor, ref string) error {
	return s.store.Do(ctx, func(tx Tx) error {
		user, other, err := blockable(tx, a, ref)
		if err != nil {
			return err
		}
		if err := tx.DeleteBlock(user.ID, other.ID); err != nil {
			return fmt.Errorf("delete block: %w", err)
		}
		return nil
	})
}

// blockable finds the actor and whom they refer to, who must be somebody that they could write to.
func blockable(tx Tx, a Actor, ref string) (user, other models.User, err error) {
	if user, err = acting(tx, a); err != nil {
		return user, other, err
	}
	if err := notVisitor(user); err != nil {
		return user, other, err
	}
	if other, err = lookupUser(tx, ref); err != nil {
		return user, other, err
	}
	if other.Role == models.RoleVisitor {
		return user, other, models.NotFound("user")
	}
	if other.ID == user.ID {
		return user, other, models.Invalid("user", "is yourself")
	}
	return user, other, nil
}

// notBlocked refuses a message between two of whom one blocks the other. It reads alike for both, and does not say
// who blocks whom.
func notBlocked(r Reader, a, b int64) error {
	blocked, err := r.Blocked(a, b)
	if err != nil {
		return fmt.Errorf("look for a block: %w", err)
	}
	if blocked {
		return models.Refuse(models.CodeForbidden, "you and this person do not take direct messages from each other")
	}
	return nil
}
