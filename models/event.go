package models

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// EventType is the `type` of an event.
type EventType string

// Durable events have an id and are kept in the log.
const (
	MessageCreated  EventType = "message.created"
	MessageUpdated  EventType = "message.updated"
	MessageDeleted  EventType = "message.deleted"
	ReactionAdded   EventType = "reaction.added"
	ReactionRemoved EventType = "reaction.removed"
	RoomCreated     EventType = "room.created"
	RoomUpdated     EventType = "room.updated"
	RoomDeleted     EventType = "room.deleted"
	MemberJoined    EventType = "member.joined"
	MemberLeft      EventType = "member.left"
	MemberUpdated   EventType = "member.updated"
	UserUpdated     EventType = "user.updated"
	UserRenamed     EventType = "user.renamed"
	UserDeleted     EventType = "user.deleted"
	SupportUpdated  EventType = "support.updated"
)

// Ephemeral events have no id: they belong to one stream or to one moment.
const (
	Ready           EventType = "ready"
	Heartbeat       EventType = "heartbeat"
	Reset           EventType = "reset"
	SessionEnded    EventType = "session.ended"
	PresenceChanged EventType = "presence.changed"
	Typing          EventType = "typing"
	ReadUpdated     EventType = "read.updated"
	SupportPosition EventType = "support.position"
)

// Internal entries are in the log for their order and for the caches that live by
// it; their audience is ToNone and no client ever sees one.
const (
	UserRegistered  EventType = "user.registered"
	SessionFinished EventType = "session.finished"
	UserBanned      EventType = "user.banned"
	UserUnbanned    EventType = "user.unbanned"
	AddressBanned   EventType = "address.banned"
	AddressUnbanned EventType = "address.unbanned"
	LogRestored     EventType = "log.restored" // the first entry behind a hole
	LogRewritten    EventType = "log.rewritten"

	SupportResponded EventType = "support.responded" // an agent said something in a conversation for the first time
	StateChanged     EventType = "state.changed"     // something that no other entry tells of: writers remember nothing from before
)

// EventTypes are all types that a client may see, the values of the `types` filter.
func EventTypes() []EventType {
	return []EventType{
		MessageCreated, MessageUpdated, MessageDeleted, ReactionAdded, ReactionRemoved,
		RoomCreated, RoomUpdated, RoomDeleted, MemberJoined, MemberLeft, MemberUpdated,
		UserUpdated, UserRenamed, UserDeleted, SupportUpdated,
		Ready, Heartbeat, Reset, SessionEnded, PresenceChanged, Typing, ReadUpdated, SupportPosition,
	}
}

// LogTypes are all types that an entry of the log can have.
func LogTypes() []EventType {
	return []EventType{
		MessageCreated, MessageUpdated, MessageDeleted, ReactionAdded, ReactionRemoved,
		RoomCreated, RoomUpdated, RoomDeleted, MemberJoined, MemberLeft, MemberUpdated,
		UserUpdated, UserRenamed, UserDeleted, SupportUpdated, UserRegistered, SessionFinished, SupportResponded, StateChanged,
	}
}

// AudienceKind says how to read an audience's id. The numbers are stored.
type AudienceKind int

// The audiences of durable events.
const (
	ToNone     AudienceKind = 0 // internal
	ToEveryone AudienceKind = 1 // every user but visitors, from registration on
	ToRoom     AudienceKind = 2 // the members at the event's id
	ToUser     AudienceKind = 3
	ToAgents   AudienceKind = 4
)

// Audience says whom an event is for. ID is a room's or a user's, else 0.
type Audience struct {
	Kind AudienceKind
	ID   int64
}

// Everyone is the audience of all but visitors.
func Everyone() Audience { return Audience{Kind: ToEveryone} }

// InRoom is the audience of a room's members.
func InRoom(id int64) Audience { return Audience{Kind: ToRoom, ID: id} }

// ForUser is the audience of one user.
func ForUser(id int64) Audience { return Audience{Kind: ToUser, ID: id} }

// Agents is the audience of who is agent or admin at the event's id.
func Agents() Audience { return Audience{Kind: ToAgents} }

// Event is one entry of the log. JSON is the event as clients get it, encoded once, shared by all
// who send it and never changed: what is rewritten in the log is another JSON.
type Event struct {
	ID       int64
	At       Time
	Type     EventType
	RoomID   int64 // 0: of no room
	Audience Audience
	JSON     []byte
	Change   Change
}

// ChangeKind says what an event does to routing and caches.
type ChangeKind int

// What an event can change. NoChange is by far the most frequent.
const (
	NoChange    ChangeKind = iota // of message.created: UserID has said it
	MemberIn                      // UserID is a member of RoomID from this event on
	MemberOut                     // UserID is no member of RoomID after this event
	RoomGone                      // nobody is a member of RoomID after this event
	SessionGone                   // SessionID of UserID has ended, for Reason and with Detail
	UserAltered                   // UserID has another name or role after this event
	BanSet                        // the address ban in the event's BanData is in force as it says
	BanLifted                     // the address ban in the event's BanData is no more
	UserGone                      // UserID is deleted
	EntriesGone                   // EventIDs were rewritten in the log: what is remembered of them must go
)

// Change is the part of an event that the server itself acts on, in id order. It is
// set on events that were just committed and by ReadChange on those read back.
type Change struct {
	Kind      ChangeKind
	UserID    int64
	RoomID    int64
	SessionID int64
	Reason    string
	Detail    string // what session.ended says besides the reason; may be empty
	EventIDs  []int64
	Support   *SupportStep // nil: nothing that is counted happened to a conversation
}

// Encode sets e.JSON from the envelope and data. e.ID, At, Type and RoomID must be
// set; ephemeral events have ID 0 and none in the JSON.
func (e *Event) Encode(data any) error {
	if d, ok := data.(jsonAppender); ok {
		b := d.AppendJSON(e.Begin(make([]byte, 0, d.room()+len(e.Type)+96)))
		e.JSON = append(b, '}')
		return nil
	}
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode %s: %w", e.Type, err)
	}
	e.Wrap(body)
	return nil
}

// Wrap is Encode for data that is JSON already.
func (e *Event) Wrap(body []byte) {
	b := e.Begin(make([]byte, 0, len(body)+len(e.Type)+96))
	b = append(b, body...)
	e.JSON = append(b, '}')
}

// Begin appends the event's JSON up to its data, which a brace is to follow.
func (e *Event) Begin(b []byte) []byte {
	b = append(b, '{')
	if e.ID != 0 {
		b = append(b, `"id":`...)
		b = strconv.AppendInt(b, e.ID, 10)
		b = append(b, ',')
	}
	b = append(b, `"type":"`...)
	b = append(b, e.Type...)
	b = append(b, `","at":`...)
	b = e.At.AppendJSON(b)
	if e.RoomID != 0 {
		b = append(b, `,"room_id":`...)
		b = strconv.AppendInt(b, e.RoomID, 10)
	}
	return append(b, `,"data":`...)
}
