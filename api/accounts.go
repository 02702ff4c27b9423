package api

import (
	"context"

	"parley/chat"
	"parley/models"
)

// either gives the body that was sent, as JSON or as a form.
func either[T any](jsonBody, form *T) (T, error) {
	switch {
	case jsonBody != nil:
		return *jsonBody, nil
	case form != nil:
		return *form, nil
	}
	var none T
	return none, errNoBody
}

// session is the answer with a new session, and its cookie, which only the own origin gets.
func (s *server) session(ctx context.Context, l chat.Login) (body Session, cookie *string) {
	body = Session{
		User: wireUser(s.chat.Profile(l.Actor)), Token: l.Token, ExpiresAt: l.Actor.Session.ExpiresAt,
	}
	a := aboutOf(ctx)
	if s.guesses != nil {
		s.guesses.Right(l.Actor.User.Key, a.address)
	}
	if a.foreign {
		return body, nil
	}
	set := sessionCookie(l.Token, a.secure).String()
	return body, &set
}

// Register makes an account.
func (s *server) Register(ctx context.Context, r RegisterRequestObject) (RegisterResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	from := device(ctx)
	ctx, _ = call(ctx)
	login, err := s.chat.Register(ctx, body.Name, body.Password, from)
	if err != nil {
		return nil, err
	}
	var out Register201JSONResponse
	out.Body, out.Headers.SetCookie = s.session(ctx, login)
	return out, nil
}

// Guest makes an account without password.
func (s *server) Guest(ctx context.Context, r GuestRequestObject) (GuestResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		body = GuestRequest{} // it is optional
	}
	from := device(ctx)
	ctx, _ = call(ctx)
	login, err := s.chat.Guest(ctx, deref(body.Name), from)
	if err != nil {
		return nil, err
	}
	var out Guest201JSONResponse
	out.Body, out.Headers.SetCookie = s.session(ctx, login)
	return out, nil
}

// Login opens a session.
func (s *server) Login(ctx context.Context, r LoginRequestObject) (LoginResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	from := device(ctx)
	ctx, _ = call(ctx)
	if err := s.guess(ctx, body.Name); err != nil {
		return nil, err
	}
	login, err := s.chat.Login(ctx, body.Name, body.Password, from)
	if err != nil {
		return nil, err
	}
	var out Login200JSONResponse
	out.Body, out.Headers.SetCookie = s.session(ctx, login)
	return out, nil
}

// Logout ends the session of the request.
func (s *server) Logout(ctx context.Context, _ LogoutRequestObject) (LogoutResponseObject, error) {
	ctx, actor := call(ctx)
	if err := s.chat.Logout(ctx, actor); err != nil {
		return nil, err
	}
	cookie := noCookie(aboutOf(ctx).secure).String()
	return Logout204Response{Headers: Logout204ResponseHeaders{SetCookie: &cookie}}, nil
}

// GetMe gives the own account.
func (s *server) GetMe(ctx context.Context, _ GetMeRequestObject) (GetMeResponseObject, error) {
	ctx, actor := call(ctx)
	me, err := s.chat.Me(ctx, actor)
	if err != nil {
		return nil, err
	}
	return GetMe200JSONResponse{OneUserJSONResponse{Body: wireUser(me)}}, nil
}

// UpdateMe changes the own profile.
func (s *server) UpdateMe(ctx context.Context, r UpdateMeRequestObject) (UpdateMeResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	me, err := s.chat.UpdateMe(ctx, actor, chat.ProfileChange{
		DisplayName: body.DisplayName, StatusText: body.StatusText,
	})
	if err != nil {
		return nil, err
	}
	return UpdateMe200JSONResponse{Body: wireUser(me)}, nil
}

// ChangePassword changes the own password and ends all other sessions.
func (s *server) ChangePassword(ctx context.Context, r ChangePasswordRequestObject) (ChangePasswordResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	if err := s.chat.ChangePassword(ctx, actor, body.Current, body.New); err != nil {
		return nil, err
	}
	return ChangePassword204Response{}, nil
}

// DeleteMe deletes the account.
func (s *server) DeleteMe(ctx context.Context, r DeleteMeRequestObject) (DeleteMeResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		body = DeleteMeRequest{} // it is optional
	}
	ctx, actor := call(ctx)
	if err := s.chat.DeleteAccount(ctx, actor, deref(body.Password), deref(body.Erase)); err != nil {
		return nil, err
	}
	cookie := noCookie(aboutOf(ctx).secure).String()
	return DeleteMe204Response{Headers: DeleteMe204ResponseHeaders{SetCookie: &cookie}}, nil
}

// Rename gives the caller another name.
func (s *server) Rename(ctx context.Context, r RenameRequestObject) (RenameResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	user, err := s.chat.Rename(ctx, actor, body.Name)
	if err != nil {
		return nil, err
	}
	return Rename200JSONResponse{Body: wireUser(user)}, nil
}

// CreateTicket makes a ticket for a stream.
func (s *server) CreateTicket(ctx context.Context, _ CreateTicketRequestObject) (CreateTicketResponseObject, error) {
	ctx, actor := call(ctx)
	ticket, until, err := s.chat.NewTicket(ctx, actor)
	if err != nil {
		return nil, err
	}
	return CreateTicket201JSONResponse{Body: Ticket{Ticket: ticket, ExpiresAt: until}}, nil
}

// GetUser gives one user.
func (s *server) GetUser(ctx context.Context, r GetUserRequestObject) (GetUserResponseObject, error) {
	ctx, actor := call(ctx)
	user, err := s.chat.User(ctx, actor, r.User)
	if err != nil {
		return nil, err
	}
	return GetUser200JSONResponse{OneUserJSONResponse{Body: wireUser(user)}}, nil
}

// ListUsers finds users by the beginning of their name.
func (s *server) ListUsers(ctx context.Context, r ListUsersRequestObject) (ListUsersResponseObject, error) {
	after, err := afterKey(r.Params.Page)
	if err != nil {
		return nil, err
	}
	prefix := deref(r.Params.Q)
	if err := models.CheckText("q", prefix, 4*models.MaxName); err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	users, next, err := s.chat.Users(ctx, actor, prefix, after, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	list := UserList{Users: each(users, wireUser)}
	if next != "" {
		list.NextPage = pageToken(next)
	}
	return ListUsers200JSONResponse{Body: list}, nil
}

// Who gives who is online.
func (s *server) Who(ctx context.Context, r WhoRequestObject) (WhoResponseObject, error) {
	after, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	who, err := s.chat.Who(ctx, actor, deref(r.Params.Room), after, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return Who200JSONResponse{Body: WhoList{
		Users: each(who.Users, wirePresent), Total: who.Total, Cursor: who.Cursor, NextPage: idToken(who.Next),
	}}, nil
}

func wirePresent(p chat.Present) WhoUser {
	return WhoUser{
		ID: p.ID, Name: p.Name, Role: Role(p.Role), Status: UserStatus(p.Status),
		OnlineSince: p.OnlineSince, LastActiveAt: p.LastActiveAt,
	}
}
