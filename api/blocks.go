package api

import (
	"context"

	"parley/models"
)

// ListBlocks gives whom the caller blocks.
func (s *server) ListBlocks(ctx context.Context, r ListBlocksRequestObject) (ListBlocksResponseObject, error) {
	after, err := afterID(r.Params.Page)
	if err != nil {
		return nil, err
	}
	ctx, actor := call(ctx)
	list, err := s.chat.Blocks(ctx, actor, after, limitOf(r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return ListBlocks200JSONResponse{Body: BlockList{
		Blocks: each(list.Blocks, wireBlock), NextPage: idToken(list.Next),
	}}, nil
}

func wireBlock(b models.Block) Block {
	return Block{User: wireEventUser(b.User), CreatedAt: b.CreatedAt}
}

// PutBlock blocks a user.
func (s *server) PutBlock(ctx context.Context, r PutBlockRequestObject) (PutBlockResponseObject, error) {
	ctx, actor := call(ctx)
	if err := s.chat.Block(ctx, actor, r.User); err != nil {
		return nil, err
	}
	return PutBlock204Response{}, nil
}

// DeleteBlock lifts the block of a user.
func (s *server) DeleteBlock(ctx context.Context, r DeleteBlockRequestObject) (DeleteBlockResponseObject, error) {
	ctx, actor := call(ctx)
	if err := s.chat.Unblock(ctx, actor, r.User); err != nil {
		return nil, err
	}
	return DeleteBlock204Response{}, nil
}
