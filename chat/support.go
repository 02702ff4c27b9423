package chat

import (
	"context"
	"errors"
	"fmt"

	"parley/models"
)

// party is who acts in support, and the conversation that they act upon.
type party struct {
	user models.User
	c    models.Conversation
	now  models.Time
}

// isVisitor says whether the conversation is the actor's own.
func (p party) isVisitor() bool { return p.user.ID == p.c.VisitorID }

// conversation finds a conversation that the actor may see: agents see all, others their own. All else is not there.
func (s *Service) conversation(r Reader, a Actor, id int64) (party, error) {
	user, err := acting(r, a)
	if err != nil {
		return party{}, err
	}
	c, err := r.Conversation(id)
	if err == nil && !user.Role.Staff() && c.VisitorID != user.ID {
		err = ErrNotFound
	}
	if errors.Is(err, ErrNotFound) && user.Role == models.RoleVisitor {
		return party{}, errVisitor()
	}
	return party{user: user, c: c, now: s.moment(r)}, found(err, "conversation")
}

// served is conversation for an agent's calls.
func (s *Service) served(r Reader, a Actor, id int64) (party, error) {
	user, err := serving(r, a)
	if err != nil {
		return party{}, err
	}
	c, err := r.Conversation(id)
	return party{user: user, c: c, now: s.moment(r)}, found(err, "conversation")
}

// serving reads who acts anew and refuses all but agents and admins.
func serving(r Reader, a Actor) (models.User, error) {
	user, err := acting(r, a)
	if err == nil && !user.Role.Staff() {
		err = models.Refuse(models.CodeForbidden, "only agents may do that")
	}
	return user, err
}

// tellSupport writes a conversation and tells the agents and the visitor what it is now. It gives the entry by which
// the agents are told.
func tellSupport(tx Tx, c models.Conversation) (entry int64, err error) { return tellStep(tx, c, nil) }

// tellStep is tellSupport for a change that is counted.
func tellStep(tx Tx, c models.Conversation, step *models.SupportStep) (entry int64, err error) {
	if err := tx.UpdateConversation(c); err != nil {
		return 0, fmt.Errorf("update conversation: %w", err)
	}
	ev, err := tx.Append(models.Event{
		Type: models.SupportUpdated, Audience: models.Agents(), Change: models.Change{Support: step},
	}, models.SupportData{Conversation: c.ForEvent(true)})
	if err != nil {
		return 0, fmt.Errorf("append support.updated: %w", err)
	}
	_, err = tx.Append(models.Event{
		Type: models.SupportUpdated, Audience: models.ForUser(c.VisitorID),
	}, models.SupportData{Conversation: c.ForEvent(false)})
	if err != nil {
		return 0, fmt.Errorf("append support.updated: %w", err)
	}
	return ev.ID, nil
}

// Conversation gives one conversation that the actor may see.
func (s *Service) Conversation(ctx context.Context, a Actor, id int64) (models.Conversation, error) {
	return view(ctx, s, func(r Reader) (models.Conversation, error) {
		p, err := s.conversation(r, a, id)
		return p.shown(), err
	})
}

// shown is the conversation without what the actor may not know, and whether it waits for its department to open.
func (p party) shown() models.Conversation {
	if p.c.State == models.Queued {
		open, next := p.c.Hours.At(p.now.Time)
		p.c.OutOfHours, p.c.NextOpening = !open, next
	}
	if !p.user.Role.Staff() {
		p.c.NotesRoom = 0
	}
	return p.c
}

// ConversationFilter narrows a list of conversations.
type ConversationFilter struct {
	State models.ConversationState // empty: any
	Queue string                   // a department's name; empty: any
	Agent string                   // a UserRef; empty: any
}

// Conversations gives conversations with id < before (0: all), the newest first: to agents all, to others their own. next is
// the id to go on from, 0 at the end.
func (s *Service) Conversations(ctx context.Context, a Actor, f ConversationFilter, before int64, limit int) (list []models.Conversation, next int64, err error) {
	list, err = view(ctx, s, func(r Reader) ([]models.Conversation, error) {
		user, err := acting(r, a)
		if err != nil {
			return nil, err
		}
		page := models.ConversationPage{State: f.State, Before: before, Limit: limit + 1}
		if !user.Role.Staff() {
			page.VisitorID = user.ID
		}
		if f.Queue != "" {
			q, err := queueNamed(r, f.Queue)
			if err != nil {
				return nil, err
			}
			page.QueueID = q.ID
		}
		if f.Agent != "" {
			agent, err := agentNamed(r, user, f.Agent)
			if err != nil {
				return nil, err
			}
			page.AgentID = agent.ID
		}
		list, err := r.Conversations(page)
		if err != nil {
			return nil, fmt.Errorf("list conversations: %w", err)
		}
		for i := range list {
			list[i] = party{user: user, c: list[i], now: s.moment(r)}.shown()
		}
		return list, nil
	})
	if len(list) > limit {
		list = list[:limit]
		next = list[limit-1].ID
	}
	return list, next, err
}

// agentNamed finds the user that an agent's request names in its field `agent`. Nobody else learns by it whom there is.
func agentNamed(r Reader, by models.User, ref string) (models.User, error) {
	if !by.Role.Staff() {
		return models.User{}, models.Refuse(models.CodeForbidden, "only agents may ask by agent")
	}
	user, err := lookupUser(r, ref)
	if models.CodeOf(err) == models.CodeNotFound {
		err = models.Invalid("agent", "there is no such user")
	}
	return user, err
}

// queueNamed finds a department that a request names in its field `queue`.
func queueNamed(r Reader, name string) (models.SupportQueue, error) {
	q, err := r.SupportQueueByKey(models.NameKey(name))
	if errors.Is(err, ErrNotFound) {
		return q, models.Invalid("queue", "there is no such department")
	}
	if err != nil {
		return q, fmt.Errorf("read department: %w", err)
	}
	return q, nil
}
