package gateway

import "sync"

// frameHub knows the connections that are logged in. It is safe for concurrent use.
type frameHub struct {
	mu     sync.Mutex
	conns  map[*frameConn]struct{}
	closed bool
}

// frameUser is somebody of whom connections are told: their account, and its id in the protocol.
type frameUser struct{ account, id int64 }

func (h *frameHub) add(c *frameConn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conns[c] = struct{}{}
}

func (h *frameHub) remove(c *frameConn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.conns, c)
}

// tell has every connection look whether the user is here, after the event of that id. It waits for nobody.
func (h *frameHub) tell(u frameUser, after int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	for c := range h.conns {
		if !c.notices.tell(u, after) {
			c.in.stop() // too far behind to be told of it all
		}
	}
}

// close ends the telling: where all go there is nobody to be told.
func (h *frameHub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}
