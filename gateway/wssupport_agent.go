package gateway

import (
	"context"
	"slices"
	"strconv"
	"sync/atomic"

	"parley/chat"
	"parley/models"
)

// supportAgent is an agent's connection.
type supportAgent struct {
	c       *supportConn
	current atomic.Int64 // the conversation that the agent's words go to: the one that spoke last; 0: none
	has     map[int64]*servedVisitor
}

// servedVisitor is whom the agent has a conversation with. Both are of the stream's goroutine.
type servedVisitor struct {
	id    int64
	name  string
	shown int64 // the newest message that the agent was given
}

func newSupportAgent(c *supportConn) *supportAgent {
	return &supportAgent{c: c, has: map[int64]*servedVisitor{}}
}

// leave implements supportSide.
func (a *supportAgent) leave(ctx context.Context, stopping bool) error {
	last, served, before := a.c.ws.desk.leave(a.c.actor.User.ID)
	if !served {
		return a.c.ws.opt.Chat.LeaveLegacy(ctx, a.c.actor)
	}
	return a.c.ws.opt.Chat.LeaveService(ctx, a.c.actor, before, last, !stopping)
}

// hear implements supportSide.
func (a *supportAgent) hear(ctx context.Context, e *event) error {
	switch e.Type {
	case models.Ready:
		return a.begin(ctx)
	case models.SupportUpdated:
		c := &e.Data.Conversation
		own := c.State == models.Assigned && c.Agent != nil && c.Agent.ID == a.c.actor.User.ID
		if own || a.has[c.ID] != nil {
			return a.see(ctx, c.ID)
		}
		return nil
	case models.MessageCreated:
		return a.tell(e.RoomID, e.Data.Message.ID, e.Data.Message.Sender.ID, e.Data.Message.Text)
	default:
		return nil
	}
}

// begin has the agent take part, and tells of the visitors whom they have already.
func (a *supportAgent) begin(ctx context.Context) error {
	before, err := a.c.ws.opt.Chat.TakeUpService(ctx, a.c.actor)
	if err != nil {
		return err
	}
	a.c.ws.desk.took(before)
	list, err := a.assigned(ctx)
	if err != nil {
		return err
	}
	for _, c := range list {
		if err := a.see(ctx, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// assigned gives the conversations that the agent has, oldest first.
func (a *supportAgent) assigned(ctx context.Context) ([]models.Conversation, error) {
	list, _, err := a.c.ws.opt.Chat.Conversations(ctx, a.c.actor, chat.ConversationFilter{
		State: models.Assigned, Agent: strconv.FormatInt(a.c.actor.User.ID, 10),
	}, 0, chat.MaxCapacity)
	slices.Reverse(list)
	return list, err
}

// see finds out what has become of a conversation that is, or was, the agent's.
func (a *supportAgent) see(ctx context.Context, id int64) error {
	now, err := a.c.ws.opt.Chat.Conversation(ctx, a.c.actor, id)
	if err != nil {
		return err
	}
	visitor := a.has[id]
	if now.State != models.Assigned || now.AgentID != a.c.actor.User.ID {
		if visitor == nil {
			return nil
		}
		delete(a.has, id)
		if a.current.Load() == id {
			a.current.Store(a.another())
		}
		return a.c.write(supportVisitorLeft)
	}
	if visitor == nil {
		visitor = &servedVisitor{id: now.VisitorID}
		a.has[id] = visitor
		a.current.CompareAndSwap(0, id)
	}
	visitor.name = calledInSupport(now.Visitor)
	return a.catchUp(ctx, id, visitor)
}

// catchUp tells what the visitor has said and nobody has answered.
func (a *supportAgent) catchUp(ctx context.Context, room int64, visitor *servedVisitor) error {
	messages, err := a.c.newest(ctx, room, visitor.shown)
	if err != nil {
		return err
	}
	answered := 0
	for i := range messages {
		if messages[i].SenderID != visitor.id {
			answered = i + 1
			visitor.shown = messages[i].ID
		}
	}
	for _, m := range messages[answered:] {
		if err := a.tell(room, m.ID, m.SenderID, m.Text); err != nil {
			return err
		}
	}
	return nil
}

// another is the oldest conversation that the agent has, 0 where there is none.
func (a *supportAgent) another() (oldest int64) {
	for id := range a.has {
		if oldest == 0 || id < oldest {
			oldest = id
		}
	}
	return oldest
}

// tell gives the agent a message of a visitor whom they have.
func (a *supportAgent) tell(room, id, sender int64, text string) error {
	visitor := a.has[room]
	if visitor == nil || sender != visitor.id || id <= visitor.shown {
		return nil
	}
	visitor.shown = id
	if text == "" {
		return nil // deleted
	}
	a.current.Store(room)
	return a.c.write(visitor.name + ":" + text)
}

// say implements supportSide.
func (a *supportAgent) say(ctx context.Context, text string) error {
	room := a.current.Load()
	if room == 0 { // or the stream does not say yet that there is somebody
		list, err := a.assigned(ctx)
		if err != nil {
			return a.c.refused(err)
		}
		if len(list) == 0 {
			return a.c.write(supportAlone)
		}
		room = list[0].ID
	}
	if err := a.c.send(ctx, room, text); err != nil {
		return a.c.refused(err)
	}
	return nil
}
