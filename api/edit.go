package api

import (
	"context"

	"parley/chat"
	"parley/models"
)

// messageID reads a message's id in a path; what cannot be one is not found.
func messageID(path string) (int64, error) {
	id, ok := models.ParseID(path)
	if !ok {
		return 0, models.NotFound("message")
	}
	return id, nil
}

// GetMessage gives one message.
func (s *server) GetMessage(ctx context.Context, r GetMessageRequestObject) (GetMessageResponseObject, error) {
	id, err := messageID(r.Message)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	m, err := s.chat.Message(ctx, actor, id)
	if err != nil {
		return nil, err
	}
	return GetMessage200JSONResponse{
		Body: wireMessage(m), Headers: GetMessage200ResponseHeaders{ETag: messageETag(m)},
	}, nil
}

// UpdateMessage gives a message another text.
func (s *server) UpdateMessage(ctx context.Context, r UpdateMessageRequestObject) (UpdateMessageResponseObject, error) {
	id, err := messageID(r.Message)
	if err != nil {
		return nil, err
	}
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	revision := chat.Revision{Text: body.Text}
	if r.Params.IfMatch != nil {
		revision.OnlyIf = parseIfMatch(*r.Params.IfMatch)
	}
	ctx, actor := call(ctx)
	m, err := s.chat.Edit(ctx, actor, id, revision)
	if err != nil {
		return nil, err
	}
	return UpdateMessage200JSONResponse{
		Body: wireMessage(m), Headers: UpdateMessage200ResponseHeaders{ETag: messageETag(m)},
	}, nil
}

// DeleteMessage makes a message a tombstone.
func (s *server) DeleteMessage(ctx context.Context, r DeleteMessageRequestObject) (DeleteMessageResponseObject, error) {
	id, err := messageID(r.Message)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	if err := s.chat.DeleteMessage(ctx, actor, id); err != nil {
		return nil, err
	}
	return DeleteMessage204Response{}, nil
}

// ListEdits gives the earlier texts of a message.
func (s *server) ListEdits(ctx context.Context, r ListEditsRequestObject) (ListEditsResponseObject, error) {
	id, err := messageID(r.Message)
	if err != nil {
		return nil, err
	}
	after, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, err := s.chat.Edits(ctx, actor, id, after, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	wire := func(e models.Edit) Edit { return Edit{Text: e.Text, CreatedAt: e.CreatedAt} }
	return ListEdits200JSONResponse{Body: EditList{Edits: each(list.Edits, wire), NextPage: idToken(list.Next)}}, nil
}
