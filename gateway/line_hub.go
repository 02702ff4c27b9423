package gateway

import (
	"net/netip"
	"sync"

	"parley/models"
)

// departedMost is how many of those who have gone are remembered, whose last words may still be on their way.
const departedMost = 4096

// lineHub knows the line connections, and what those who have them are called there.
type lineHub struct {
	mu       sync.Mutex
	users    map[int64]*lineConn
	addrs    map[netip.AddrPort]*lineConn
	departed map[int64]lineLabel
	order    []int64 // of departed, the oldest first
	closed   bool
}

// lineLabel is what a user is called on line connections: [addr]name.
type lineLabel struct{ addr, name string }

// elsewhere is the address of all who are on no line connection.
const elsewhere = "web"

func newLineHub() *lineHub {
	return &lineHub{
		users: map[int64]*lineConn{}, addrs: map[netip.AddrPort]*lineConn{}, departed: map[int64]lineLabel{},
	}
}

// line is a line about the user.
func (l lineLabel) line(text string) []byte {
	return append(append([]byte(clean("["+l.addr+"]"+l.name+":")), clean(text)...), '\n')
}

// add makes the connection known.
func (h *lineHub) add(c *lineConn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.users[c.actor.User.ID] = c
	h.addrs[c.addr] = c
}

// remove forgets the connection but for its label, which it gives.
func (h *lineHub) remove(c *lineConn) lineLabel {
	h.mu.Lock()
	defer h.mu.Unlock()
	id := c.actor.User.ID
	delete(h.users, id)
	if h.addrs[c.addr] == c { // the port may be another client's by now
		delete(h.addrs, c.addr)
	}
	if len(h.order) == departedMost {
		delete(h.departed, h.order[0])
		h.order = h.order[1:]
	}
	h.departed[id] = c.label
	h.order = append(h.order, id)
	return c.label
}

// rename sets what the connection's account is called, on lines too.
func (h *lineHub) rename(c *lineConn, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.label.name, c.account = name, name
}

// labelOf is what the user is called here.
func (h *lineHub) labelOf(u models.Peer) lineLabel {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.users[u.ID]; c != nil {
		return c.label
	}
	if l, ok := h.departed[u.ID]; ok {
		return l
	}
	return lineLabel{elsewhere, u.Name}
}

// gone says whether the user was on a line connection that has ended.
func (h *lineHub) gone(userID int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, gone := h.departed[userID]
	return gone
}

// accountAt gives the user that is connected from the address, and the name of the account; nil where nobody is.
func (h *lineHub) accountAt(addr netip.AddrPort) (c *lineConn, account string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c = h.addrs[addr]; c != nil {
		account = c.account
	}
	return c, account
}

// tell gives everybody here the line, to each after the event of that id. It waits for nobody.
func (h *lineHub) tell(line []byte, after int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	for _, c := range h.users {
		c.tell(line, after)
	}
}

// close ends the telling: where all go there is nobody to be told.
func (h *lineHub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
}
