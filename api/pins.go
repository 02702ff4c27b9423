package api

import (
	"context"

	"parley/models"
)

// PinMessage pins a message.
func (s *server) PinMessage(ctx context.Context, r PinMessageRequestObject) (PinMessageResponseObject, error) {
	id, err := messageID(r.Message)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	if err := s.chat.Pin(ctx, actor, id); err != nil {
		return nil, err
	}
	return PinMessage204Response{}, nil
}

// UnpinMessage unpins a message.
func (s *server) UnpinMessage(ctx context.Context, r UnpinMessageRequestObject) (UnpinMessageResponseObject, error) {
	id, err := messageID(r.Message)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	if err := s.chat.Unpin(ctx, actor, id); err != nil {
		return nil, err
	}
	return UnpinMessage204Response{}, nil
}

// ListPins gives a room's pinned messages.
func (s *server) ListPins(ctx context.Context, r ListPinsRequestObject) (ListPinsResponseObject, error) {
	before, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, err := s.chat.Pins(ctx, actor, r.Room, before, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return ListPins200JSONResponse{Body: PinList{Pins: each(list.Pins, wirePin), NextPage: idToken(list.Next)}}, nil
}

func wirePin(p models.Pin) Pin {
	return Pin{Message: wireMessage(p.Message), PinnedBy: Peer(p.By), PinnedAt: p.At}
}
