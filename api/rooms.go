package api

import (
	"context"

	"parley/chat"
	"parley/models"
)

// ListRooms gives the caller's rooms, or all public channels.
func (s *server) ListRooms(ctx context.Context, r ListRoomsRequestObject) (ListRoomsResponseObject, error) {
	after, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	public := deref(r.Params.Scope) == RoomScopePublic
	ctx, actor := call(ctx)
	list, err := s.chat.Rooms(ctx, actor, public, after, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return ListRooms200JSONResponse{Body: RoomList{
		Rooms: each(list.Rooms, wireRoom), Cursor: list.Cursor, NextPage: idToken(list.Next),
	}}, nil
}

// CreateRoom makes a channel.
func (s *server) CreateRoom(ctx context.Context, r CreateRoomRequestObject) (CreateRoomResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	room, err := s.chat.CreateRoom(ctx, actor, chat.NewRoom{
		Name: body.Name, Topic: deref(body.Topic), Visibility: models.Visibility(deref(body.Visibility)),
		History: models.HistoryMode(deref(body.History)), SlowMode: deref(body.SlowMode),
	})
	if err != nil {
		return nil, err
	}
	return CreateRoom201JSONResponse{Body: wireRoom(room)}, nil
}

// GetRoom gives one room.
func (s *server) GetRoom(ctx context.Context, r GetRoomRequestObject) (GetRoomResponseObject, error) {
	ctx, actor := call(ctx)
	room, err := s.chat.Room(ctx, actor, r.Room)
	if err != nil {
		return nil, err
	}
	return GetRoom200JSONResponse{OneRoomJSONResponse{Body: wireRoom(room)}}, nil
}

// UpdateRoom changes a room.
func (s *server) UpdateRoom(ctx context.Context, r UpdateRoomRequestObject) (UpdateRoomResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	change := chat.RoomChange{
		Name: body.Name, Topic: body.Topic, Visibility: (*models.Visibility)(body.Visibility),
		Archived: body.Archived, SlowMode: body.SlowMode, History: (*models.HistoryMode)(body.History),
	}
	ctx, actor := call(ctx)
	room, err := s.chat.UpdateRoom(ctx, actor, r.Room, change)
	if err != nil {
		return nil, err
	}
	return UpdateRoom200JSONResponse{OneRoomJSONResponse{Body: wireRoom(room)}}, nil
}

// DeleteRoom ends a channel.
func (s *server) DeleteRoom(ctx context.Context, r DeleteRoomRequestObject) (DeleteRoomResponseObject, error) {
	ctx, actor := call(ctx)
	if err := s.chat.DeleteRoom(ctx, actor, r.Room); err != nil {
		return nil, err
	}
	return DeleteRoom204Response{}, nil
}

// JoinRoom makes the caller a member.
func (s *server) JoinRoom(ctx context.Context, r JoinRoomRequestObject) (JoinRoomResponseObject, error) {
	ctx, actor := call(ctx)
	room, err := s.chat.Join(ctx, actor, r.Room)
	if err != nil {
		return nil, err
	}
	return JoinRoom200JSONResponse{Body: wireRoom(room)}, nil
}

// LeaveRoom ends the caller's membership.
func (s *server) LeaveRoom(ctx context.Context, r LeaveRoomRequestObject) (LeaveRoomResponseObject, error) {
	successor, err := successorOf(r)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	if err := s.chat.Leave(ctx, actor, r.Room, successor); err != nil {
		return nil, err
	}
	return LeaveRoom204Response{}, nil
}

// successorOf gives who is to own the room, "" where nobody is named.
func successorOf(r LeaveRoomRequestObject) (string, error) {
	switch {
	case r.FormdataBody != nil:
		return deref(r.FormdataBody.Successor), nil
	case r.JSONBody == nil || r.JSONBody.Successor == nil:
		return "", nil
	}
	raw, err := r.JSONBody.Successor.MarshalJSON()
	return refText("successor", raw, err, "must be a user's id or @name")
}

// ListMembers gives who is in a room.
func (s *server) ListMembers(ctx context.Context, r ListMembersRequestObject) (ListMembersResponseObject, error) {
	after, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, err := s.chat.Members(ctx, actor, r.Room, after, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return ListMembers200JSONResponse{Body: MemberList{
		Members: each(list.Members, wireMember), NextPage: idToken(list.Next),
	}}, nil
}

// PutMember adds a member, or changes a member's role.
func (s *server) PutMember(ctx context.Context, r PutMemberRequestObject) (PutMemberResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		body = PutMemberRequest{} // it is optional
	}
	ctx, actor := call(ctx)
	member, err := s.chat.PutMember(ctx, actor, r.Room, r.User, models.RoomRole(deref(body.Role)))
	if err != nil {
		return nil, err
	}
	return PutMember200JSONResponse{Body: wireMember(member)}, nil
}

// RemoveMember takes somebody out of a room.
func (s *server) RemoveMember(ctx context.Context, r RemoveMemberRequestObject) (RemoveMemberResponseObject, error) {
	ctx, actor := call(ctx)
	if err := s.chat.RemoveMember(ctx, actor, r.Room, r.User); err != nil {
		return nil, err
	}
	return RemoveMember204Response{}, nil
}
