package direct

import (
	"errors"
	"net"
	"syscall"

	"parley/broker"
)

// conn is a connection with its stream. It is the stream's Sink.
type conn struct {
	net.Conn
	server  *Server
	stream  *broker.Stream
	driver  *driver         // that has, or had, the turn; nil before the first
	socket  syscall.RawConn // nil where there is none
	owner   Owner
	head    []byte // goes before the first frames
	written int64  // of the body
	seat    int32
	round   int32
}

// Write implements broker.Sink. A driver waits for nobody: what the kernel does not take at once is written when
// another one drives in its place.
func (c *conn) Write(p []byte) error {
	if c.head != nil {
		return c.writeFirst(p)
	}
	if c.driver != nil && !c.driver.retired && c.socket != nil {
		n, err := c.driver.try(c.socket, p)
		c.written += int64(n)
		if err != nil {
			broke(c.Conn, err)
			return err
		}
		if p = p[n:]; len(p) == 0 {
			return nil
		}
	}
	c.Block()
	n, err := c.Conn.Write(p)
	c.written += int64(n)
	return err
}

func (c *conn) writeFirst(p []byte) error {
	head := c.head
	c.head = nil
	n, err := c.Conn.Write(append(head, p...))
	c.written += int64(max(n-len(head), 0))
	return err
}

// open writes the beginning. Where it cannot, all is over.
func (c *conn) open() (ended bool, err error) {
	ended = true
	defer func() {
		if ended || err != nil { // also by a panic, which is the handler's
			c.finish(nil)
		}
	}()
	return c.stream.Open(c.server.ctx, c, c)
}

// Resume implements broker.Host.
func (c *conn) Resume() { c.server.drivers.add(c) }

// Block implements broker.Host.
func (c *conn) Block() {
	if c.driver != nil {
		c.driver.retire()
	}
}

// pump writes the stream until it is quiet, or to its end. From then on it may be another driver's.
func (c *conn) pump(d *driver) {
	c.driver = d
	quiet := false
	defer func() {
		if !quiet {
			c.Block()
			c.finish(recover())
		}
	}()
	quiet = errors.Is(c.stream.Pump(c.server.ctx), broker.ErrQuiet) // of the rest there is nobody to tell
}

// finish closes the connection and tells of the end.
func (c *conn) finish(panicked any) {
	c.server.rise(c.seat, c.round)
	c.hangUp()
	c.end(panicked)
}

func (c *conn) end(panicked any) {
	defer c.server.exit()
	c.stream.Close()
	c.owner.Ended(c.written, panicked)
}

// hangUp ends the body. What the client has sent is read before, as much as there is: a connection that is closed
// over unread bytes is reset, and the client would lose what it has not read itself. The write of nothing has the
// connection told why it broke, if it did while nobody wrote.
func (c *conn) hangUp() {
	_, _ = c.Conn.Write(nil)
	if tcp := socketOf(c.Conn); tcp != nil {
		_ = tcp.CloseWrite()
		drain(tcp)
	}
	_ = c.Close()
}

// broke tells why a write broke, past what listeners wrap around the socket, to the one of these that wants to know: the
// kernel says it once.
func broke(c net.Conn, err error) {
	for {
		if outer, ok := c.(interface{ Broke(err error) }); ok {
			outer.Broke(err)
			return
		}
		outer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return
		}
		c = outer.NetConn()
	}
}

// socketOf is the TCP socket below what listeners wrap around it, nil where there is none.
func socketOf(c net.Conn) *net.TCPConn {
	for {
		switch outer := c.(type) {
		case *net.TCPConn:
			return outer
		case interface{ NetConn() net.Conn }:
			c = outer.NetConn()
		default:
			return nil
		}
	}
}
