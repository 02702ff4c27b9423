package api

import (
	"context"

	"parley/chat"
	"parley/models"
)

// ListMutes gives who is muted in a room.
func (s *server) ListMutes(ctx context.Context, r ListMutesRequestObject) (ListMutesResponseObject, error) {
	list, err := s.restrictions(ctx, models.MuteKind, r.Room, r.Params.Page, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	return ListMutes200JSONResponse{Body: MuteList{
		Mutes: each(list.Restrictions, wireRestriction), NextPage: idToken(list.Next),
	}}, nil
}

// ListRoomBans gives who is banned from a room.
func (s *server) ListRoomBans(ctx context.Context, r ListRoomBansRequestObject) (ListRoomBansResponseObject, error) {
	list, err := s.restrictions(ctx, models.BanKind, r.Room, r.Params.Page, r.Params.Limit)
	if err != nil {
		return nil, err
	}
	return ListRoomBans200JSONResponse{Body: RoomBanList{
		Bans: each(list.Restrictions, wireRestriction), NextPage: idToken(list.Next),
	}}, nil
}

func (s *server) restrictions(ctx context.Context, kind models.RestrictionKind, room string, page *Page, limit *Limit) (chat.RestrictionList, error) {
	after, err := afterID(page)
	if err != nil {
		return chat.RestrictionList{}, err
	}
	ctx, actor := call(ctx)
	return s.chat.Restrictions(ctx, actor, kind, room, after, limitOf(limit))
}

// MuteMember mutes somebody in a room.
func (s *server) MuteMember(ctx context.Context, r MuteMemberRequestObject) (MuteMemberResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		body = RestrictRequest{} // it is optional
	}
	x, err := s.restrict(ctx, models.MuteKind, r.Room, r.User, body)
	if err != nil {
		return nil, err
	}
	return MuteMember200JSONResponse{Body: x}, nil
}

// UnmuteMember lifts a mute.
func (s *server) UnmuteMember(ctx context.Context, r UnmuteMemberRequestObject) (UnmuteMemberResponseObject, error) {
	ctx, actor := call(ctx)
	if err := s.chat.Lift(ctx, actor, models.MuteKind, r.Room, r.User); err != nil {
		return nil, err
	}
	return UnmuteMember204Response{}, nil
}

// BanMember bans somebody from a room.
func (s *server) BanMember(ctx context.Context, r BanMemberRequestObject) (BanMemberResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		body = RestrictRequest{} // it is optional
	}
	x, err := s.restrict(ctx, models.BanKind, r.Room, r.User, body)
	if err != nil {
		return nil, err
	}
	return BanMember200JSONResponse{Body: x}, nil
}

// UnbanMember lifts a room's ban.
func (s *server) UnbanMember(ctx context.Context, r UnbanMemberRequestObject) (UnbanMemberResponseObject, error) {
	ctx, actor := call(ctx)
	if err := s.chat.Lift(ctx, actor, models.BanKind, r.Room, r.User); err != nil {
		return nil, err
	}
	return UnbanMember204Response{}, nil
}

func (s *server) restrict(ctx context.Context, kind models.RestrictionKind, room, user string, body RestrictRequest) (Restriction, error) {
	end, err := until(ctx, body.Until)
	if err != nil {
		return Restriction{}, err
	}
	ctx, actor := call(ctx)
	x, err := s.chat.Restrict(ctx, actor, kind, room, user, chat.NewRestriction{
		Until: end, Reason: deref(body.Reason),
	})
	return wireRestriction(x), err
}

func wireRestriction(x models.Restriction) Restriction {
	return Restriction{
		User: Peer{ID: x.UserID, Name: x.UserName}, Until: timeOrNil(x.Until), Reason: notEmpty(x.Reason),
		CreatedAt: x.CreatedAt, By: Peer{ID: x.ByID, Name: x.ByName},
	}
}
