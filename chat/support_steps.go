package chat

import (
	"fmt"

	"parley/models"
)

// closing is what the end of an open conversation is counted as.
func closing(tx Tx, c models.Conversation, reason models.CloseReason) (models.SupportStep, error) {
	step := models.SupportStep{Kind: models.StepClosed, Reason: reason, Agent: !c.FirstAssignedAt.IsZero()}
	var err error
	if step.Took, err = tx.Served(c.ID); err != nil {
		return step, fmt.Errorf("read how long agents had the conversation: %w", err)
	}
	if c.State == models.Assigned {
		step.Took += between(c.AssignedAt, tx.Now())
	}
	return step, nil
}

// responded notes that an agent has said something for the first time. Nobody is told but who counts: the message itself
// says it to all others.
func responded(tx Tx, c models.Conversation) error {
	c.RespondedAt = tx.Now()
	if err := tx.UpdateConversation(c); err != nil {
		return fmt.Errorf("update conversation: %w", err)
	}
	step := &models.SupportStep{Kind: models.StepResponded, Took: between(c.FirstAssignedAt, tx.Now())}
	_, err := tx.Append(models.Event{Type: models.SupportResponded, Change: models.Change{Support: step}},
		models.RespondedData{ConversationID: c.ID})
	if err != nil {
		return fmt.Errorf("append support.responded: %w", err)
	}
	return nil
}
