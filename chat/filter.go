package chat

import (
	"context"

	"parley/models"
)

// RoomIDs gives the rooms of the references that are there and may be seen. What is not (any more)
// there is left out: a filter by it matches nothing, and its stream does not die of a rename.
func (s *Service) RoomIDs(ctx context.Context, a Actor, refs []string) ([]int64, error) {
	return view(ctx, s, func(r Reader) ([]int64, error) {
		ids := make([]int64, 0, len(refs))
		for _, ref := range refs {
			t, err := s.target(r, a, ref)
			switch {
			case err == nil:
				ids = append(ids, t.room.ID)
			case models.CodeOf(err) != models.CodeNotFound:
				return nil, err
			}
		}
		return ids, nil
	})
}
