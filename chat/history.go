package chat

import (
	"context"
	"errors"
	"fmt"

	"parley/models"
)

// History gives a piece of a room's messages. Of a direct conversation that nobody has begun it
// is empty. That an admin reads a channel of others is written down, once an hour.
func (s *Service) History(ctx context.Context, a Actor, room string, page models.Page) (models.History, error) {
	if page.HasAround && (page.HasBefore || page.HasAfter) {
		return models.History{}, models.Invalid("around", "cannot go with before or after")
	}
	if page.HasAfter && page.HasBefore && page.After >= page.Before {
		return models.History{}, models.Invalid("after", "must be less than before")
	}
	var t target
	h, err := view(ctx, s, func(r Reader) (models.History, error) {
		head, err := r.Head()
		if err != nil {
			return models.History{}, fmt.Errorf("read head: %w", err)
		}
		t, err = s.target(r, a, room)
		if errors.Is(err, errNoDirect) {
			return models.History{Cursor: head}, nil
		}
		if err != nil {
			return models.History{}, err
		}
		page.Since = t.since()
		h, err := r.Messages(t.room.ID, page)
		if err != nil {
			return h, err
		}
		h.Cursor = head
		return h, r.Fill(h.Messages, a.User.ID)
	})
	if err == nil && t.byAdminRight(SeeRoom) {
		err = s.recordReading(ctx, a, t)
	}
	if err != nil {
		return models.History{}, err
	}
	return h, nil
}
