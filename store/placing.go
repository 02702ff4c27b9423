package store

import "parley/models"

// placing counts the messages of one INSERT: each is the how-manieth of its room in it, and of its sender there.
// What the room had before is added by the statement, which sees the table as it was.
type placing struct {
	rooms   map[int64]int64
	senders map[pair]int64
}

func newPlacing() placing {
	return placing{rooms: map[int64]int64{}, senders: map[pair]int64{}}
}

func (p placing) next(m *models.Message) (ord, own int64) {
	sender := pair{m.RoomID, m.SenderID}
	p.rooms[m.RoomID]++
	p.senders[sender]++
	return p.rooms[m.RoomID], p.senders[sender]
}
