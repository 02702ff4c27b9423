package api

import (
	"context"

	"parley/chat"
	"parley/models"
)

// ListInvites gives a room's live invitations.
func (s *server) ListInvites(ctx context.Context, r ListInvitesRequestObject) (ListInvitesResponseObject, error) {
	before, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, next, err := s.chat.Invites(ctx, actor, r.Room, before, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return ListInvites200JSONResponse{Body: InviteList{Invites: each(list, wireInvite), NextPage: idToken(next)}}, nil
}

// CreateInvite makes an invitation.
func (s *server) CreateInvite(ctx context.Context, r CreateInviteRequestObject) (CreateInviteResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		body = CreateInviteRequest{} // it is optional
	}
	ctx, actor := call(ctx)
	inv, code, err := s.chat.CreateInvite(ctx, actor, r.Room, chat.NewInvite{MaxUses: body.MaxUses, ExpiresIn: body.ExpiresIn})
	if err != nil {
		return nil, err
	}
	w := wireInvite(inv)
	return CreateInvite201JSONResponse{Body: NewInvite{
		ID: w.ID, Code: code, RoomID: w.RoomID, MaxUses: w.MaxUses, Uses: w.Uses, ExpiresAt: w.ExpiresAt, CreatedAt: w.CreatedAt, By: w.By,
	}}, nil
}

// RevokeInvite ends an invitation.
func (s *server) RevokeInvite(ctx context.Context, r RevokeInviteRequestObject) (RevokeInviteResponseObject, error) {
	ctx, actor := call(ctx)
	if err := s.chat.RevokeInvite(ctx, actor, r.Room, r.Invite); err != nil {
		return nil, err
	}
	return RevokeInvite204Response{}, nil
}

// GetInvite gives what a code invites to.
func (s *server) GetInvite(ctx context.Context, r GetInviteRequestObject) (GetInviteResponseObject, error) {
	ctx, actor := call(ctx)
	i, err := s.chat.Invitation(ctx, actor, r.Code)
	if err != nil {
		return nil, err
	}
	return GetInvite200JSONResponse{Body: Invitation{
		Room: InvitedRoom{ID: i.Room.ID, Name: i.Room.Name, Topic: i.Room.Topic, MemberCount: i.Room.MemberCount},
		By:   Peer{ID: i.Invite.ByID, Name: i.Invite.ByName}, ExpiresAt: timeOrNil(i.Invite.ExpiresAt),
	}}, nil
}

// AcceptInvite makes the caller a member.
func (s *server) AcceptInvite(ctx context.Context, r AcceptInviteRequestObject) (AcceptInviteResponseObject, error) {
	ctx, actor := call(ctx)
	room, err := s.chat.AcceptInvite(ctx, actor, r.Code)
	if err != nil {
		return nil, err
	}
	return AcceptInvite200JSONResponse{Body: wireRoom(room)}, nil
}

func wireInvite(i models.Invite) Invite {
	out := Invite{
		ID: i.ID, RoomID: i.RoomID, Uses: i.Uses, ExpiresAt: timeOrNil(i.ExpiresAt), CreatedAt: i.CreatedAt,
		By: Peer{ID: i.ByID, Name: i.ByName},
	}
	if i.MaxUses != 0 {
		out.MaxUses = &i.MaxUses
	}
	return out
}
