package gateway

import "sync"

// noticesMost is how many notices wait for a stream that lags.
const noticesMost = 4096

// notices gives out what the gateway itself tells a connection, each in its place among the events of the connection's
// stream. It is safe for concurrent use.
type notices[T any] struct {
	give func(T) // waits for nothing

	mu      sync.Mutex
	heard   int64 // up to where the stream has been written
	waiting []notice[T]
}

// notice comes after the event of that id.
type notice[T any] struct {
	after int64
	what  T
}

// tell gives it out when the stream has come to the event `after`; false where too much waits already.
func (n *notices[T]) tell(what T, after int64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case after <= n.heard:
		n.give(what)
	case len(n.waiting) == noticesMost:
		return false
	default:
		n.waiting = append(n.waiting, notice[T]{after, what})
	}
	return true
}

// reached notes up to where the stream has been written.
func (n *notices[T]) reached(id int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.heard = max(n.heard, id)
	still := n.waiting[:0]
	for _, w := range n.waiting {
		if w.after > n.heard {
			still = append(still, w)
			continue
		}
		n.give(w.what)
	}
	clear(n.waiting[len(still):])
	n.waiting = still
}
