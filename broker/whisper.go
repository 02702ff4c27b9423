package broker

import "parley/models"

// Typing tells the others who are in the room that the user is writing there.
func (b *Broker) Typing(roomID int64, user models.EventUser) {}

// ReadMoved tells the user's own streams how far they have read the room.
func (b *Broker) ReadMoved(userID, roomID, messageID int64) {}
