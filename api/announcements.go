package api

import "context"

// Announce says something to everyone.
func (s *server) Announce(ctx context.Context, r AnnounceRequestObject) (AnnounceResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	m, repeated, err := s.chat.Announce(ctx, actor, body.Text, deref(body.Nonce))
	if err != nil {
		return nil, err
	}
	if repeated {
		return Announce200JSONResponse{Body: wireMessage(m)}, nil
	}
	return Announce201JSONResponse{Body: wireMessage(m)}, nil
}
