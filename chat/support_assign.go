package chat

import (
	"errors"
	"fmt"
	"slices"

	"parley/models"
)

// assignWaiting gives queued conversations to free agents until one of both is used up: of all departments the one
// that waits in front, or longest, first. Every command that can free or bring capacity ends with it.
func (s *Service) assignWaiting(tx Tx) error {
	for {
		heads, err := tx.QueueHeads()
		if err != nil {
			return fmt.Errorf("read the heads of the queues: %w", err)
		}
		assigned := false
		for _, head := range heads {
			if assigned, err = s.assignHead(tx, head); err != nil {
				return err
			}
			if assigned {
				break
			}
		}
		if !assigned {
			return nil
		}
	}
}

// assignHead gives the first conversation of a queue to a free agent, if there is one and the department is open.
func (s *Service) assignHead(tx Tx, head models.QueueHead) (bool, error) {
	if open, _ := head.Hours.At(tx.Now().Time); !open {
		return false, nil
	}
	agent, err := s.freeAgent(tx, head.QueueID, head.VisitorID)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	c, err := tx.Conversation(head.ConversationID)
	if err != nil {
		return false, fmt.Errorf("read conversation: %w", err)
	}
	return true, assign(tx, c, agent)
}

// freeAgent gives the least loaded, then longest idle agent who is free for the department and here, but for those left
// out. ErrNotFound where there is none.
func (s *Service) freeAgent(r Reader, queueID int64, out ...int64) (models.User, error) {
	agents, err := r.FreeAgents(queueID)
	if err != nil {
		return models.User{}, fmt.Errorf("look for free agents: %w", err)
	}
	for _, agent := range agents {
		if s.desk.here(agent.User.ID) && !slices.Contains(out, agent.User.ID) {
			return agent.User, nil
		}
	}
	return models.User{}, ErrNotFound
}

// assign gives a queued conversation to an agent, who comes into its room.
func assign(tx Tx, c models.Conversation, agent models.User) error {
	c.State, c.AgentID, c.Agent, c.AssignedAt, c.Front, c.Position = models.Assigned, agent.ID, agent, tx.Now(), false, 0
	var step *models.SupportStep
	if c.FirstAssignedAt.IsZero() {
		c.FirstAssignedAt = tx.Now()
		step = &models.SupportStep{Kind: models.StepAssigned, Took: between(c.QueuedAt, tx.Now())}
	}
	entry, err := tellStep(tx, c, step)
	if err != nil {
		return err
	}
	if err := tx.InsertAssignment(entry, c); err != nil {
		return fmt.Errorf("insert assignment: %w", err)
	}
	room, err := tx.Room(c.ID)
	if err != nil {
		return fmt.Errorf("read the conversation's room: %w", err)
	}
	_, err = welcome(tx, room, agent, models.RoomModerator)
	return err
}

// release takes the agent out of the conversation's room and counts them idle from now on.
func release(tx Tx, c models.Conversation) error {
	room, err := tx.Room(c.ID)
	if err != nil {
		return fmt.Errorf("read the conversation's room: %w", err)
	}
	agent, err := tx.User(c.AgentID)
	if err != nil {
		return fmt.Errorf("read the agent: %w", err)
	}
	if err := part(tx, room, agent, models.RoomModerator, ""); err != nil {
		return err
	}
	if err := tx.EndAssignment(c.ID); err != nil {
		return fmt.Errorf("end assignment: %w", err)
	}
	row, err := tx.SupportAgent(c.AgentID)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read agent: %w", err)
	}
	row.IdleSince = tx.Now()
	if err := tx.SaveSupportAgent(row); err != nil {
		return fmt.Errorf("save agent: %w", err)
	}
	return nil
}

// requeue puts an assigned conversation back to the head of its queue, where the oldest comes first, and tells the
// visitor.
func requeue(tx Tx, c models.Conversation) error {
	if err := release(tx, c); err != nil {
		return err
	}
	c.State, c.AgentID, c.Front, c.Place, c.QueuedAt = models.Queued, 0, true, c.ID, tx.Now()
	_, err := tellSupport(tx, c)
	return err
}

// requeueAll puts all of an agent's conversations back.
func requeueAll(tx Tx, agentID int64) error {
	list, err := tx.ConversationsOf(agentID)
	if err != nil {
		return fmt.Errorf("list the agent's conversations: %w", err)
	}
	for _, c := range list {
		if err := requeue(tx, c); err != nil {
			return err
		}
	}
	return nil
}

// resign ends somebody's service: they take part no more, and what they had goes back.
func (s *Service) resign(tx Tx, userID int64) error {
	agent, err := tx.SupportAgent(userID)
	if err == nil && agent.Available {
		agent.Available = false
		if err := tx.SaveSupportAgent(agent); err != nil {
			return fmt.Errorf("save agent: %w", err)
		}
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("read agent: %w", err)
	}
	if err := requeueAll(tx, userID); err != nil {
		return err
	}
	return s.assignWaiting(tx)
}

// changeSides ends what somebody has in support whose role changes from one that seeks it to one that gives it, or back: nobody
// waits for themselves.
func (s *Service) changeSides(tx Tx, userID int64, served, serves bool, by int64) error {
	switch {
	case served && !serves:
		return s.resign(tx, userID)
	case serves && !served:
		if err := closeOwn(tx, userID, models.ClosedByAgent, by); err != nil {
			return err
		}
		return s.assignWaiting(tx)
	}
	return nil
}

// closeOwn closes the conversation that somebody has as a visitor, if there is one.
func closeOwn(tx Tx, userID int64, reason models.CloseReason, by int64) error {
	c, err := tx.OpenConversation(userID)
	if err == nil {
		return closeConversation(tx, c, reason, by)
	}
	if !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("look for an open conversation: %w", err)
	}
	return nil
}

// quitSupport ends all that somebody whose account is deleted has in support.
func (s *Service) quitSupport(tx Tx, user models.User) error {
	if err := closeOwn(tx, user.ID, models.VisitorGone, user.ID); err != nil {
		return err
	}
	return s.resign(tx, user.ID)
}
