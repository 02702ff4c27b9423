package models

// Edit is a text that a message had before its present one.
type Edit struct {
	ID        int64 // of the entry by which it was replaced
	MessageID int64
	RoomID    int64 // of the message
	Text      string
	CreatedAt Time // when the message got it
}
