package api

import (
	"context"

	"parley/chat"
	"parley/models"
)

// ListNotes gives a conversation's notes.
func (s *server) ListNotes(ctx context.Context, r ListNotesRequestObject) (ListNotesResponseObject, error) {
	after, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, err := s.chat.Notes(ctx, actor, conversationID(r.Conversation), after, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return ListNotes200JSONResponse{Body: NoteList{Notes: each(list.Notes, wireMessage), NextPage: idToken(list.Next)}}, nil
}

// CreateNote notes something.
func (s *server) CreateNote(ctx context.Context, r CreateNoteRequestObject) (CreateNoteResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	m, repeated, err := s.chat.AddNote(ctx, actor, conversationID(r.Conversation), body.Text, deref(body.Nonce))
	if err != nil {
		return nil, err
	}
	if repeated {
		return CreateNote200JSONResponse{Body: wireMessage(m)}, nil
	}
	return CreateNote201JSONResponse{Body: wireMessage(m)}, nil
}

// RateConversation says what the visitor thinks of a conversation.
func (s *server) RateConversation(ctx context.Context, r RateConversationRequestObject) (RateConversationResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	c, err := s.onConversation(ctx, r.Conversation, func(ctx context.Context, a chat.Actor, id int64) (models.Conversation, error) {
		return s.chat.Rate(ctx, a, id, body.Score, deref(body.Comment))
	})
	if err != nil {
		return nil, err
	}
	return RateConversation200JSONResponse{Body: c}, nil
}
