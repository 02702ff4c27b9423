package oracle

// Tick is a moment on the run's own clock, which counts what happens.
type Tick int64

// Outcome is how a call ended for whoever made it.
type Outcome int

// Outcomes of a call, all its tries taken together.
const (
	Unknown  Outcome = iota // never answered: done or not
	Answered                // done
	Refused                 // refused at the first try, and so not done
)

// Run is all that is known of one database from its first entry to the end.
type Run struct {
	Log     []Entry // by id; pruned entries too
	Oldest  int64   // the first entry that is kept at the end; 0: all are
	Holes   []Hole
	Admin   int64
	Sends   []Send
	Moves   []Move
	Readers []*Reader
	Reads   []Read
	Seen    []Glimpse
}

// Entry is a row of the log.
type Entry struct {
	ID, Room     int64
	Type         string
	AudienceKind int
	AudienceID   int64
	JSON         string
}

// Hole is what a restore left: no entry lies between the two.
type Hole struct{ After, Before int64 }

// Call is when a call was first made and when its last try ended, and by whom.
type Call struct {
	By         int64
	Start, End Tick
	Outcome    Outcome
}

// Send is a message that somebody tried to send. Texts are unique in a run.
type Send struct {
	Call
	To          string
	Room        int64 // of the room that To means; 0: a direct conversation, whose room is told by the answer
	With        int64 // the other one of a direct conversation
	Nonce, Text string
	ID          int64 // where answered
	Again       bool  // answered 200: it was there before
	Replay      bool  // a nonce that had been used in a call before
}

// Move is a change of somebody's membership in a channel.
type Move struct {
	Call
	Room, User int64
	In         bool // joined or added
	Revoked    bool // removed or banned
}

// Reader is one way in which one user followed the log, over any number of connections.
type Reader struct {
	Name  string
	User  int64
	Conns []*Conn
	End   int64 // it must have come this far; 0: as far as it came
}

// Conn is one connection, or one long-poll.
type Conn struct {
	Start Tick
	Asked int64 // the position asked for; below 0: none
	Items []Item
}

// Kind is what a connection brought.
type Kind int

// What a connection brings.
const (
	Event   Kind = iota // a durable event: Cursor is its id, JSON the event
	Ready               // where the stream begins
	Beat                // a heartbeat, or the cursor of a poll
	Reset               // reset, or 410 of a poll
	Whisper             // ephemeral, of the room Room
	Ended               // session.ended
)

// Item is one thing that a connection brought.
type Item struct {
	At     Tick
	Kind   Kind
	Cursor int64
	Room   int64
	JSON   string
}

// Read is an answer to a question about rooms or history that a cursor says the moment of, or a refusal.
type Read struct {
	Call
	Room          int64 // history of it; 0: the rooms that one is in
	Cursor        int64
	Before, After int64 // bounds of history, 0: none
	Limit         int
	IDs           []int64          // messages oldest first, or rooms
	Texts         map[int64]string // of messages, the last ones of rooms too
	More, Less    bool             // has_after, has_before
}

// Glimpse is what was somewhere in an answer of a message: its nonce, which nobody else may have used.
type Glimpse struct {
	Call
	Nonce string
	Where string
}
