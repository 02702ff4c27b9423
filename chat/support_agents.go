package chat

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"parley/models"
)

// MaxCapacity is how many conversations at once an agent can take.
const MaxCapacity = 100

// Availability is what an agent says of themselves; nil leaves it as it is.
type Availability struct {
	Available bool
	Capacity  *int
	Queues    *[]string // the departments to take from; none: all
	Release   bool      // with Available false: what they have goes back to the queue
}

// SetAvailability has the actor take part in support, or not. It holds over restarts.
func (s *Service) SetAvailability(ctx context.Context, a Actor, v Availability) (PresentAgent, error) {
	if err := checkCapacity(v.Capacity); err != nil {
		return PresentAgent{}, err
	}
	if v.Release && v.Available {
		return PresentAgent{}, models.Invalid("release", "goes with available: false")
	}
	s.desk.watch(a.User.ID)
	agent, err := do(ctx, s, func(tx Tx) (models.SupportAgent, error) {
		user, err := serving(tx, a)
		if err != nil {
			return models.SupportAgent{}, err
		}
		return s.setAvailability(tx, user, v)
	})
	if err != nil {
		return PresentAgent{}, err
	}
	return s.presentAgent(agent), nil
}

func checkCapacity(capacity *int) error {
	if capacity != nil && (*capacity < 1 || *capacity > MaxCapacity) {
		return models.Invalid("capacity", "must be 1 to %d", MaxCapacity)
	}
	return nil
}

// agentOf gives an agent, who takes no part where they never said that they do.
func agentOf(tx Tx, user models.User) (models.SupportAgent, error) {
	agent, err := tx.SupportAgent(user.ID)
	if errors.Is(err, ErrNotFound) {
		return models.SupportAgent{User: user, Capacity: 1, IdleSince: tx.Now()}, nil
	}
	if err != nil {
		return agent, fmt.Errorf("read agent: %w", err)
	}
	return agent, nil
}

func (s *Service) setAvailability(tx Tx, user models.User, v Availability) (models.SupportAgent, error) {
	agent, err := agentOf(tx, user)
	if err != nil {
		return agent, err
	}
	if v.Available && !agent.Available {
		agent.IdleSince = tx.Now()
	}
	agent.Available = v.Available
	if v.Capacity != nil {
		agent.Capacity = *v.Capacity
	}
	if err := tx.SaveSupportAgent(agent); err != nil {
		return agent, fmt.Errorf("save agent: %w", err)
	}
	if v.Queues != nil {
		ids, err := queuesNamed(tx, *v.Queues)
		if err != nil {
			return agent, err
		}
		if err := tx.SetAgentQueues(user.ID, ids); err != nil {
			return agent, fmt.Errorf("set the agent's departments: %w", err)
		}
	}
	if v.Release {
		if err := requeueAll(tx, user.ID); err != nil {
			return agent, err
		}
	}
	if err := s.assignWaiting(tx); err != nil {
		return agent, err
	}
	if agent, err = tx.SupportAgent(user.ID); err != nil {
		return agent, fmt.Errorf("read agent: %w", err)
	}
	return agent, nil
}

// AgentList is one page of agents. Next is the user id to go on from, 0 at the end.
type AgentList struct {
	Agents []PresentAgent
	Next   int64
}

// PresentAgent is an agent, and whether they are here to take conversations.
type PresentAgent struct {
	models.SupportAgent
	Status models.Status
	Here   bool
}

// SupportAgents gives who ever took part in support, and how many conversations each has.
func (s *Service) SupportAgents(ctx context.Context, a Actor, after int64, limit int) (AgentList, error) {
	return view(ctx, s, func(r Reader) (out AgentList, err error) {
		if _, err := serving(r, a); err != nil {
			return out, err
		}
		list, err := r.SupportAgents(after, limit+1)
		if err != nil {
			return out, fmt.Errorf("list agents: %w", err)
		}
		if len(list) > limit {
			list = list[:limit]
			out.Next = list[limit-1].User.ID
		}
		for _, agent := range list {
			out.Agents = append(out.Agents, s.presentAgent(agent))
		}
		return out, nil
	})
}

func (s *Service) presentAgent(agent models.SupportAgent) PresentAgent {
	return PresentAgent{
		SupportAgent: agent, Status: s.presence.Of(agent.User.ID).Status, Here: s.desk.here(agent.User.ID),
	}
}

// AcceptConversation assigns a queued conversation to the actor, who needs not be available. An admin takes one over that
// another agent has, whatever their own capacity. Who has it already keeps it.
func (s *Service) AcceptConversation(ctx context.Context, a Actor, id int64) (models.Conversation, error) {
	s.desk.watch(a.User.ID)
	return do(ctx, s, func(tx Tx) (models.Conversation, error) {
		p, err := s.served(tx, a, id)
		if err != nil || p.has() {
			return p.c, err
		}
		if err := mayAccept(tx, p); err != nil {
			return p.c, err
		}
		if p.c.State == models.Assigned {
			if err := release(tx, p.c); err != nil {
				return p.c, err
			}
		}
		if err := assign(tx, p.c, p.user); err != nil {
			return p.c, err
		}
		return s.settled(tx, p)
	})
}

func mayAccept(tx Tx, p party) error {
	switch {
	case p.isVisitor():
		return models.Refuse(models.CodeForbidden, "nobody serves themselves")
	case p.c.State == models.Closed:
		return errClosed()
	case p.c.State == models.Assigned && p.user.Role != models.RoleAdmin:
		return models.Refuse(models.CodeConflict, "another agent has the conversation already")
	case p.c.State == models.Assigned:
		return nil
	}
	capacity := 1
	agent, err := tx.SupportAgent(p.user.ID)
	switch {
	case err == nil:
		capacity = agent.Capacity
	case !errors.Is(err, ErrNotFound):
		return fmt.Errorf("read agent: %w", err)
	}
	list, err := tx.ConversationsOf(p.user.ID)
	if err != nil {
		return fmt.Errorf("list the agent's conversations: %w", err)
	}
	if len(list) >= capacity {
		return models.Refuse(models.CodeConflict, "you have %d conversations and take %d: raise your capacity, or close one", len(list), capacity)
	}
	return nil
}

func errClosed() error {
	return models.Refuse(models.CodeConflict, "the conversation is closed")
}

// Transfer says where a conversation goes: to an agent, to a department, or with neither to the next free agent.
type Transfer struct {
	Agent string // a UserRef
	Queue string
}

// TransferConversation passes a conversation on: the agent who has it may, and admins; a queued one goes to another
// department by any agent. no_agent_available where the agent meant, or every other, is not free; then nothing changes.
func (s *Service) TransferConversation(ctx context.Context, a Actor, id int64, to Transfer) (models.Conversation, error) {
	if to.Agent != "" && to.Queue != "" {
		return models.Conversation{}, models.Invalid("queue", "goes without agent: name one of them")
	}
	return do(ctx, s, func(tx Tx) (models.Conversation, error) {
		p, err := s.served(tx, a, id)
		if err != nil {
			return p.c, err
		}
		switch {
		case p.c.State == models.Closed:
			return p.c, errClosed()
		case p.c.State == models.Assigned && !p.has() && p.user.Role != models.RoleAdmin:
			return p.c, errNotYours()
		}
		if to.Queue != "" {
			err = s.toDepartment(tx, p, to.Queue)
		} else {
			err = s.toAgent(tx, p, to.Agent)
		}
		if err != nil {
			return p.c, err
		}
		return s.settled(tx, p)
	})
}

// toDepartment queues the conversation in front of another department's.
func (s *Service) toDepartment(tx Tx, p party, name string) error {
	queue, err := queueNamed(tx, name)
	if err != nil {
		return err
	}
	if queue.ID == p.c.QueueID {
		return models.Refuse(models.CodeConflict, "the conversation is in that department already")
	}
	p.c.QueueID, p.c.Queue = queue.ID, queue.Name
	if p.c.State == models.Assigned {
		return requeue(tx, p.c)
	}
	p.c.Front, p.c.Place = true, p.c.ID
	_, err = tellSupport(tx, p.c)
	return err
}

// toAgent assigns the conversation to the agent meant, or to the next free one.
func (s *Service) toAgent(tx Tx, p party, ref string) error {
	agent, err := s.nextAgent(tx, p, ref)
	if err != nil {
		return err
	}
	if p.c.State == models.Assigned {
		if err := release(tx, p.c); err != nil {
			return err
		}
	}
	return assign(tx, p.c, agent)
}

func (s *Service) nextAgent(tx Tx, p party, ref string) (models.User, error) {
	if ref == "" {
		agent, err := s.freeAgent(tx, p.c.QueueID, p.c.AgentID, p.c.VisitorID)
		if errors.Is(err, ErrNotFound) {
			err = models.Refuse(models.CodeNoAgentAvailable, "no other agent is free just now")
		}
		return agent, err
	}
	user, err := agentNamed(tx, p.user, ref)
	switch {
	case err != nil:
		return user, err
	case !user.Role.Staff():
		return user, models.Invalid("agent", "%s is no agent", user.Name)
	case user.ID == p.c.VisitorID:
		return user, models.Invalid("agent", "nobody serves themselves")
	case user.ID == p.c.AgentID && p.c.State == models.Assigned:
		return user, models.Refuse(models.CodeConflict, "%s has the conversation already", user.Name)
	}
	agent, err := tx.SupportAgent(user.ID)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return user, fmt.Errorf("read agent: %w", err)
	}
	if err != nil || !agent.Available || agent.Load >= agent.Capacity || !s.desk.here(user.ID) {
		return user, models.Refuse(models.CodeNoAgentAvailable, "%s is not free just now", user.Name)
	}
	return user, nil
}

// queuesNamed gives the ids of departments that a request names in its field `queues`.
func queuesNamed(r Reader, names []string) ([]int64, error) {
	ids := make([]int64, 0, len(names))
	for i, name := range names {
		q, err := r.SupportQueueByKey(models.NameKey(name))
		if errors.Is(err, ErrNotFound) {
			return nil, models.Invalid(fmt.Sprintf("queues/%d", i), "there is no such department")
		}
		if err != nil {
			return nil, fmt.Errorf("read department: %w", err)
		}
		if !slices.Contains(ids, q.ID) {
			ids = append(ids, q.ID)
		}
	}
	return ids, nil
}
