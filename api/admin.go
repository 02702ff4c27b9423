package api

import (
	"context"
	"time"

	"parley/chat"
	"parley/models"
)

// SetUserRole gives an account another role.
func (s *server) SetUserRole(ctx context.Context, r SetUserRoleRequestObject) (SetUserRoleResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	user, err := s.chat.SetUserRole(ctx, actor, r.User, models.Role(body.Role))
	if err != nil {
		return nil, err
	}
	return SetUserRole200JSONResponse{OneUserJSONResponse{Body: wireUser(user)}}, nil
}

// KickUser ends all sessions of a user.
func (s *server) KickUser(ctx context.Context, r KickUserRequestObject) (KickUserResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		body = KickRequest{} // it is optional
	}
	ctx, actor := call(ctx)
	if err := s.chat.Kick(ctx, actor, r.User, deref(body.Reason)); err != nil {
		return nil, err
	}
	return KickUser204Response{}, nil
}

// BanUser bans an account.
func (s *server) BanUser(ctx context.Context, r BanUserRequestObject) (BanUserResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		body = BanUserRequest{} // it is optional
	}
	end, err := until(ctx, body.Until)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	ban, err := s.chat.BanUser(ctx, actor, r.User, chat.NewBan{
		Until: end, Reason: deref(body.Reason), Addresses: deref(body.Addresses),
	})
	if err != nil {
		return nil, err
	}
	return BanUser200JSONResponse{Body: wireBan(ban)}, nil
}

// until is when a ban or a mute ends, with the precision that times have here. The generated code leaves times of forms
// out: they are read from the form.
func until(ctx context.Context, t *models.Time) (models.Time, error) {
	if t != nil {
		return models.At(t.Time), nil
	}
	form := aboutOf(ctx).form
	if !form.Has("until") {
		return models.Time{}, nil
	}
	parsed, err := time.Parse(time.RFC3339Nano, form.Get("until"))
	if err != nil {
		return models.Time{}, models.Invalid("until", "must be a time such as 2006-01-02T15:04:05Z")
	}
	return models.At(parsed), nil
}

// UnbanUser lifts an account's ban.
func (s *server) UnbanUser(ctx context.Context, r UnbanUserRequestObject) (UnbanUserResponseObject, error) {
	ctx, actor := call(ctx)
	if err := s.chat.UnbanUser(ctx, actor, r.User); err != nil {
		return nil, err
	}
	return UnbanUser204Response{}, nil
}

// BanAddress bans an address or a network.
func (s *server) BanAddress(ctx context.Context, r BanAddressRequestObject) (BanAddressResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	end, err := until(ctx, body.Until)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	ban, made, err := s.chat.BanAddress(ctx, actor, body.Address, chat.NewBan{
		Until: end, Reason: deref(body.Reason),
	})
	if err != nil {
		return nil, err
	}
	if made {
		return BanAddress201JSONResponse{Body: wireBan(ban)}, nil
	}
	return BanAddress200JSONResponse{Body: wireBan(ban)}, nil
}

// ListBans gives the bans in force.
func (s *server) ListBans(ctx context.Context, r ListBansRequestObject) (ListBansResponseObject, error) {
	before, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	bans, next, err := s.chat.Bans(ctx, actor, before, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return ListBans200JSONResponse{Body: BanList{Bans: each(bans, wireBan), NextPage: idToken(next)}}, nil
}

// LiftBan lifts a ban by its id.
func (s *server) LiftBan(ctx context.Context, r LiftBanRequestObject) (LiftBanResponseObject, error) {
	id, ok := models.ParseID(r.Ban)
	if !ok {
		return nil, models.NotFound("ban")
	}
	ctx, actor := call(ctx)
	if err := s.chat.LiftBan(ctx, actor, id); err != nil {
		return nil, err
	}
	return LiftBan204Response{}, nil
}

// ListAudit gives what was done with an admin's rights.
func (s *server) ListAudit(ctx context.Context, r ListAuditRequestObject) (ListAuditResponseObject, error) {
	before, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	entries, next, err := s.chat.Audit(ctx, actor, chat.AuditQuery{
		Actor: deref(r.Params.Actor), Action: models.AuditAction(deref(r.Params.Action)),
		Before: before, Limit: limitOf(r.Params.Limit),
	})
	if err != nil {
		return nil, err
	}
	return ListAudit200JSONResponse{Body: AuditList{Entries: each(entries, wireAudit), NextPage: idToken(next)}}, nil
}

func wireBan(b models.Ban) Ban {
	out := Ban{ID: b.ID, Kind: BanKindAccount, CreatedAt: b.CreatedAt, By: auditActor(b.ByID, b.ByName), Reason: notEmpty(b.Reason)}
	if b.Network != "" {
		out.Kind, out.Address = BanKindAddress, &b.Network
	}
	out.User = peer(b.UserID, b.UserName)
	if !b.Until.IsZero() {
		out.Until = &b.Until
	}
	return out
}

func wireAudit(e models.AuditEntry) AuditEntry {
	return AuditEntry{
		ID: e.ID, At: e.At, Actor: auditActor(e.ActorID, e.ActorName), Action: AuditAction(e.Action),
		User: peer(e.UserID, e.UserName), Room: peer(e.RoomID, e.RoomName), TargetAddress: notEmpty(e.Network),
		Detail: e.Detail, Address: notEmpty(e.Address), Via: AuditVia(e.Via),
	}
}

// auditActor names who did something; at the command line nobody has an id.
func auditActor(id int64, name string) AuditActor {
	a := AuditActor{Name: name}
	if id != 0 {
		a.ID = &id
	}
	return a
}

// peer names a user or a room, nil where there is none.
func peer(id int64, name string) *Peer {
	if id == 0 {
		return nil
	}
	return &Peer{ID: id, Name: name}
}

// notEmpty leaves out a text that is empty.
func notEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
