package models

import "time"

// SupportStats are the figures of support: of the conversations that were opened on the days From to To, both included,
// by the clock of Timezone, of the agents in that time, and of the moment.
type SupportStats struct {
	From, To string // 2006-01-02
	Timezone string // IANA name
	Queue    string // the only department; empty: all

	Total  SupportFigures
	Queues []QueueFigures // by name, those in which something was opened
	Days   []DayFigures   // every day
	Agents []AgentFigures // by name, those who had a conversation
	Now    SupportNow
}

// SupportFigures are those of some conversations.
type SupportFigures struct {
	Opened    int
	Assigned  int // had an agent
	Closed    int // are closed
	Abandoned int // are closed and never had an agent

	Waiting       Spread // until the first agent had it
	FirstResponse Spread // from then until the first message of an agent
	Duration      Spread // of closed ones: how long agents had it, in all
	Ratings       RatingFigures
}

// Spread says where durations lie. Of none all is 0.
type Spread struct {
	Count                     int
	Average, Median, P95, Max time.Duration
}

// RatingFigures are those of ratings.
type RatingFigures struct {
	Count   int
	Average float64 // 0: there are none
	Scores  [5]int  // how many of 1 to 5
}

// QueueFigures are those of a department.
type QueueFigures struct {
	Queue string
	SupportFigures
}

// DayFigures are those of a day, and of its departments in which something was opened, by name.
type DayFigures struct {
	Date string
	SupportFigures
	Queues []QueueFigures
}

// AgentFigures are those of an agent in a time.
type AgentFigures struct {
	UserID int64
	Name   string // the present one

	Assigned      int           // conversations that they had
	Closed        int           // of those: were closed in that time, while they had them
	Busy          time.Duration // in which they had at least one
	AverageLoad   float64       // conversations at once, over Busy; 0: there was no such time
	MaxLoad       int
	FirstResponse Spread        // to conversations in which they were the first to answer, from when they had it on
	Ratings       RatingFigures // of those that count as closed
}

// SupportNow is how support stands.
type SupportNow struct {
	Queues []QueueNow // all departments, by name
	Agents AgentsNow
}

// QueueNow is how a department stands.
type QueueNow struct {
	Queue       string
	Waiting     int
	LongestWait time.Duration // of those that wait
	Assigned    int
}

// AgentsNow is how the agents stand.
type AgentsNow struct {
	Available int // said to be
	Present   int // of those: are here
	Capacity  int // conversations that those who are present take at once, in all
	Load      int // conversations that they have
}

// FiguredConversation is what a conversation adds to figures.
type FiguredConversation struct {
	QueueID     int64 // the department that it was opened in; where that is gone, GeneralQueue
	Closed      bool
	OpenedAt    Time
	QueuedAt    Time          // when it had begun to wait for its first agent; zero: it never had one
	AssignedAt  Time          // to the first agent; zero: never
	RespondedAt Time          // zero: not yet
	Served      time.Duration // how long agents had it, as far as that is over
	Score       int           // 0: none
}

// FiguredAssignment is what it adds to figures that somebody had a conversation.
type FiguredAssignment struct {
	ConversationID int64
	AgentID        int64
	From           Time
	To             Time // zero: still
	// Of the conversation.
	RespondedAt Time
	ClosedAt    Time // zero: it is open, or they had it again, or another agent did
	Score       int
}

// QueueLoad is how many conversations of a department are in a state, and since when the oldest is waiting.
type QueueLoad struct {
	QueueID     int64
	State       ConversationState
	Count       int
	QueuedSince Time
}

// SupportStepKind says what happened to a conversation.
type SupportStepKind int

// What is counted.
const (
	StepOpened    SupportStepKind = iota + 1
	StepAssigned                  // to its first agent; Took: how long it waited
	StepResponded                 // an agent said something for the first time; Took: since the first assignment
	StepClosed                    // for Reason; Took: how long agents had it, in all
	StepReopened
	StepRated // with Score
)

// SupportStep is a change of a conversation, as far as it is counted.
type SupportStep struct {
	Kind   SupportStepKind
	Took   time.Duration
	Agent  bool // of StepClosed: it had one
	Reason CloseReason
	Score  int
}

// RespondedData is the payload of support.responded.
type RespondedData struct {
	ConversationID int64 `json:"conversation_id"`
}

// CloseReasons are all there are.
func CloseReasons() []CloseReason {
	return []CloseReason{ClosedByAgent, ClosedByVisitor, VisitorLeft, VisitorGone}
}
