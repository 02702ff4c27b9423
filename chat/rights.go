package chat

import (
	"errors"
	"fmt"

	"parley/models"
)

// Action is something that a rank in a room may or may not do.
type Action string

// The actions of the role table. What one may do with a message of one's own is not in it: that takes being its
// author.
const (
	SeeRoom          Action = "see the room"
	SendMessage      Action = "send to the room"
	JoinRoom         Action = "join the room"
	LeaveRoom        Action = "leave the room"
	AddMember        Action = "add members"
	RemoveMember     Action = "remove members"
	SetRole          Action = "change roles"
	ChangeTopic      Action = "change the topic"
	RenameRoom       Action = "rename the room"
	ChangeVisibility Action = "change the visibility"
	DeleteRoom       Action = "delete the room"
	React            Action = "react in the room"
	MarkRead         Action = "have a read mark in the room"
	EditMessage      Action = "edit own messages"
	DeleteMessage    Action = "delete messages of others"
	SeeEdits         Action = "see earlier texts of others"
	PinMessage       Action = "pin messages"
	MentionRoom      Action = "mention everybody"
	MuteMember       Action = "mute"
	BanMember        Action = "ban"
	SetSlowMode      Action = "change the slow mode"
	ArchiveRoom      Action = "archive the room"
	ChangeHistory    Action = "change who reads the history"
	Invite           Action = "make invitations"
)

// Rank is how much somebody may do in one room. An admin ranks above the owners of a
// channel, and is like anybody else towards the direct conversations of others.
type Rank int

// The ranks, lowest first. Never is above all of them.
const (
	Visiting Rank = iota
	Outsider
	Serving // an agent in a support room that they are not in
	Member
	Moderator
	Owner
	Admin
	Never
)

// rule names the lowest rank that may act, for each sort of room.
type rule struct{ lobby, public, private, direct, support, notes Rank }

// rights is the role table of the API for what happens in a room.
var rights = map[Action]rule{
	SeeRoom:          {lobby: Outsider, public: Outsider, private: Member, direct: Member, support: Serving, notes: Member},
	SendMessage:      {lobby: Member, public: Member, private: Member, direct: Member, support: Member, notes: Member},
	JoinRoom:         {lobby: Outsider, public: Outsider, private: Member, direct: Member, support: Never, notes: Never},
	LeaveRoom:        {lobby: Never, public: Outsider, private: Member, direct: Never, support: Never, notes: Never},
	AddMember:        {lobby: Never, public: Member, private: Moderator, direct: Never, support: Never, notes: Never},
	RemoveMember:     {lobby: Never, public: Moderator, private: Moderator, direct: Never, support: Never, notes: Never},
	SetRole:          {lobby: Never, public: Owner, private: Owner, direct: Never, support: Never, notes: Never},
	ChangeTopic:      {lobby: Moderator, public: Moderator, private: Moderator, direct: Never, support: Never, notes: Never},
	RenameRoom:       {lobby: Never, public: Owner, private: Owner, direct: Never, support: Never, notes: Never},
	ChangeVisibility: {lobby: Never, public: Owner, private: Owner, direct: Never, support: Never, notes: Never},
	DeleteRoom:       {lobby: Never, public: Owner, private: Owner, direct: Never, support: Never, notes: Never},
	React:            {lobby: Member, public: Member, private: Member, direct: Member, support: Member, notes: Member},
	MarkRead:         {lobby: Member, public: Member, private: Member, direct: Member, support: Member, notes: Never},
	EditMessage:      {lobby: Outsider, public: Outsider, private: Member, direct: Member, support: Member, notes: Member}, // where they can read them
	DeleteMessage:    {lobby: Moderator, public: Moderator, private: Moderator, direct: Never, support: Moderator, notes: Admin},
	SeeEdits:         {lobby: Moderator, public: Moderator, private: Moderator, direct: Never, support: Serving, notes: Member},
	PinMessage:       {lobby: Moderator, public: Moderator, private: Moderator, direct: Never, support: Never, notes: Never},
	MentionRoom:      {lobby: Moderator, public: Moderator, private: Moderator, direct: Never, support: Never, notes: Never},
	MuteMember:       {lobby: Moderator, public: Moderator, private: Moderator, direct: Never, support: Never, notes: Never},
	BanMember:        {lobby: Never, public: Moderator, private: Moderator, direct: Never, support: Never, notes: Never},
	SetSlowMode:      {lobby: Moderator, public: Moderator, private: Moderator, direct: Never, support: Never, notes: Never},
	ArchiveRoom:      {lobby: Never, public: Owner, private: Owner, direct: Never, support: Never, notes: Never},
	ChangeHistory:    {lobby: Never, public: Owner, private: Owner, direct: Never, support: Never, notes: Never},
	Invite:           {lobby: Never, public: Never, private: Moderator, direct: Never, support: Never, notes: Never},
}

// needed gives the lowest rank that may do the action in the room.
func needed(action Action, room models.Room) Rank {
	r, ok := rights[action]
	switch {
	case !ok:
		return Never
	case room.IsLobby():
		return r.lobby
	case room.Kind == models.KindDirect:
		return r.direct
	case room.NotesOf != 0:
		return r.notes
	case room.Kind == models.KindSupport:
		return r.support
	case room.Visibility == models.Public:
		return r.public
	default:
		return r.private
	}
}

// allow refuses what the rank may not do: a room that may not be seen is not there.
func allow(action Action, room models.Room, rank Rank) error {
	if rank == Visiting {
		return errVisitor()
	}
	if rank < needed(SeeRoom, room) {
		return models.NotFound("room")
	}
	switch least := needed(action, room); {
	case rank >= least:
		return nil
	case least == Never:
		return models.Refuse(models.CodeForbidden, "nobody can %s here", action)
	case least == Member:
		return models.Refuse(models.CodeForbidden, "only members can %s: join first", action)
	default:
		return models.Refuse(models.CodeForbidden, "your role in the room does not let you %s", action)
	}
}

// errVisitor refuses everything outside a visitor's own conversation.
func errVisitor() error {
	return models.Refuse(models.CodeForbidden, "support visitors have their own conversation only")
}

// notVisitor refuses calls that every role but visitor may make.
func notVisitor(u models.User) error {
	if u.Role == models.RoleVisitor {
		return errVisitor()
	}
	return nil
}

// mayCreate says which roles make channels.
func mayCreate(u models.User) error {
	switch u.Role {
	case models.RoleMember, models.RoleBot, models.RoleAgent, models.RoleAdmin:
		return nil
	case models.RoleVisitor:
		return errVisitor()
	default:
		return models.Refuse(models.CodeForbidden, "a %s cannot create channels: register an account", u.Role)
	}
}

// rankIn gives the user's rank in the room, and the present membership it comes from: one with NoRole where there
// is none.
func rankIn(r Reader, room models.Room, u models.User) (Rank, models.Membership, error) {
	if u.Role == models.RoleVisitor && room.Kind != models.KindSupport {
		return Visiting, models.Membership{}, nil
	}
	m, err := spellOf(r, room, u)
	if err != nil {
		return Visiting, m, err
	}
	if room.Kind == models.KindSupport {
		return rankInSupport(room, u, m.Role), m, nil
	}
	if u.Role == models.RoleAdmin && room.Kind != models.KindDirect {
		return Admin, m, nil
	}
	return rankOf(m.Role), m, nil
}

// rankInSupport is the rank in a conversation's room, or in that of its notes, which is all agents' and has no members. To
// read all conversations, agents need not be in them; to write they must have them assigned.
func rankInSupport(room models.Room, u models.User, role models.RoomRole) Rank {
	switch {
	case room.NotesOf != 0 && u.Role == models.RoleAdmin:
		return Admin
	case room.NotesOf != 0 && u.Role.Staff():
		return Member
	case role != models.NoRole:
		return rankOf(role)
	case u.Role.Staff():
		return Serving
	case u.Role == models.RoleVisitor:
		return Visiting
	default:
		return Outsider
	}
}

// spellOf reads the user's present membership of the room, NoRole where there is none. The lobby stores none: there
// it begins with the account.
func spellOf(r Reader, room models.Room, u models.User) (models.Membership, error) {
	if room.IsLobby() {
		return models.Membership{
			RoomID: room.ID, UserID: u.ID, Role: models.RoomMember, From: u.ID, JoinedAt: u.CreatedAt,
		}, nil
	}
	m, err := r.Membership(room.ID, u.ID)
	switch {
	case err == nil:
		return m, nil
	case errors.Is(err, ErrNotFound):
		return models.Membership{RoomID: room.ID, UserID: u.ID}, nil
	default:
		return models.Membership{}, fmt.Errorf("read membership: %w", err)
	}
}

// roomRole is spellOf for the role alone.
func roomRole(r Reader, room models.Room, u models.User) (models.RoomRole, error) {
	m, err := spellOf(r, room, u)
	return m.Role, err
}

func rankOf(role models.RoomRole) Rank {
	switch role {
	case models.RoomOwner:
		return Owner
	case models.RoomModerator:
		return Moderator
	case models.RoomMember:
		return Member
	default:
		return Outsider
	}
}
