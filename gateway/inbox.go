package gateway

import (
	"errors"
	"net"
	"sync"
	"time"
)

// inboxBuffer is what a connection has for its input while it says nothing long.
const inboxBuffer = 512

var (
	errIdle    = errors.New("nothing came for too long")
	errLong    = errors.New("it is too long")
	errStopped = errors.New("reading was stopped")
)

// inbox is what has come in on a connection. What it holds is little while that is little, whatever is yet to come.
type inbox struct {
	conn net.Conn
	most int // bytes that its reader ever keeps unread

	base []byte // what buf is a part of
	buf  []byte // what has come and was not taken

	mu      sync.Mutex
	stopped bool
}

// stop ends a read that waits, and makes the next ones errStopped. It may be called from another goroutine.
func (b *inbox) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	_ = b.conn.SetReadDeadline(time.Unix(1, 0))
}

// halted says whether stop was called.
func (b *inbox) halted() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stopped
}

// read waits until more has come, or until then; the zero time is for ever.
func (b *inbox) read(until time.Time) (n int, err error) {
	if err := b.arm(until); err != nil {
		return 0, err
	}
	b.room()
	n, err = b.conn.Read(b.buf[len(b.buf):cap(b.buf)])
	b.buf = b.buf[:len(b.buf)+n]
	return n, err
}

func (b *inbox) arm(until time.Time) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return errStopped
	}
	_ = b.conn.SetReadDeadline(until) // whatever is wrong with the connection, the read says it
	return nil
}

// take takes the first n bytes of what has come. They are good until the next read.
func (b *inbox) take(n int) []byte {
	taken := b.buf[:n:n]
	b.buf = b.buf[n:]
	return taken
}

// room makes room for a read.
func (b *inbox) room() {
	switch {
	case len(b.buf) > 0 && cap(b.buf)-len(b.buf) >= inboxBuffer/2:
		return
	case len(b.buf) > 0:
		b.base = append(make([]byte, 0, min(max(2*len(b.buf), 2*inboxBuffer), 2*b.most)), b.buf...)
		b.buf = b.base
		return
	case cap(b.base) != inboxBuffer:
		b.base = make([]byte, 0, inboxBuffer)
	}
	b.buf = b.base[:0]
}
