package api

import (
	"context"
	"io"

	"parley/chat"
	"parley/models"
)

// PutReaction reacts to a message.
func (s *server) PutReaction(ctx context.Context, r PutReactionRequestObject) (PutReactionResponseObject, error) {
	id, err := messageID(r.Message)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	if err := s.chat.React(ctx, actor, id, r.Emoji); err != nil {
		return nil, err
	}
	return PutReaction204Response{}, nil
}

// DeleteReaction takes the caller's reaction back.
func (s *server) DeleteReaction(ctx context.Context, r DeleteReactionRequestObject) (DeleteReactionResponseObject, error) {
	id, err := messageID(r.Message)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	if err := s.chat.TakeReactionBack(ctx, actor, id, r.Emoji); err != nil {
		return nil, err
	}
	return DeleteReaction204Response{}, nil
}

// ListReactions gives who reacted to a message.
func (s *server) ListReactions(ctx context.Context, r ListReactionsRequestObject) (ListReactionsResponseObject, error) {
	id, err := messageID(r.Message)
	if err != nil {
		return nil, err
	}
	after, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, err := s.chat.Reactions(ctx, actor, id, deref(r.Params.Emoji), after, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return ListReactions200JSONResponse{Body: ReactionList{
		Reactions: each(list.Reactions, wireReacted), NextPage: idToken(list.Next),
	}}, nil
}

func wireReacted(r models.Reacted) UserReaction {
	return UserReaction{Emoji: r.Emoji, User: wireEventUser(r.User)}
}

// exportedReaction is a reaction of the account's.
type exportedReaction struct {
	MessageID int64  `json:"message_id"`
	Emoji     string `json:"emoji"`
}

func writeReactions(ctx context.Context, e *chat.Export, w io.Writer) error {
	return e.Reactions(ctx, lines(w, func(r models.Reacted) exportedReaction {
		return exportedReaction{r.MessageID, r.Emoji}
	}))
}
