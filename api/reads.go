package api

import "context"

// MarkRead moves the caller's read mark.
func (s *server) MarkRead(ctx context.Context, r MarkReadRequestObject) (MarkReadResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	if err := s.chat.MarkRead(ctx, actor, r.Room, body.MessageID); err != nil {
		return nil, err
	}
	return MarkRead204Response{}, nil
}
