package client

import (
	"context"
	"strconv"
)

// Visitor makes the account of somebody who seeks support, and goes on as it.
func (c *Client) Visitor(ctx context.Context, told CreateVisitorRequest) (Session, error) {
	resp, err := c.CreateVisitorWithResponse(ctx, told)
	if err != nil {
		return Session{}, err
	}
	return c.opened(value(resp.HTTPResponse, resp.Body, resp.JSON201))
}

// OpenConversation opens a conversation with support. Where no agent is free it waits, unless Wait is false: then the error is
// ErrorCodeNoAgentAvailable. Its room is written to by Send, with its id as To.
func (c *Client) OpenConversation(ctx context.Context, about OpenConversationRequest) (Conversation, error) {
	resp, err := c.OpenConversationWithResponse(ctx, about)
	if err != nil {
		return Conversation{}, err
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON201)
}

// Department names the department that a conversation is for.
func Department(name string) *QueueChoice {
	choice := new(QueueChoice)
	if err := choice.FromQueueChoice1(name); err != nil { // a string always marshals
		return nil
	}
	return choice
}

// Conversation gives one conversation.
func (c *Client) Conversation(ctx context.Context, id int64) (Conversation, error) {
	resp, err := c.GetConversationWithResponse(ctx, strconv.FormatInt(id, 10))
	if err != nil {
		return Conversation{}, err
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON200)
}

// Conversations gives all conversations that the account may see and that are as told, the newest first.
func (c *Client) Conversations(ctx context.Context, which ListConversationsParams) ([]Conversation, error) {
	return pages(func(page *Page) ([]Conversation, *string, error) {
		which.Page = page
		resp, err := c.ListConversationsWithResponse(ctx, &which)
		if err != nil {
			return nil, nil, err
		}
		list, err := value(resp.HTTPResponse, resp.Body, resp.JSON200)
		return list.Conversations, list.NextPage, err
	})
}

// SetAvailability has an agent take part in support, or not.
func (c *Client) SetAvailability(ctx context.Context, how SetAvailabilityRequest) (SupportAgent, error) {
	resp, err := c.SetAvailabilityWithResponse(ctx, how)
	if err != nil {
		return SupportAgent{}, err
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON200)
}

// AcceptConversation takes a conversation, as an agent.
func (c *Client) AcceptConversation(ctx context.Context, id int64) (Conversation, error) {
	resp, err := c.AcceptConversationWithResponse(ctx, strconv.FormatInt(id, 10))
	if err != nil {
		return Conversation{}, err
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON200)
}

// TransferConversation passes a conversation on: to an agent, to a department, or with an empty request to the next
// free agent.
func (c *Client) TransferConversation(ctx context.Context, id int64, to TransferConversationRequest) (Conversation, error) {
	resp, err := c.TransferConversationWithResponse(ctx, strconv.FormatInt(id, 10), to)
	if err != nil {
		return Conversation{}, err
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON200)
}

// CloseConversation ends a conversation; of one that is closed it changes nothing.
func (c *Client) CloseConversation(ctx context.Context, id int64) (Conversation, error) {
	resp, err := c.CloseConversationWithResponse(ctx, strconv.FormatInt(id, 10))
	if err != nil {
		return Conversation{}, err
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON200)
}

// ReopenConversation goes on with a conversation of the own that was closed less than a day ago.
func (c *Client) ReopenConversation(ctx context.Context, id int64) (Conversation, error) {
	resp, err := c.ReopenConversationWithResponse(ctx, strconv.FormatInt(id, 10))
	if err != nil {
		return Conversation{}, err
	}
	return value(resp.HTTPResponse, resp.Body, resp.JSON200)
}
