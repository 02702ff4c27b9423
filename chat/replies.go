package chat

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"parley/models"
)

// ReplyList is one page of a thread, oldest first. Next is the id to go on from, 0 at the end.
type ReplyList struct {
	Replies []models.Message
	Next    int64
}

// Replies gives the answers with id > after of the thread that the message belongs to, be it the first one or an
// answer itself. That an admin reads a channel of others is written down, once an hour.
func (s *Service) Replies(ctx context.Context, a Actor, id, after int64, limit int) (ReplyList, error) {
	var t target
	list, err := view(ctx, s, func(r Reader) (out ReplyList, err error) {
		var m models.Message
		if t, m, err = s.message(r, a, id); err != nil {
			return out, err
		}
		out.Replies, err = r.Replies(cmp.Or(m.ThreadID, m.ID), max(after, t.since()), limit+1)
		if err != nil {
			return out, fmt.Errorf("list answers: %w", err)
		}
		if len(out.Replies) > limit {
			out.Replies = out.Replies[:limit]
			out.Next = out.Replies[limit-1].ID
		}
		return out, r.Fill(out.Replies, a.User.ID)
	})
	if err == nil && t.byAdminRight(SeeRoom) {
		err = s.recordReading(ctx, a, t)
	}
	if err != nil {
		return ReplyList{}, err
	}
	return list, nil
}

// threadOf finds the thread that an answer to the message belongs to. A message that the sender cannot see in the
// room is none of it, be it elsewhere, too old for them, or nowhere. To answer a tombstone is allowed: a thread goes on.
func threadOf(r Reader, t target, replyTo int64) (int64, error) {
	if replyTo == 0 {
		return 0, nil
	}
	m, err := r.Message(replyTo)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, fmt.Errorf("read the message to answer: %w", err)
	}
	if err != nil || m.RoomID != t.room.ID || m.ID < t.since() {
		return 0, models.Invalid("reply_to", "is no message of this room")
	}
	return cmp.Or(m.ThreadID, m.ID), nil
}
