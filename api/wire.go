package api

import (
	"cmp"

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
		SlowMode: r.SlowMode, History: HistoryMode(cmp.Or(r.History, models.HistoryAll)),
	}
	if r.Name != "" {
		out.Name = &r.Name
	}
	if r.Role != models.NoRole {
		role := RoomRole(r.Role)
		out.Role = &role
	}
	if r.Role != models.NoRole {
		readID := r.ReadID
		out.Unread, out.Mentions, out.ReadID = &r.Unread, &r.Mentions, &readID
	}
	if r.LastMessage != nil {
		last := wireMessage(*r.LastMessage)
		out.LastMessage = &last
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
		Text: m.Text, CreatedAt: m.CreatedAt, EditedAt: timeOrNil(m.EditedAt), DeletedAt: timeOrNil(m.DeletedAt),
		ReplyTo: idOrNil(m.ReplyTo), ThreadID: idOrNil(m.ThreadID),
		Mentions: each(m.Mentions, func(id int64) ID { return id }), MentionsRoom: trueOrNil(m.MentionsRoom),
		Attachments: []Attachment{}, Reactions: each(m.Reactions, wireReaction),
		Pinned: trueOrNil(m.Pinned), Announcement: trueOrNil(m.Announcement),
	}
	if m.Nonce != "" {
		out.Nonce = &m.Nonce
	}
	if m.Thread.Replies > 0 {
		out.Thread = &Thread{Replies: m.Thread.Replies, LastID: m.Thread.LastID, LastAt: m.Thread.LastAt}
	}
	return out
}

func wireReaction(r models.Reaction) Reaction {
	return Reaction{Emoji: r.Emoji, Count: r.Count, Me: trueOrNil(r.Me)}
}

// timeOrNil gives nil for a time that is not there.
func timeOrNil(t models.Time) *models.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// idOrNil gives nil for an id that is not there.
func idOrNil(id int64) *ID {
	if id == 0 {
		return nil
	}
	return &id
}

// trueOrNil gives nil for what is left out where it is false.
func trueOrNil(b bool) *bool {
	if !b {
		return nil
	}
	return &b
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
