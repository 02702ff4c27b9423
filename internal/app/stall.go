package app

import (
	"context"
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// stallListener hands out connections that end when their reader takes no byte for too long.
type stallListener struct {
	net.Listener
	stall time.Duration
	cut   func() // told of each that was ended; may be nil
}

// listenTCP opens the address for connections that end when nobody takes what is sent.
func listenTCP(ctx context.Context, addr string, stall time.Duration, cut func()) (net.Listener, error) {
	lc := net.ListenConfig{Control: limitUnacknowledged(stall)}
	// Linux ignores the limit on connections of a multipath listener, Go's default.
	lc.SetMultipathTCP(false)
	listener, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return stallListener{listener, stall, cut}, nil
}

// Accept implements net.Listener.
func (l stallListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &stallConn{Conn: conn, stall: l.stall, cut: l.cut}, nil
}

// stallConn moves the deadline of a write with the bytes that are accepted. A deadline for
// the whole of it, as http.Server.WriteTimeout sets, would end every stream and cut a slow reader
// that is reading; none at all would keep a dead one for ever.
type stallConn struct {
	net.Conn
	stall time.Duration
	limit atomic.Int64 // Unix ns of the deadline that others set; 0: none
	armed atomic.Int64 // Unix ns of the deadline that arm set; 0: another one is set
	cut   func()       // of the listener
	told  atomic.Bool  // cut was called
}

// NetConn is the connection below, as with tls.Conn.
func (c *stallConn) NetConn() net.Conn { return c.Conn }

// Read implements net.Conn. The kernel's limit may be told here: it is told once, to whoever asks first.
func (c *stallConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, syscall.ETIMEDOUT) {
		c.Broke(err)
	}
	return n, err
}

// Write writes all of p, for as long as some of it is accepted within each stall time.
func (c *stallConn) Write(p []byte) (int, error) {
	written, err := c.write(p)
	c.Broke(err)
	return written, err
}

func (c *stallConn) write(p []byte) (written int, err error) {
	for {
		if err := c.arm(); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(p[written:])
		written += n
		if n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) || c.limited() {
			return written, err
		}
	}
}

// Broke tells, once, of a reader that took nothing for too long: by our deadline, or by the kernel's
// limit on what is not acknowledged. Who writes past the connection calls it with its error.
func (c *stallConn) Broke(err error) {
	if err == nil || c.cut == nil {
		return
	}
	ours := errors.Is(err, os.ErrDeadlineExceeded) && !c.limited()
	if (ours || errors.Is(err, syscall.ETIMEDOUT)) && !c.told.Swap(true) {
		c.cut()
	}
}

// SetDeadline implements net.Conn; a write keeps to the earlier of t and its stall time.
func (c *stallConn) SetDeadline(t time.Time) error {
	c.setLimit(t)
	return c.Conn.SetDeadline(t)
}

// SetWriteDeadline implements net.Conn like SetDeadline.
func (c *stallConn) SetWriteDeadline(t time.Time) error {
	c.setLimit(t)
	return c.Conn.SetWriteDeadline(t)
}

// slack is the part of the stall time by which a deadline is set later than it need be, so that most
// writes find one that is still far enough away.
const slack = 16

// arm sets the deadline of a write that begins now.
func (c *stallConn) arm() error {
	now := time.Now()
	if c.armed.Load() >= now.Add(c.stall).UnixNano() {
		return nil
	}
	at, own := c.next(now)
	if err := c.Conn.SetWriteDeadline(at); err != nil {
		return err
	}
	if own {
		c.armed.Store(at.UnixNano())
	}
	return nil
}

func (c *stallConn) setLimit(t time.Time) {
	c.armed.Store(0)
	if t.IsZero() {
		c.limit.Store(0)
		return
	}
	c.limit.Store(t.UnixNano())
}

// next is when a write that begins now must have been accepted in part; own says that nobody set an
// earlier limit.
func (c *stallConn) next(now time.Time) (at time.Time, own bool) {
	at = now.Add(c.stall + c.stall/slack)
	if limit := c.limit.Load(); limit != 0 && limit < at.UnixNano() {
		return time.Unix(0, limit), false
	}
	return at, true
}

// limited says whether the deadline that others set has passed.
func (c *stallConn) limited() bool {
	limit := c.limit.Load()
	return limit != 0 && limit <= time.Now().UnixNano()
}
