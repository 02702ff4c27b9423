package chat

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"parley/models"
)

const (
	// RatingTime is how long after its end a conversation can be rated.
	RatingTime = 7 * 24 * time.Hour
	// MaxRatingComment is the longest comment in characters.
	MaxRatingComment = 1000
)

// RatingWriter writes what visitors think of their conversations.
type RatingWriter interface {
	// SaveRating writes it in the place of the one before.
	SaveRating(conversationID int64, r models.Rating) error
}

// Rate says what the visitor thinks of their conversation, in the place of what they thought before. The same again
// changes nothing.
func (s *Service) Rate(ctx context.Context, a Actor, conversationID int64, score int, comment string) (models.Conversation, error) {
	if err := checkRating(score, comment); err != nil {
		return models.Conversation{}, err
	}
	return do(ctx, s, func(tx Tx) (models.Conversation, error) {
		p, err := s.conversation(tx, a, conversationID)
		if err != nil {
			return p.c, err
		}
		if err := p.mayRate(tx.Now()); err != nil {
			return p.c, err
		}
		before := p.c.Rating
		if before != nil && before.Score == score && before.Comment == comment {
			return p.shown(), nil
		}
		p.c.Rating = &models.Rating{Score: score, Comment: comment, CreatedAt: tx.Now()}
		if before != nil {
			p.c.Rating.CreatedAt = before.CreatedAt
		}
		if err := tx.SaveRating(p.c.ID, *p.c.Rating); err != nil {
			return p.c, fmt.Errorf("save rating: %w", err)
		}
		var step *models.SupportStep
		if before == nil {
			step = &models.SupportStep{Kind: models.StepRated, Score: score}
		}
		_, err = tellStep(tx, p.c, step)
		return p.shown(), err
	})
}

func checkRating(score int, comment string) error {
	if score < 1 || score > 5 {
		return models.Invalid("score", "must be 1 to 5")
	}
	if err := models.CheckText("comment", comment, MaxRatingComment*utf8.UTFMax); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(comment); n > MaxRatingComment {
		return models.Invalid("comment", "has %d characters, at most %d are allowed", n, MaxRatingComment)
	}
	return nil
}

func (p party) mayRate(now models.Time) error {
	if !p.isVisitor() {
		return models.Refuse(models.CodeForbidden, "only its visitor can rate a conversation")
	}
	if !p.c.Open() && now.After(p.c.ClosedAt.Add(RatingTime)) {
		return models.Refuse(models.CodeConflict, "the conversation ended more than %d days ago: it is not rated any more", RatingTime/(24*time.Hour))
	}
	return nil
}
