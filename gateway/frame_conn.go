package gateway

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"parley/chat"
	"parley/internal/limit"
	"parley/models"
)

// frameConn is one connection, and the account that it is logged in as.
type frameConn struct {
	frame   *Frame
	conn    net.Conn
	who     limit.Who
	in      *frameReader
	out     *outbox
	cancel  context.CancelFunc // ends the connection
	bye     sync.Once          // its last packet
	running sync.WaitGroup

	// From the login on:
	actor   chat.Actor
	id      int64                 // of the account, in the protocol
	release func(context.Context) // of the session's use
	view    frameView
	notices notices[frameUser]
	own     ownMessages
	kinds   roomKinds // of the stream's goroutine, as ended
	ended   string    // why the session has
}

func newFrameConn(s *Frame, conn net.Conn, cancel context.CancelFunc) *frameConn {
	c := &frameConn{
		frame: s, conn: conn, cancel: cancel, who: limit.Who{Address: addrOf(conn).Addr()},
		in: newFrameReader(conn, time.Now().Add(frameLogin)), out: newOutbox(conn), kinds: roomKinds{chat: s.opt.Chat},
	}
	c.notices.give = c.show
	c.notices.heard = -1 // nothing is told before the stream begins
	return c
}

// loggedIn is asked by the goroutine that reads.
func (c *frameConn) loggedIn() bool { return c.actor.User.ID != 0 }

// device is what the account's sessions are known by.
func (c *frameConn) device() chat.Device {
	return chat.Device{Agent: frameProtocol, Address: c.who.Address.String()}
}

// converse does what the packets say until the connection ends.
func (c *frameConn) converse(ctx context.Context) {
	defer context.AfterFunc(ctx, c.in.stop)()
	var patience *pace
	if c.frame.opt.Limits != nil {
		patience = newPace(frameBurst, frameEvery)
	}
	for {
		packet, err := c.in.next()
		switch {
		case err == nil:
			c.do(ctx, packet)
		case errors.Is(err, errLong):
			c.part("a packet has at most 16384 bytes after its length")
			c.linger()
			return
		case errors.Is(err, errIdle):
			c.part("nobody has logged in for 2 minutes")
			return
		case errors.Is(err, errStopped) && ctx.Err() != nil:
			c.part("the server is stopping")
			return
		default:
			return
		}
		// Who does not read is not listened to, and who says much waits.
		if c.out.wait() != nil || patience.wait(ctx) != nil {
			return
		}
	}
}

// linger lets the client come to the end of what it writes: a connection that is closed on unread bytes takes with it what
// the client was told last.
func (c *frameConn) linger() {
	_ = c.conn.SetReadDeadline(time.Now().Add(frameLinger))
	discarded := make([]byte, inboxBuffer)
	for {
		if _, err := c.conn.Read(discarded); err != nil {
			return
		}
	}
}

// send sends a packet. It waits for nothing.
func (c *frameConn) send(kind string, data any) {
	p, err := packed(kind, data)
	if err != nil {
		c.frame.opt.Log.Error("a packet was not sent", "type", kind, "error", err)
		return
	}
	c.out.push(p)
}

// fail says what was wrong with a packet, or why the connection ends.
func (c *frameConn) fail(text string) {
	c.send(errorMes, frameResult{frameRefused, clean(text)})
}

// part says the last thing; only the first one counts.
func (c *frameConn) part(text string) { c.bye.Do(func() { c.fail(text) }) }

// depart ends the session, and then tells the others.
func (c *frameConn) depart(ctx context.Context) {
	if !c.loggedIn() {
		return
	}
	c.release(ctx)
	c.leave(ctx, c.actor)
	c.frame.hub.remove(c)
	c.frame.hub.tell(frameUser{c.actor.User.ID, c.id}, c.own.last)
}

// leave ends a session.
func (c *frameConn) leave(ctx context.Context, a chat.Actor) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := c.frame.opt.Chat.Depart(ctx, a); err != nil {
		c.frame.opt.Log.Warn("end a framed connection's session", "user", a.User.ID, "error", err)
	}
}

// reason is why something was refused. What failed is logged.
func (c *frameConn) reason(err error) string {
	refusal, ok := errors.AsType[*models.Error](err)
	if !ok || refusal.Code == models.CodeInternal {
		c.frame.opt.Log.Error("a packet failed", "user", c.actor.User.ID, "error", err)
		return english.failed
	}
	return clean(refusal.Detail)
}
