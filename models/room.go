package models

// LobbyID is the room that everyone but visitors is in. It is made by the first
// migration, as entry 1 of the log.
const LobbyID = 1

// LobbyName is the lobby's name; it cannot be changed.
const LobbyName = "lobby"

// RoomKind says what a room is.
type RoomKind string

// The kinds of rooms.
const (
	KindChannel RoomKind = "channel"
	KindDirect  RoomKind = "direct"
	KindSupport RoomKind = "support"
)

// Visibility says who may know of a room.
type Visibility string

// The visibilities.
const (
	Public  Visibility = "public"
	Private Visibility = "private"
)

// HistoryMode says which of a room's messages its members may read.
type HistoryMode string

// The history modes. A public channel has HistoryAll: who may read it without joining may read all of it.
const (
	HistoryAll       HistoryMode = "all"
	HistorySinceJoin HistoryMode = "since_join" // from where their present membership began
)

// RoomRole is what a member is in one room.
type RoomRole string

// The roles in a room. NoRole is somebody who is not in it.
const (
	RoomOwner     RoomRole = "owner"
	RoomModerator RoomRole = "moderator"
	RoomMember    RoomRole = "member"
	NoRole        RoomRole = ""
)

// Room is a place for messages. Its ID is the id of its first room.created event.
type Room struct {
	ID          int64
	Kind        RoomKind
	Name        string // channels only
	Key         string // NameKey(Name); empty where there is no name
	Topic       string
	Visibility  Visibility
	DirectA     int64 // direct only: the lower user id of the two
	DirectB     int64 // direct only: the higher
	MemberCount int
	Archived    bool
	SlowMode    int         // seconds between two messages of one member, 0: off
	History     HistoryMode // what new members may read
	Mutes       int         // how many mutes there are, perhaps over
	NotesOf     int64       // the conversation that this is the agents' room for notes of; 0: it is no such room
	CreatedAt   Time
	Deleted     bool   // seen inside the writer only; readers get not_found
	Members     []Peer // direct only: the two, filled by readers
}

// IsLobby tells the lobby from every other room.
func (r Room) IsLobby() bool { return r.ID == LobbyID }

// Audience is whom the room's events are for: its members. A room for notes has none; it is all agents'.
func (r Room) Audience() Audience {
	if r.NotesOf != 0 {
		return Agents()
	}
	return InRoom(r.ID)
}

// Peer names a user inside a direct room.
type Peer struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Membership is one spell of a user in a room: it covers the events with
// From ≤ id ≤ To, without end where To is 0. A revoked spell (removal, ban, deletion of
// the room) gives only the event To itself.
type Membership struct {
	RoomID   int64
	UserID   int64
	Role     RoomRole
	From     int64
	To       int64
	Revoked  bool
	JoinedAt Time
}

// Spell is a membership, present or past, and the room that it is in.
type Spell struct {
	Membership
	Room        Room
	RoomDeleted bool
}

// Member is a present member with the account behind it.
type Member struct {
	User     User
	Role     RoomRole
	JoinedAt Time
}
