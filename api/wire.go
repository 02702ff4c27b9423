package api

import (
	"parley/chat"
	"parley/models"
)

// What the rules know, in the generated types of the spec.

func wireUser(p chat.Profile) User {
	return User{
		ID: p.ID, Name: p.Name, DisplayName: p.DisplayName, Role: Role(p.Role), Status: UserStatus(p.Status),
		StatusText: p.StatusText, CreatedAt: p.CreatedAt, LastSeenAt: p.LastSeenAt,
	}
}

func wireRoom(r models.JoinedRoom) Room {
	out := Room{
		ID: r.ID, Kind: RoomKind(r.Kind), Topic: r.Topic, Visibility: Visibility(r.Visibility),
		MemberCount: r.MemberCount, Archived: r.Archived, CreatedAt: r.CreatedAt,
	}
	if r.Name != "" {
		out.Name = &r.Name
	}
	if r.Role != models.NoRole {
		role := RoomRole(r.Role)
		out.Role = &role
	}
	for _, p := range r.Members {
		out.Members = append(out.Members, Peer(p))
	}
	return out
}

func wireMember(m models.Member) Member {
	return Member{User: wireEventUser(m.User), Role: RoomRole(m.Role), JoinedAt: m.JoinedAt}
}

func wireEventUser(u models.User) EventUser {
	return EventUser{ID: u.ID, Name: u.Name, DisplayName: u.DisplayName, Role: Role(u.Role)}
}

func wireMessage(m models.Message) Message {
	out := Message{
		ID: m.ID, RoomID: m.RoomID, Sender: Peer{ID: m.SenderID, Name: m.SenderName},
		Text: m.Text, CreatedAt: m.CreatedAt,
	}
	if !m.DeletedAt.IsZero() {
		out.DeletedAt = &m.DeletedAt
	}
	if m.Nonce != "" {
		out.Nonce = &m.Nonce
	}
	return out
}

// each maps a list; an empty one stays a list in JSON.
func each[A, B any](list []A, f func(A) B) []B {
	out := make([]B, 0, len(list))
	for _, a := range list {
		out = append(out, f(a))
	}
	return out
}

// deref gives what p points to, the zero value for nil.
func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
