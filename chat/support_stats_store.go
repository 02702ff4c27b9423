package chat

import (
	"time"

	"parley/models"
)

// SupportStatsReader reads what the figures of support are made of.
type SupportStatsReader interface {
	// FiguredConversations calls add for each conversation that was opened in the department (0: any) in
	// [from, to), in no order.
	FiguredConversations(from, to models.Time, queueID int64, add func(c models.FiguredConversation)) error
	// FiguredAssignments calls add each time that an agent had a conversation of the department (0: any) at some
	// moment of [from, to), in the order in which they got them.
	FiguredAssignments(from, to models.Time, queueID int64, add func(a models.FiguredAssignment)) error
	// QueueLoads counts the open conversations by department and state.
	QueueLoads() ([]models.QueueLoad, error)
	// Served is how long agents had the conversation, as far as that is over.
	Served(conversationID int64) (time.Duration, error)
}
