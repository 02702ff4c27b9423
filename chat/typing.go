package chat

import "context"

// Typing tells the others in the room that the actor is writing there, who must be one who may send to it. Nothing of
// it is kept, so that the rights are those of one snapshot and no command is needed.
func (s *Service) Typing(ctx context.Context, a Actor, room string) error {
	t, err := view(ctx, s, func(r Reader) (target, error) {
		t, err := s.target(r, a, room)
		if err != nil {
			return t, err
		}
		return t, mayTakePart(r, t, SendMessage)
	})
	if err != nil {
		return err
	}
	s.whisper.Typing(t.room.ID, t.user.ForEvent())
	return nil
}
