package api

import (
	"context"

	"parley/models"
)

// ListSessions gives the own sessions.
func (s *server) ListSessions(ctx context.Context, r ListSessionsRequestObject) (ListSessionsResponseObject, error) {
	before, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, err := s.chat.Sessions(ctx, actor, before, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	wire := func(session models.Session) OwnSession {
		return OwnSession{
			ID: session.ID, CreatedAt: session.CreatedAt, LastUsedAt: session.LastUsedAt, ExpiresAt: session.ExpiresAt,
			Agent: session.Agent, Address: session.Address, Current: session.ID == actor.Session.ID,
		}
	}
	return ListSessions200JSONResponse{Body: SessionList{
		Sessions: each(list.Sessions, wire), NextPage: idToken(list.Next),
	}}, nil
}

// EndSession ends one of the own sessions.
func (s *server) EndSession(ctx context.Context, r EndSessionRequestObject) (EndSessionResponseObject, error) {
	ctx, actor := call(ctx)
	current, err := s.chat.EndSession(ctx, actor, r.Session)
	if err != nil {
		return nil, err
	}
	var out EndSession204Response
	if current {
		cookie := noCookie(aboutOf(ctx).secure).String()
		out.Headers.SetCookie = &cookie
	}
	return out, nil
}
