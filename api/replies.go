package api

import "context"

// ListReplies gives a thread.
func (s *server) ListReplies(ctx context.Context, r ListRepliesRequestObject) (ListRepliesResponseObject, error) {
	id, err := messageID(r.Message)
	if err != nil {
		return nil, err
	}
	after, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, err := s.chat.Replies(ctx, actor, id, after, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return ListReplies200JSONResponse{Body: ReplyList{
		Replies: each(list.Replies, wireMessage), NextPage: idToken(list.Next),
	}}, nil
}
