package chat

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"parley/models"
)

// NewRoom is what a channel is made from.
type NewRoom struct {
	Name       string
	Topic      string
	Visibility models.Visibility  // empty: public
	History    models.HistoryMode // empty: all
	SlowMode   int                // seconds
}

// RoomList is one page of rooms, true at Cursor. Next is the room id to go on from, 0 at
// the end.
type RoomList struct {
	Rooms  []models.JoinedRoom
	Cursor int64
	Next   int64
}

// Rooms gives the rooms that the actor is in, or with public all public channels, by id beyond
// after.
func (s *Service) Rooms(ctx context.Context, a Actor, public bool, after int64, limit int) (RoomList, error) {
	if err := notVisitor(a.User); err != nil {
		return RoomList{}, err
	}
	return view(ctx, s, func(r Reader) (out RoomList, err error) {
		if out.Cursor, err = r.Head(); err != nil {
			return out, fmt.Errorf("read head: %w", err)
		}
		list := r.JoinedRooms
		if public {
			list = r.PublicRooms
		}
		if out.Rooms, err = list(a.User.ID, after, limit+1); err != nil {
			return out, fmt.Errorf("list rooms: %w", err)
		}
		if len(out.Rooms) > limit {
			out.Rooms = out.Rooms[:limit]
			out.Next = out.Rooms[limit-1].ID
		}
		if err := r.FillRooms(out.Rooms, a.User.ID); err != nil {
			return out, fmt.Errorf("count unread messages: %w", err)
		}
		return out, nil
	})
}

// Room gives one room that the actor may see.
func (s *Service) Room(ctx context.Context, a Actor, ref string) (models.JoinedRoom, error) {
	return view(ctx, s, withCounts(a, func(r Reader) (models.JoinedRoom, error) {
		t, err := s.target(r, a, ref)
		return t.joined(), err
	}))
}

// CreateRoom makes a channel with the actor as its owner.
func (s *Service) CreateRoom(ctx context.Context, a Actor, n NewRoom) (models.JoinedRoom, error) {
	name, key, err := models.ChannelName(n.Name)
	if err != nil {
		return models.JoinedRoom{}, err
	}
	if err := checkTopic(n.Topic); err != nil {
		return models.JoinedRoom{}, err
	}
	if err := checkSlowMode(n.SlowMode); err != nil {
		return models.JoinedRoom{}, err
	}
	n.Visibility = cmp.Or(n.Visibility, models.Public)
	room := models.Room{
		Kind: models.KindChannel, Name: name, Key: key, Topic: n.Topic, Visibility: n.Visibility,
		History: cmp.Or(n.History, models.HistoryAll), SlowMode: n.SlowMode,
	}
	if !openHistory(room) {
		return models.JoinedRoom{}, errHistory()
	}
	return do(ctx, s, withCounts(a, func(tx Tx) (models.JoinedRoom, error) {
		user, err := acting(tx, a)
		if err != nil {
			return models.JoinedRoom{}, err
		}
		if err := mayCreate(user); err != nil {
			return models.JoinedRoom{}, err
		}
		if err := channelFree(tx, key, 0); err != nil {
			return models.JoinedRoom{}, err
		}
		return create(tx, room, user)
	}))
}

// create writes a channel and its owner's membership.
func create(tx Tx, room models.Room, owner models.User) (models.JoinedRoom, error) {
	room.ID, room.CreatedAt = tx.NextID(), tx.Now()
	audience := models.ForUser(owner.ID)
	if room.Visibility == models.Public {
		audience = models.Everyone()
	}
	_, err := tx.Append(models.Event{Type: models.RoomCreated, RoomID: room.ID, Audience: audience},
		models.RoomData{Room: room.ForEvent()})
	if err != nil {
		return models.JoinedRoom{}, fmt.Errorf("append room.created: %w", err)
	}
	if err := tx.InsertRoom(room); err != nil {
		return models.JoinedRoom{}, fmt.Errorf("insert room: %w", err)
	}
	from := tx.NextID()
	if _, err := enter(tx, room, owner, models.RoomOwner); err != nil {
		return models.JoinedRoom{}, err
	}
	room.MemberCount = 1
	return models.JoinedRoom{Room: room, Role: models.RoomOwner, From: from}, nil
}

// channelFree refuses a key that belongs to a channel other than self.
func channelFree(r Reader, key string, self int64) error {
	room, err := r.RoomByKey(key)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("look up channel: %w", err)
	case room.ID == self:
		return nil
	default:
		return models.Refuse(models.CodeNameTaken, "the channel name is taken")
	}
}

// UpdateRoom changes a room; all of the change or nothing.
func (s *Service) UpdateRoom(ctx context.Context, a Actor, ref string, c RoomChange) (models.JoinedRoom, error) {
	key, err := c.check()
	if err != nil {
		return models.JoinedRoom{}, err
	}
	return do(ctx, s, withCounts(a, func(tx Tx) (models.JoinedRoom, error) {
		t, err := s.target(tx, a, ref)
		if err != nil {
			return models.JoinedRoom{}, err
		}
		before := t
		if err := apply(tx, &t, c, key); err != nil || len(changed(before.room, t.room)) == 0 {
			return t.joined(), err
		}
		if err := writeRoom(tx, t.room); err != nil {
			return t.joined(), err
		}
		return t.joined(), recordUpdate(tx, a, before, t.room)
	}))
}

func writeRoom(tx Tx, room models.Room) error {
	_, err := tx.Append(models.Event{
		Type: models.RoomUpdated, RoomID: room.ID, Audience: models.InRoom(room.ID),
	}, models.RoomData{Room: room.ForEvent()})
	if err != nil {
		return fmt.Errorf("append room.updated: %w", err)
	}
	if err := tx.UpdateRoom(room); err != nil {
		return fmt.Errorf("update room: %w", err)
	}
	return nil
}

// DeleteRoom ends a channel for everyone: its members get room.deleted, and nobody can read it
// any more. Its name is free.
func (s *Service) DeleteRoom(ctx context.Context, a Actor, ref string) error {
	return s.store.Do(ctx, func(tx Tx) error {
		t, err := s.target(tx, a, ref)
		if err != nil {
			return err
		}
		if err := allow(DeleteRoom, t.room, t.rank); err != nil {
			return err
		}
		ev, err := tx.Append(models.Event{
			Type: models.RoomDeleted, RoomID: t.room.ID, Audience: t.room.Audience(),
			Change: models.Change{Kind: models.RoomGone, RoomID: t.room.ID},
		}, models.RoomDeletedData{RoomID: t.room.ID})
		if err != nil {
			return fmt.Errorf("append room.deleted: %w", err)
		}
		if err := tx.DeleteRoom(t.room.ID, ev.ID); err != nil {
			return fmt.Errorf("delete room: %w", err)
		}
		if t.byAdminRight(DeleteRoom) {
			return recordInRoom(tx, a, t, models.AuditRoomDelete, models.User{}, nil)
		}
		return nil
	})
}
