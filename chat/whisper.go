package chat

import "parley/models"

// Whisperer tells people what belongs to the moment and is kept nowhere. Neither call waits for
// anybody or fails: who does not hear it has missed nothing that lasts.
type Whisperer interface {
	// Typing tells the others who are in the room that the user is writing there.
	Typing(roomID int64, user models.EventUser)
	// ReadMoved tells the user's own streams how far they have read the room. It is called after the commit.
	ReadMoved(userID, roomID, messageID int64)
	// Position tells a visitor the place of their conversation in the queue.
	Position(userID, conversationID int64, position int)
}

// silence tells nobody.
type silence struct{}

func (silence) Typing(int64, models.EventUser) {}
func (silence) ReadMoved(int64, int64, int64)  {}
func (silence) Position(int64, int64, int)     {}
