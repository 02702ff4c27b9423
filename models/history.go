package models

// Page bounds a piece of a room's history. Bounds are exclusive message ids. With After the
// oldest messages beyond it, else the newest before Before.
type Page struct {
	Before    int64
	HasBefore bool // Before was given: nothing is before 0
	After     int64
	HasAfter  bool // After was given: 0 is the beginning of the room
	Around    int64
	HasAround bool  // Around was given: half of what is asked for before it, then itself and what follows; no other bound is
	Since     int64 // the reader may see what lies beyond it only
	Limit     int
}

// History is a piece of a room's history, oldest first, true at Cursor.
type History struct {
	Messages  []Message
	HasBefore bool
	HasAfter  bool
	Cursor    int64
}

// Nonce remembers the request behind a message, so that a repeat is known. To is the
// RoomRef as the sender wrote it, Digest the SHA-256 of the rest of the request.
type Nonce struct {
	UserID    int64
	Nonce     string
	MessageID int64
	To        string
	Digest    []byte
	CreatedAt Time
}

// ReadMark is how far somebody has read a room.
type ReadMark struct {
	RoomID    int64
	MessageID int64
}

// JoinedRoom is a room as the caller sees it, with their role in it (NoRole: none).
type JoinedRoom struct {
	Room
	Role RoomRole
	From int64 // where the caller's present membership began; 0 without one

	// The rest is read by itself. Only members have counts and a mark.
	Unread      int      // live messages of others beyond ReadID
	Mentions    int      // those of them that mention the caller, or everybody
	ReadID      int64    // the read mark, or where the membership began if that is later
	LastMessage *Message // the newest that the caller may see, deleted ones too; nil: none
}

// Since is the id that the messages which the caller may read lie beyond: 0 but for a member of a room that shows its
// history only from the joining on.
func (r JoinedRoom) Since() int64 {
	if r.History == HistorySinceJoin && r.Role != NoRole {
		return r.From
	}
	return 0
}
