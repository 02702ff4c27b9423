package api

import (
	"context"
	"encoding/json"

	"parley/chat"
	"parley/models"
)

// CreateVisitor makes a visitor's account.
func (s *server) CreateVisitor(ctx context.Context, r CreateVisitorRequestObject) (CreateVisitorResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		body = CreateVisitorRequest{} // it is optional
	}
	from := device(ctx)
	ctx, _ = call(ctx)
	login, err := s.chat.CreateVisitor(ctx, chat.NewVisitor{
		Name: deref(body.Name), Email: deref(body.Email), Page: deref(body.Page), Language: deref(body.Language),
	}, from)
	if err != nil {
		return nil, err
	}
	var out CreateVisitor201JSONResponse
	out.Body, out.Headers.SetCookie = s.session(ctx, login)
	return out, nil
}

// OpenConversation opens a conversation with support.
func (s *server) OpenConversation(ctx context.Context, r OpenConversationRequestObject) (OpenConversationResponseObject, error) {
	n, err := newConversation(r)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	c, err := s.chat.OpenConversation(ctx, actor, n)
	if err != nil {
		return nil, err
	}
	return OpenConversation201JSONResponse{Body: wireConversation(c)}, nil
}

// newConversation reads the body, which is optional.
func newConversation(r OpenConversationRequestObject) (n chat.NewConversation, err error) {
	n.Wait = true
	var queue string
	switch {
	case r.JSONBody != nil:
		b := r.JSONBody
		n.Subject, n.Text, n.Wait = deref(b.Subject), deref(b.Text), b.Wait == nil || *b.Wait
		queue, err = queueText(b.Queue)
	case r.FormdataBody != nil:
		b := r.FormdataBody
		n.Subject, n.Text, n.Wait = deref(b.Subject), deref(b.Text), b.Wait == nil || *b.Wait
		queue = deref(b.Queue)
	}
	switch queue {
	case "false":
		n.Wait = false
	case "true":
	default:
		n.Queue = queue
	}
	return n, err
}

// queueText gives a QueueChoice as text, also where it is a JSON boolean.
func queueText(choice *QueueChoice) (string, error) {
	if choice == nil {
		return "", nil
	}
	raw, err := choice.MarshalJSON()
	var wait bool
	if err == nil && json.Unmarshal(raw, &wait) == nil {
		return string(raw), nil
	}
	return refText("queue", raw, err, "must be false, true or a department's name")
}

// conversationID reads a conversation's id in a path. What cannot be one is 0, the id of none: whether that is refused or
// not found is for who asks to be told by the rules.
func conversationID(path string) int64 {
	id, _ := models.ParseID(path)
	return id
}

// ListConversations gives conversations.
func (s *server) ListConversations(ctx context.Context, r ListConversationsRequestObject) (ListConversationsResponseObject, error) {
	before, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, next, err := s.chat.Conversations(ctx, actor, chat.ConversationFilter{
		State: models.ConversationState(deref(r.Params.State)), Queue: deref(r.Params.Queue), Agent: deref(r.Params.Agent),
	}, before, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return ListConversations200JSONResponse{Body: ConversationList{
		Conversations: each(list, wireConversation), NextPage: idToken(next),
	}}, nil
}

// GetConversation gives one conversation.
func (s *server) GetConversation(ctx context.Context, r GetConversationRequestObject) (GetConversationResponseObject, error) {
	c, err := s.onConversation(ctx, r.Conversation, s.chat.Conversation)
	if err != nil {
		return nil, err
	}
	return GetConversation200JSONResponse{Body: c}, nil
}

// onConversation makes a call about one conversation.
func (s *server) onConversation(ctx context.Context, path string,
	do func(ctx context.Context, a chat.Actor, id int64) (models.Conversation, error),
) (Conversation, error) {
	ctx, actor := call(ctx)
	c, err := do(ctx, actor, conversationID(path))
	if err != nil {
		return Conversation{}, err
	}
	return wireConversation(c), nil
}

// AcceptConversation takes a conversation.
func (s *server) AcceptConversation(ctx context.Context, r AcceptConversationRequestObject) (AcceptConversationResponseObject, error) {
	c, err := s.onConversation(ctx, r.Conversation, s.chat.AcceptConversation)
	if err != nil {
		return nil, err
	}
	return AcceptConversation200JSONResponse{Body: c}, nil
}

// TransferConversation passes a conversation on.
func (s *server) TransferConversation(ctx context.Context, r TransferConversationRequestObject) (TransferConversationResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		body = TransferConversationRequest{} // it is optional
	}
	to := chat.Transfer{Agent: deref(body.Agent), Queue: deref(body.Queue)}
	c, err := s.onConversation(ctx, r.Conversation, func(ctx context.Context, a chat.Actor, id int64) (models.Conversation, error) {
		return s.chat.TransferConversation(ctx, a, id, to)
	})
	if err != nil {
		return nil, err
	}
	return TransferConversation200JSONResponse{Body: c}, nil
}

// CloseConversation ends a conversation.
func (s *server) CloseConversation(ctx context.Context, r CloseConversationRequestObject) (CloseConversationResponseObject, error) {
	c, err := s.onConversation(ctx, r.Conversation, s.chat.CloseConversation)
	if err != nil {
		return nil, err
	}
	return CloseConversation200JSONResponse{Body: c}, nil
}

// ReopenConversation goes on with a conversation.
func (s *server) ReopenConversation(ctx context.Context, r ReopenConversationRequestObject) (ReopenConversationResponseObject, error) {
	c, err := s.onConversation(ctx, r.Conversation, s.chat.ReopenConversation)
	if err != nil {
		return nil, err
	}
	return ReopenConversation200JSONResponse{Body: c}, nil
}

// SetAvailability has an agent take part, or not.
func (s *server) SetAvailability(ctx context.Context, r SetAvailabilityRequestObject) (SetAvailabilityResponseObject, error) {
	var v chat.Availability
	switch {
	case r.JSONBody != nil:
		b := r.JSONBody
		v = chat.Availability{Available: b.Available, Capacity: b.Capacity, Release: deref(b.Release)}
		if b.Queues != nil {
			v.Queues = &b.Queues
		}
	case r.FormdataBody != nil:
		b := r.FormdataBody
		v = chat.Availability{Available: b.Available, Capacity: b.Capacity, Release: deref(b.Release)}
	default:
		return nil, errNoBody
	}
	ctx, actor := call(ctx)
	agent, err := s.chat.SetAvailability(ctx, actor, v)
	if err != nil {
		return nil, err
	}
	return SetAvailability200JSONResponse{Body: wireAgent(agent)}, nil
}

// ListSupportAgents gives the agents.
func (s *server) ListSupportAgents(ctx context.Context, r ListSupportAgentsRequestObject) (ListSupportAgentsResponseObject, error) {
	after, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, err := s.chat.SupportAgents(ctx, actor, after, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return ListSupportAgents200JSONResponse{Body: SupportAgentList{
		Agents: each(list.Agents, wireAgent), NextPage: idToken(list.Next),
	}}, nil
}

func wireAgent(a chat.PresentAgent) SupportAgent {
	out := SupportAgent{
		User: wireEventUser(a.User), Available: a.Available, Capacity: a.Capacity, Load: a.Load, Queues: a.Queues,
		Status: UserStatus(a.Status), Here: a.Here, IdleSince: a.IdleSince,
	}
	if out.Queues == nil {
		out.Queues = []string{}
	}
	return out
}

func wireConversation(c models.Conversation) Conversation {
	e := c.ForEvent(true)
	out := Conversation{
		ID: e.ID, RoomID: e.RoomID, State: ConversationState(e.State), Queue: textOrNil(e.Queue), Subject: textOrNil(e.Subject),
		Visitor: wireEventUser(c.Visitor), Email: textOrNil(e.Email), Page: textOrNil(e.Page), Language: textOrNil(e.Language),
		OpenedAt: e.OpenedAt, QueuedAt: timeOrNil(e.QueuedAt), AssignedAt: timeOrNil(e.AssignedAt), ClosedAt: timeOrNil(e.ClosedAt),
		Offline: trueOrNil(e.Offline), OutOfHours: trueOrNil(c.OutOfHours), NextOpening: timeOrNil(c.NextOpening),
		NotesRoomID: idOrNil(c.NotesRoom),
	}
	if c.Position != 0 {
		out.Position = &c.Position
	}
	if e.Agent != nil {
		agent := wireEventUser(c.Agent)
		out.Agent = &agent
	}
	if e.Reason != "" {
		reason := CloseReason(e.Reason)
		out.Reason = &reason
	}
	if r := e.Rating; r != nil {
		out.Rating = &ConversationRating{Score: r.Score, Comment: textOrNil(r.Comment), CreatedAt: r.CreatedAt}
	}
	return out
}

// textOrNil gives nil for a text that is not there.
func textOrNil(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
