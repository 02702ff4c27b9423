package api

import (
	"context"

	"parley/chat"
	"parley/models"
)

// ListSupportReplies gives canned replies.
func (s *server) ListSupportReplies(ctx context.Context, r ListSupportRepliesRequestObject) (ListSupportRepliesResponseObject, error) {
	after, err := afterKey(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, err := s.chat.CannedReplies(ctx, actor, chat.CannedReplyFilter{
		Query: deref(r.Params.Q), Queue: deref(r.Params.Queue), Conversation: deref(r.Params.Conversation),
	}, after, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	out := SupportReplyList{Replies: each(list.Replies, wireSupportReply)}
	if r.Params.Conversation != nil {
		for i := range out.Replies {
			out.Replies[i].Rendered = &list.Replies[i].Rendered
		}
	}
	if list.Next != "" {
		out.NextPage = pageToken(list.Next)
	}
	return ListSupportReplies200JSONResponse{Body: out}, nil
}

// CreateSupportReply makes a canned reply.
func (s *server) CreateSupportReply(ctx context.Context, r CreateSupportReplyRequestObject) (CreateSupportReplyResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	reply, err := s.chat.CreateCannedReply(ctx, actor, body.Title, body.Text, deref(body.Queue))
	if err != nil {
		return nil, err
	}
	return CreateSupportReply201JSONResponse{Body: wireSupportReply(reply)}, nil
}

// UpdateSupportReply changes a canned reply.
func (s *server) UpdateSupportReply(ctx context.Context, r UpdateSupportReplyRequestObject) (UpdateSupportReplyResponseObject, error) {
	body, err := either(r.JSONBody, r.FormdataBody)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	reply, err := s.chat.UpdateCannedReply(ctx, actor, r.Reply, chat.CannedReplyChange{Title: body.Title, Text: body.Text, Queue: body.Queue})
	if err != nil {
		return nil, err
	}
	return UpdateSupportReply200JSONResponse{Body: wireSupportReply(reply)}, nil
}

// DeleteSupportReply removes a canned reply.
func (s *server) DeleteSupportReply(ctx context.Context, r DeleteSupportReplyRequestObject) (DeleteSupportReplyResponseObject, error) {
	ctx, actor := call(ctx)
	if err := s.chat.DeleteCannedReply(ctx, actor, r.Reply); err != nil {
		return nil, err
	}
	return DeleteSupportReply204Response{}, nil
}

func wireSupportReply(r models.SupportReply) SupportReply {
	return SupportReply{
		ID: r.ID, Title: r.Title, Text: r.Text, Queue: textOrNil(r.Queue), By: Peer{ID: r.ByID, Name: r.ByName},
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt,
	}
}
