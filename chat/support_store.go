package chat

import "parley/models"

// SupportReader reads what support has. Conversations come with all that readers fill.
type SupportReader interface {
	// Visitor gives what somebody told before the chat; ErrNotFound for who came otherwise.
	Visitor(userID int64) (models.VisitorDetails, error)
	Conversation(id int64) (models.Conversation, error)
	// OpenConversation gives the visitor's, which is one at most; LastConversation the newest, closed or not.
	OpenConversation(visitorID int64) (models.Conversation, error)
	LastConversation(visitorID int64) (models.Conversation, error)
	// Conversations gives those of a page, newest first.
	Conversations(page models.ConversationPage) ([]models.Conversation, error)
	// ConversationsOf gives those that are assigned to the agent, oldest first.
	ConversationsOf(agentID int64) ([]models.Conversation, error)
	// Waiting gives a department's queued ones in their order.
	Waiting(queueID int64) ([]models.Conversation, error)
	// QueueHeads gives the first conversation of each queue that assigns by itself, those in front first, then by place.
	QueueHeads() ([]models.QueueHead, error)
	// QueuePlaces gives all that are queued, queue by queue in their order.
	QueuePlaces() ([]models.QueuePlace, error)
	OpenConversations() ([]models.OpenConversation, error)
	// LeftConversations gives those that were closed since, because the visitor had left.
	LeftConversations(since models.Time) ([]models.OpenConversation, error)

	// SupportAgent gives an agent that ever said to be available; ErrNotFound for who is no agent any more.
	SupportAgent(userID int64) (models.SupportAgent, error)
	// SupportAgents gives them with user id > after, by user id.
	SupportAgents(after int64, limit int) ([]models.SupportAgent, error)
	// AvailableAgents gives the ids of those who take part.
	AvailableAgents() ([]int64, error)
	// FreeAgents gives those that are available for the department and have fewer conversations than they take, the
	// least loaded, then longest idle first. Without their departments.
	FreeAgents(queueID int64) ([]models.SupportAgent, error)

	SupportQueue(id int64) (models.SupportQueue, error)
	SupportQueueByKey(key string) (models.SupportQueue, error)
	// SupportQueues gives all departments by name.
	SupportQueues() ([]models.SupportQueue, error)
}

// SupportWriter writes what support has.
type SupportWriter interface {
	InsertVisitor(userID int64, d models.VisitorDetails) error
	// EraseConversations takes subjects and comments out of the visitor's conversations.
	EraseConversations(visitorID int64) error
	InsertConversation(c models.Conversation) error
	// UpdateConversation writes what can change of one, but for its rating.
	UpdateConversation(c models.Conversation) error
	// SaveSupportAgent writes availability, capacity and since when they are idle.
	SaveSupportAgent(a models.SupportAgent) error
	// SetAgentQueues replaces the departments that the agent takes from; none: all.
	SetAgentQueues(userID int64, queueIDs []int64) error
	// InsertAssignment notes that the conversation has its agent from now on, by the entry of that id; EndAssignment,
	// that it has them no more.
	InsertAssignment(id int64, c models.Conversation) error
	EndAssignment(conversationID int64) error
}
