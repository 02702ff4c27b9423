package gateway

import (
	"context"
	"maps"
	"sync"

	"parley/chat"
)

// frameIDsMost is how many ids are remembered.
const frameIDsMost = 1 << 16

// frameIDs knows what id each user has in the protocol: it never changes. It is safe for concurrent use.
type frameIDs struct {
	chat  *chat.Service
	mu    sync.RWMutex
	known map[int64]int64
	read  sync.Mutex // held while ids are read, since all who need one need the same
}

// of gives the ids of the users, in their order.
func (f *frameIDs) of(ctx context.Context, users ...int64) ([]int64, error) {
	ids := make([]int64, len(users))
	if len(f.fill(ids, users)) == 0 {
		return ids, nil
	}
	f.read.Lock()
	defer f.read.Unlock()
	if missing := f.fill(ids, users); len(missing) > 0 {
		found, err := f.chat.LegacyIDs(ctx, frameProtocol, missing)
		if err != nil {
			return nil, err
		}
		for i, user := range users {
			if id, ok := found[user]; ok {
				ids[i] = id
			}
		}
		f.keep(found)
	}
	return ids, nil
}

// fill writes down the ids that are known and gives the users whose ids are not.
func (f *frameIDs) fill(ids, users []int64) (missing []int64) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	for i, user := range users {
		id, known := f.known[user]
		if !known {
			missing = append(missing, user)
		}
		ids[i] = id
	}
	return missing
}

func (f *frameIDs) keep(found map[int64]int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known == nil || len(f.known)+len(found) > frameIDsMost {
		f.known = make(map[int64]int64, len(found))
	}
	maps.Copy(f.known, found)
}
