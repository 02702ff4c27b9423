package gateway

import (
	"context"
	"errors"
	"sync/atomic"

	"parley/chat"
	"parley/models"
)

// supportVisitor is a visitor's connection.
type supportVisitor struct {
	c      *supportConn
	opened chan struct{} // closed when there was a conversation
	room   atomic.Int64  // the conversation; 0: the last one was closed

	// Of the stream's goroutine:
	seen  int64 // the conversation that the client knows of
	agent int64 // who the client knows to be paired with; 0: nobody
}

func newSupportVisitor(c *supportConn) *supportVisitor {
	return &supportVisitor{c: c, opened: make(chan struct{})}
}

// leave implements supportSide.
func (v *supportVisitor) leave(ctx context.Context, stopping bool) error {
	last, _, _ := v.c.ws.desk.leave(v.c.actor.User.ID)
	return v.c.ws.opt.Chat.LeaveSupport(ctx, v.c.actor, last && !stopping)
}

// open opens a conversation, or goes on with the one that another connection of the same visitor has opened.
func (v *supportVisitor) open(ctx context.Context, text string) error {
	service := v.c.ws.opt.Chat
	conversation, err := service.OpenConversation(ctx, v.c.actor, chat.NewConversation{Text: text, Wait: true})
	if err == nil {
		v.room.Store(conversation.ID)
		return nil
	}
	if models.CodeOf(err) != models.CodeConflict {
		return err
	}
	list, _, err := service.Conversations(ctx, v.c.actor, chat.ConversationFilter{}, 0, 1)
	if err != nil {
		return err
	}
	if len(list) == 0 || !list[0].Open() {
		return models.Unavailable(nil, "the conversation was closed just now")
	}
	v.room.Store(list[0].ID)
	if text == "" {
		return nil
	}
	return v.c.send(ctx, list[0].ID, text)
}

// hear implements supportSide.
func (v *supportVisitor) hear(ctx context.Context, e *event) error {
	switch e.Type {
	case models.Ready:
		if err := v.open(ctx, ""); err != nil {
			return err
		}
		close(v.opened)
		return v.see(ctx)
	case models.SupportUpdated:
		if id := e.Data.Conversation.ID; id > v.room.Load() && id > v.seen {
			v.room.Store(id) // it was opened by what the client said
		}
		return v.see(ctx)
	case models.MessageCreated:
		m := &e.Data.Message
		if e.RoomID != v.seen || m.Sender.ID == v.c.actor.User.ID || m.Text == "" {
			return nil
		}
		return v.c.write(m.Sender.Name + ":" + m.Text)
	default:
		return nil
	}
}

// see tells the client what has become of the conversation.
func (v *supportVisitor) see(ctx context.Context) error {
	room := v.room.Load()
	if room == 0 {
		return nil
	}
	now, err := v.c.ws.opt.Chat.Conversation(ctx, v.c.actor, room)
	if err != nil {
		return err
	}
	first := room != v.seen
	v.seen = room
	agent := int64(0)
	if now.State == models.Assigned {
		agent = now.AgentID
	}
	before := v.agent
	v.agent = agent
	if before != 0 && before != agent || !now.Open() {
		if err := v.c.write(supportAgentLeft); err != nil {
			return err
		}
	}
	switch {
	case !now.Open():
		v.room.CompareAndSwap(room, 0)
		if now.ClosedBy == v.c.actor.User.ID || now.Reason == models.VisitorLeft {
			return v.again(ctx) // it was another connection's end
		}
	case agent != 0 && agent != before:
		return v.c.write(supportPaired)
	case agent == 0 && first:
		return v.c.write(supportNobody)
	}
	return nil
}

// again opens another conversation.
func (v *supportVisitor) again(ctx context.Context) error {
	if err := v.open(ctx, ""); err != nil {
		return err
	}
	return v.see(ctx)
}

// say implements supportSide. Where the conversation is closed, it is the first text of another one.
func (v *supportVisitor) say(ctx context.Context, text string) error {
	select {
	case <-v.opened:
	case <-ctx.Done():
		return ctx.Err()
	}
	room := v.room.Load()
	err := errNoRoom
	if room != 0 {
		err = v.c.send(ctx, room, text)
	}
	if code := models.CodeOf(err); errors.Is(err, errNoRoom) || code == models.CodeConflict || code == models.CodeForbidden {
		if v.closed(ctx, room) {
			err = v.open(ctx, text)
		}
	}
	if err != nil {
		return v.c.refused(err)
	}
	return nil
}

var errNoRoom = errors.New("no conversation is open")

// closed says whether the conversation is none any more.
func (v *supportVisitor) closed(ctx context.Context, room int64) bool {
	if room == 0 {
		return true
	}
	now, err := v.c.ws.opt.Chat.Conversation(ctx, v.c.actor, room)
	return err == nil && !now.Open()
}
