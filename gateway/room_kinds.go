package gateway

import (
	"context"

	"parley/chat"
	"parley/models"
)

// roomKinds tells conversations of two from the rooms that others put an account into, which older protocols have no words
// for. It belongs to one goroutine.
type roomKinds struct {
	chat  *chat.Service
	known map[int64]models.RoomKind
}

// direct says whether the room is a conversation of two.
func (k *roomKinds) direct(ctx context.Context, roomID int64) (bool, error) {
	kind, known := k.known[roomID]
	if !known {
		var err error
		kind, err = k.chat.RoomKind(ctx, roomID)
		if err != nil && models.CodeOf(err) != models.CodeNotFound { // a room that was deleted since is none of the two
			return false, err
		}
		if k.known == nil {
			k.known = map[int64]models.RoomKind{}
		}
		k.known[roomID] = kind
	}
	return kind == models.KindDirect, nil
}
