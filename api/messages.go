package api

import (
	"context"
	"encoding/json"
	"strconv"

	"parley/models"
)

// Send says something.
func (s *server) Send(ctx context.Context, r SendRequestObject) (SendResponseObject, error) {
	draft, err := draftOf(r)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	m, repeated, err := s.chat.Send(ctx, actor, draft)
	if err != nil {
		return nil, err
	}
	if repeated {
		return Send200JSONResponse{Body: wireMessage(m)}, nil
	}
	return Send201JSONResponse{Body: wireMessage(m)}, nil
}

func draftOf(r SendRequestObject) (models.Draft, error) {
	switch {
	case r.JSONBody != nil:
		to, err := roomRefText(r.JSONBody.To)
		return models.Draft{To: to, Text: r.JSONBody.Text, Nonce: deref(r.JSONBody.Nonce), ReplyTo: deref(r.JSONBody.ReplyTo)}, err
	case r.FormdataBody != nil:
		f := r.FormdataBody
		return models.Draft{To: deref(f.To), Text: f.Text, Nonce: deref(f.Nonce), ReplyTo: deref(f.ReplyTo)}, nil
	}
	return models.Draft{}, errNoBody
}

// roomRefText gives a RoomRef as text, also where a room's id came as a JSON number.
func roomRefText(ref *RoomRef) (string, error) {
	if ref == nil {
		return "", nil
	}
	raw, err := ref.MarshalJSON()
	return refText("to", raw, err, "must be a room's id, a channel's name or @name")
}

// refText gives a reference as text that may be a JSON number; fault is what it is not then.
func refText(field string, raw []byte, err error, fault string) (string, error) {
	if err != nil {
		return "", models.Invalid(field, "%s", fault)
	}
	var id int64
	if json.Unmarshal(raw, &id) == nil {
		return strconv.FormatInt(id, 10), nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", models.Invalid(field, "%s", fault)
	}
	return text, nil
}

// ListMessages gives a piece of a room's history.
func (s *server) ListMessages(ctx context.Context, r ListMessagesRequestObject) (ListMessagesResponseObject, error) {
	page := models.Page{
		Before: deref(r.Params.Before), HasBefore: r.Params.Before != nil,
		After: deref(r.Params.After), HasAfter: r.Params.After != nil,
		Around: deref(r.Params.Around), HasAround: r.Params.Around != nil,
		Limit: limitOf(r.Params.Limit),
	}
	ctx, actor := call(ctx)
	h, err := s.chat.History(ctx, actor, r.Room, page)
	if err != nil {
		return nil, err
	}
	return ListMessages200JSONResponse{Body: MessageList{
		Messages: each(h.Messages, wireMessage), HasBefore: h.HasBefore, HasAfter: h.HasAfter, Cursor: h.Cursor,
	}}, nil
}
