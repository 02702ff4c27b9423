package models

// The payloads of events: `data` in the JSON that clients get.

// EventMessage is a message as it was at the event's moment; it never carries what
// depends on the reader.
type EventMessage struct {
	ID        int64  `json:"id"`
	RoomID    int64  `json:"room_id"`
	Sender    Peer   `json:"sender"`
	Text      string `json:"text"`
	CreatedAt Time   `json:"created_at"`
	EditedAt  Time   `json:"edited_at,omitzero"`
	DeletedAt Time   `json:"deleted_at,omitzero"`
	ReplyTo   int64  `json:"reply_to,omitempty"`
	ThreadID  int64  `json:"thread_id,omitempty"`

	Mentions     []int64         `json:"mentions"`
	MentionsRoom bool            `json:"mentions_room,omitempty"`
	Attachments  []struct{}      `json:"attachments"`
	Reactions    []EventReaction `json:"reactions"`
	Pinned       bool            `json:"pinned,omitempty"`
	Announcement bool            `json:"announcement,omitempty"`
	Nonce        string          `json:"nonce,omitempty"`
}

// EventReaction is a Reaction without what depends on the reader.
type EventReaction struct {
	Emoji string `json:"emoji"`
	Count int    `json:"count"`
}

// ForEvent is the message as its event carries it.
func (m Message) ForEvent() EventMessage {
	e := EventMessage{
		ID: m.ID, RoomID: m.RoomID, Sender: Peer{ID: m.SenderID, Name: m.SenderName},
		Text: m.Text, CreatedAt: m.CreatedAt, EditedAt: m.EditedAt, DeletedAt: m.DeletedAt,
		ReplyTo: m.ReplyTo, ThreadID: m.ThreadID, Mentions: m.Mentions, MentionsRoom: m.MentionsRoom,
		Attachments: []struct{}{}, Reactions: make([]EventReaction, len(m.Reactions)),
		Pinned: m.Pinned, Announcement: m.Announcement, Nonce: m.Nonce,
	}
	if e.Mentions == nil {
		e.Mentions = []int64{}
	}
	for i, r := range m.Reactions {
		e.Reactions[i] = EventReaction{r.Emoji, r.Count}
	}
	return e
}

// EventRoom is a room without what depends on the reader.
type EventRoom struct {
	ID          int64      `json:"id"`
	Kind        RoomKind   `json:"kind"`
	Name        string     `json:"name,omitempty"`
	Topic       string     `json:"topic"`
	Visibility  Visibility `json:"visibility"`
	Members     []Peer     `json:"members,omitempty"`
	MemberCount int        `json:"member_count"`
	Archived    bool       `json:"archived"`
	CreatedAt   Time       `json:"created_at"`

	SlowMode int         `json:"slow_mode,omitempty"`
	History  HistoryMode `json:"history,omitempty"` // absent: all
}

// ForEvent is the room as its events carry it.
func (r Room) ForEvent() EventRoom {
	e := EventRoom{
		ID: r.ID, Kind: r.Kind, Name: r.Name, Topic: r.Topic, Visibility: r.Visibility,
		Members: r.Members, MemberCount: r.MemberCount, Archived: r.Archived, CreatedAt: r.CreatedAt,
		SlowMode: r.SlowMode,
	}
	if r.History != HistoryAll {
		e.History = r.History
	}
	return e
}

// MessageData is the payload of message.created.
type MessageData struct {
	Message EventMessage `json:"message"`
}

// MessageDeletedData is the payload of message.deleted.
type MessageDeletedData struct {
	MessageID int64 `json:"message_id"`
}

// ReactionData is the payload of reaction.added and reaction.removed.
type ReactionData struct {
	MessageID int64     `json:"message_id"`
	Emoji     string    `json:"emoji"`
	User      EventUser `json:"user"`
}

// RoomData is the payload of room.created and room.updated.
type RoomData struct {
	Room EventRoom `json:"room"`
}

// RoomDeletedData is the payload of room.deleted.
type RoomDeletedData struct {
	RoomID int64 `json:"room_id"`
}

// MemberData is the payload of member.joined, member.left and member.updated.
type MemberData struct {
	User   EventUser `json:"user"`
	Role   RoomRole  `json:"role"`
	Reason string    `json:"reason,omitempty"`

	Muted      bool `json:"muted,omitempty"`
	MutedUntil Time `json:"muted_until,omitzero"` // with Muted; absent: until lifted
}

// UserData is the payload of user.updated.
type UserData struct {
	User EventUser `json:"user"`
}

// RenamedData is the payload of user.renamed.
type RenamedData struct {
	User    EventUser `json:"user"`
	OldName string    `json:"old_name"`
}

// UserDeletedData is the payload of user.deleted. Erased says that the user's messages are gone too.
type UserDeletedData struct {
	UserID int64 `json:"user_id"`
	Erased bool  `json:"erased,omitempty"`
}

// RewrittenData is the payload of the internal entry log.rewritten.
type RewrittenData struct {
	EventIDs []int64 `json:"event_ids"`
}

// SessionData is the payload of the internal entry session.finished.
type SessionData struct {
	SessionID int64  `json:"session_id"`
	UserID    int64  `json:"user_id"`
	Reason    string `json:"reason"`
	Detail    string `json:"detail,omitempty"`
}

// BanData is the payload of the internal entries about bans: all that a process needs to keep the
// ban without asking the database.
type BanData struct {
	ID      int64  `json:"id"`
	UserID  int64  `json:"user_id,omitempty"`
	Network string `json:"network,omitempty"`
	Until   *Time  `json:"until,omitempty"` // absent: until lifted
	Reason  string `json:"reason,omitempty"`
}

// RegisteredData is the payload of the internal entry user.registered.
type RegisteredData struct {
	User EventUser `json:"user"`
}

// RestoredData is the payload of the internal entry log.restored.
type RestoredData struct {
	After int64 `json:"after"` // the last entry before the hole
}

// ReadyData is the payload of ready.
type ReadyData struct {
	Cursor  int64     `json:"cursor"`
	User    EventUser `json:"user"`
	Resumed bool      `json:"resumed"`
}

// HeartbeatData is the payload of heartbeat.
type HeartbeatData struct {
	Cursor int64 `json:"cursor"`
}

// ResetData is the payload of reset.
type ResetData struct {
	Oldest int64 `json:"oldest"`
	Cursor int64 `json:"cursor"`
}

// EndedData is the payload of session.ended.
type EndedData struct {
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

// TypingData is the payload of typing. Until is when it ends by itself.
type TypingData struct {
	User  EventUser `json:"user"`
	Until Time      `json:"until"`
}

// ReadData is the payload of read.updated.
type ReadData struct {
	MessageID int64 `json:"message_id"`
}
