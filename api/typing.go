package api

import "context"

// StartTyping tells the others in a room that the caller is writing.
func (s *server) StartTyping(ctx context.Context, r StartTypingRequestObject) (StartTypingResponseObject, error) {
	ctx, actor := call(ctx)
	if err := s.chat.Typing(ctx, actor, r.Room); err != nil {
		return nil, err
	}
	return StartTyping204Response{}, nil
}
