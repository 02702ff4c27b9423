package gateway

import (
	"errors"
	"net"
	"sync"
	"time"
)

const (
	// outboxFull is how much may wait for a client that does not take it, in bytes, before the last thing that is pushed.
	outboxFull = 256 << 10
	// outboxRoom is how much may wait while more is made that could as well be made later.
	outboxRoom = 16 << 10
)

var (
	errSlow   = errors.New("the client does not take what is sent")
	errClosed = errors.New("the connection is closed")
)

// outbox writes to a connection in the order of the calls, from a goroutine that is only there while something waits. It is
// safe for concurrent use.
type outbox struct {
	conn net.Conn

	mu      sync.Mutex
	moved   *sync.Cond // something was written, or nothing ever will be
	waiting []byte
	writing bool
	err     error
	running sync.WaitGroup
}

func newOutbox(conn net.Conn) *outbox {
	o := &outbox{conn: conn}
	o.moved = sync.NewCond(&o.mu)
	return o
}

// push has p written and waits for nothing. Where too much waits already, the connection is cut.
func (o *outbox) push(p []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err != nil {
		return
	}
	if len(o.waiting) >= outboxFull {
		o.fail(errSlow)
		return
	}
	o.waiting = append(o.waiting, p...)
	if !o.writing {
		o.writing = true
		o.running.Go(o.drain)
	}
}

// wait returns when there is room for more, or with the error that ended the writing.
func (o *outbox) wait() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && len(o.waiting) > outboxRoom {
		o.moved.Wait()
	}
	return o.err
}

func (o *outbox) drain() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.err == nil && len(o.waiting) > 0 {
		p := o.waiting
		o.waiting = nil
		o.mu.Unlock()
		_, err := o.conn.Write(p)
		o.mu.Lock()
		if err != nil {
			o.fail(err)
		}
		o.moved.Broadcast()
	}
	o.writing = false
	o.moved.Broadcast()
}

// fail ends the connection too: what is not written any more need not be read. It needs mu.
func (o *outbox) fail(err error) {
	if o.err == nil {
		o.err = err
		_ = o.conn.Close()
	}
	o.waiting = nil
	o.moved.Broadcast()
}

// close gives what waits that long to go out, and ends the writing; who waits is told. It returns when nothing is
// written any more.
func (o *outbox) close(grace time.Duration) {
	_ = o.conn.SetWriteDeadline(time.Now().Add(grace))
	o.mu.Lock()
	for o.err == nil && o.writing {
		o.moved.Wait()
	}
	o.fail(errClosed)
	o.mu.Unlock()
	o.running.Wait()
}
