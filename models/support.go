package models

import "time"

// ConversationState says where a support conversation stands.
type ConversationState string

// The states.
const (
	Queued   ConversationState = "queued"
	Assigned ConversationState = "assigned"
	Closed   ConversationState = "closed"
)

// CloseReason says why a conversation is closed.
type CloseReason string

// The reasons. Who left may come back to it.
const (
	ClosedByAgent   CloseReason = "agent"
	ClosedByVisitor CloseReason = "visitor"
	VisitorLeft     CloseReason = "visitor_left"
	VisitorGone     CloseReason = "visitor_deleted"
)

// Conversation is somebody's talk with support. Its ID is its room's.
type Conversation struct {
	ID        int64
	NotesRoom int64 // 0: nothing was noted yet
	VisitorID int64
	Visitor   User // filled by readers, with its present name
	Details   VisitorDetails
	QueueID   int64
	Queue     string        // the department's present name, filled by readers
	Hours     *OpeningHours // the department's, filled by readers
	Subject   string

	State   ConversationState
	AgentID int64 // of a closed one the last; 0: none
	Agent   User  // as Visitor
	// Front is queued before all that are not. Place is the order within that: an id of the log.
	Front    bool
	Place    int64
	Position int // in the queue, from 1; filled by readers of queued ones
	// Offline was opened outside the department's hours by somebody who has not been back: it is not closed for
	// their being away.
	Offline bool
	// OutOfHours is, of a queued one, that its department is closed just now, and NextOpening when that opens, zero:
	// never. Both are filled where it is shown to somebody.
	OutOfHours  bool
	NextOpening Time

	OpenedAt        Time
	QueuedAt        Time // when it began to wait, the last time
	AssignedAt      Time // to the present agent; zero: never
	FirstAssignedAt Time // zero: never
	RespondedAt     Time // when an agent first said something; zero: not yet
	ClosedAt        Time // zero: open
	Reason          CloseReason
	ClosedBy        int64 // 0: nobody

	Rating *Rating // nil: none
}

// Open says whether the conversation goes on.
func (c Conversation) Open() bool { return c.State != Closed }

// Rating is what the visitor thinks of a conversation.
type Rating struct {
	Score     int
	Comment   string
	CreatedAt Time
}

// Attendance is a time in which an agent had a conversation.
type Attendance struct {
	Agent User // with its present name
	From  Time
	To    Time // zero: still
}

// VisitorDetails is what somebody told before the chat. The name is the account's display name.
type VisitorDetails struct{ Email, Page, Language string }

// SupportAgent is an agent as support knows one.
type SupportAgent struct {
	User      User // filled by readers
	Available bool
	Capacity  int      // conversations at once
	Queues    []string // the departments that they take from, by name; none: all
	IdleSince Time     // when they became available or their last conversation went, whichever is later
	Load      int      // conversations that they have
}

// Assignment says whether a department's conversations go to agents by themselves.
type Assignment string

// The ways of assignment.
const (
	AutoAssignment   Assignment = "auto"
	ManualAssignment Assignment = "manual"
)

// GeneralQueue is the department for what is for none of the others. It cannot be deleted.
const GeneralQueue int64 = 1

// SupportQueue is a department.
type SupportQueue struct {
	ID         int64
	Name       string
	Key        string
	Assignment Assignment
	Hours      *OpeningHours // nil: always open
	CreatedAt  Time
	Waiting    int // queued conversations, filled by readers of lists
}

// OpenAt says whether the department is open, and when it opens next where it is not: zero where it never does.
func (q SupportQueue) OpenAt(now time.Time) (open bool, next Time) {
	return q.Hours.At(now)
}

// SupportReply is a canned reply.
type SupportReply struct {
	ID        int64
	Title     string
	Key       string
	Text      string
	QueueID   int64  // 0: of all departments
	Queue     string // its present name, filled by readers
	ByID      int64
	ByName    string // as Queue
	CreatedAt Time
	UpdatedAt Time
	Rendered  string // the text with its placeholders filled in, by who was asked to
}

// EventConversation is a conversation as its events carry it. What only agents may know is in theirs alone.
type EventConversation struct {
	ID         int64             `json:"id"`
	RoomID     int64             `json:"room_id"`
	State      ConversationState `json:"state"`
	Queue      string            `json:"queue"`
	Subject    string            `json:"subject,omitempty"`
	Visitor    EventUser         `json:"visitor"`
	Email      string            `json:"email,omitempty"`
	Page       string            `json:"page,omitempty"`
	Language   string            `json:"language,omitempty"`
	Agent      *EventUser        `json:"agent,omitempty"`
	OpenedAt   Time              `json:"opened_at"`
	QueuedAt   Time              `json:"queued_at"`
	AssignedAt Time              `json:"assigned_at,omitzero"`
	ClosedAt   Time              `json:"closed_at,omitzero"`
	Reason     CloseReason       `json:"reason,omitempty"`
	Offline    bool              `json:"offline,omitempty"`
	Rating     *EventRating      `json:"rating,omitempty"`
	NotesRoom  int64             `json:"notes_room_id,omitempty"`
}

// EventRating is a rating as events carry it.
type EventRating struct {
	Score     int    `json:"score"`
	Comment   string `json:"comment,omitempty"`
	CreatedAt Time   `json:"created_at"`
}

// ForEvent is the conversation as its events carry it, for the agents or for the visitor.
func (c Conversation) ForEvent(agents bool) EventConversation {
	e := EventConversation{
		ID: c.ID, RoomID: c.ID, State: c.State, Queue: c.Queue, Subject: c.Subject, Visitor: c.Visitor.ForEvent(),
		Email: c.Details.Email, Page: c.Details.Page, Language: c.Details.Language,
		OpenedAt: c.OpenedAt, QueuedAt: c.QueuedAt, ClosedAt: c.ClosedAt, Reason: c.Reason, Offline: c.Offline,
	}
	if c.AgentID != 0 {
		agent := c.Agent.ForEvent()
		e.Agent, e.AssignedAt = &agent, c.AssignedAt
	}
	if c.Rating != nil {
		e.Rating = &EventRating{Score: c.Rating.Score, Comment: c.Rating.Comment, CreatedAt: c.Rating.CreatedAt}
	}
	if agents {
		e.NotesRoom = c.NotesRoom
	}
	return e
}

// SupportData is the payload of support.updated.
type SupportData struct {
	Conversation EventConversation `json:"conversation"`
}

// SupportPositionData is the payload of support.position.
type SupportPositionData struct {
	ConversationID int64 `json:"conversation_id"`
	Position       int   `json:"position"`
}

// ConversationPage is what part of the conversations is wanted, the newest first. Zero fields do not narrow it.
type ConversationPage struct {
	State     ConversationState
	VisitorID int64
	AgentID   int64
	QueueID   int64
	Before    int64 // id; 0: from the newest on
	Limit     int
}

// QueueHead is the first conversation of a queue.
type QueueHead struct {
	ConversationID int64
	QueueID        int64
	VisitorID      int64
	Front          bool
	Place          int64
	Hours          *OpeningHours // the department's
}

// QueuePlace is a queued conversation, in the order of its queue.
type QueuePlace struct{ ConversationID, VisitorID, QueueID int64 }

// OpenConversation is who is in an open conversation.
type OpenConversation struct {
	ID        int64
	VisitorID int64
	AgentID   int64 // 0: it is queued
	Offline   bool
}
