package models

// MaxEmoji is how many different emoji one message takes.
const MaxEmoji = 20

// Reacted is one user's reaction with one emoji. Its ID is that of its reaction.added event.
type Reacted struct {
	ID        int64
	MessageID int64
	Emoji     string // in the form that ParseEmoji gives
	User      User
}

// MaxPins is how many messages can be pinned in one room.
const MaxPins = 100

// Pin is a pinned message. Its ID is that of the message.updated event that told of it.
type Pin struct {
	ID      int64
	Message Message
	By      Peer
	At      Time
}
