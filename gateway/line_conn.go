package gateway

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"

	"parley/broker"
	"parley/chat"
	"parley/models"
)

// lineConn is one line connection and the guest that it stands for.
type lineConn struct {
	line    *Line
	addr    netip.AddrPort
	in      *lineReader
	out     *outbox
	bye     sync.Once // its last line
	actor   chat.Actor
	release func(context.Context) // of the session's use
	lastID  int64                 // of the newest message that it said to the lobby; of the goroutine that reads

	running sync.WaitGroup
	kinds   roomKinds // of the rooms it heard from; of the stream's goroutine
	notices notices[[]byte]

	// Under the hub's lock:
	label   lineLabel
	account string // the name of the account

	mu  sync.Mutex
	raw map[string]struct{} // nonces of messages that are shown as their text alone
}

func newLineConn(s *Line, conn net.Conn) *lineConn {
	c := &lineConn{
		line: s, addr: addrOf(conn), in: newLineReader(conn, s.opt.KickAfter), out: newOutbox(conn),
		kinds: roomKinds{chat: s.opt.Chat},
	}
	c.notices.give = c.out.push
	return c
}

// enter makes the account and its stream; nil where there is none, which was said then.
func (c *lineConn) enter(ctx context.Context) *broker.Stream {
	o := &c.line.opt
	login, err := o.Chat.PassingGuest(ctx, linePrefix, chat.Device{Agent: "line", Address: c.addr.Addr().String()})
	if models.CodeOf(err) == models.CodeForbidden {
		c.say(c.line.words.noGuests)
		return nil
	}
	if err != nil {
		c.say(c.line.words.why(err))
		return nil
	}
	c.actor = login.Actor
	c.label, c.account = lineLabel{c.addr.String(), c.addr.String()}, login.Actor.User.Name
	stream, err := o.Broker.Subscribe(ctx, broker.Subscription{
		User: c.actor.User.ForEvent(), SessionID: c.actor.Session.ID, Format: broker.NDJSON,
		Filter: broker.Filter{Types: []models.EventType{models.MessageCreated}},
		Alive:  func(ctx context.Context) error { return o.Chat.Alive(ctx, c.actor) },
	})
	if err != nil {
		c.say(c.line.words.why(err))
		return nil
	}
	c.release = o.Chat.Hold(ctx, c.actor)
	return stream
}

// depart ends the session, and the account with it if it left nothing.
func (c *lineConn) depart(ctx context.Context) {
	if c.release != nil {
		c.release(ctx)
	}
	if c.actor.User.ID == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer cancel()
	if err := c.line.opt.Chat.Depart(ctx, c.actor); err != nil {
		c.line.opt.Log.Warn("end a line connection's session", "user", c.actor.User.ID, "error", err)
	}
}

// leave tells the others.
func (c *lineConn) leave() {
	label := c.line.hub.remove(c)
	c.line.hub.tell(label.line(c.line.words.offline), c.lastID)
}

// say sends a line of the server's own.
func (c *lineConn) say(text string) { c.out.push(append([]byte(clean(text)), '\n')) }

// part says the last line; only the first one counts.
func (c *lineConn) part(text string) { c.bye.Do(func() { c.say(text) }) }

// tell sends the line when the stream has come to the event `after`. It waits for nothing.
func (c *lineConn) tell(line []byte, after int64) {
	if !c.notices.tell(line, after) {
		c.in.stop() // too far behind to be told of it all
	}
}

// listen writes the stream until it ends, which ends the connection.
func (c *lineConn) listen(ctx context.Context, stream *broker.Stream) {
	defer c.in.stop()
	defer stream.Close()
	err := stream.Run(ctx, events(func(e *event) error { return c.hear(ctx, e) }))
	switch {
	case err == nil:
		c.part(c.line.words.kicked) // the session has ended
	case errors.Is(err, broker.ErrClosed):
		c.line.hub.close() // nothing follows the last line
		c.part(c.line.words.stopping)
	}
}

// hear writes an event. It waits for a client that is slow.
func (c *lineConn) hear(ctx context.Context, e *event) error {
	if e.Type == models.MessageCreated {
		if err := c.out.wait(); err != nil {
			return err
		}
		if err := c.hearMessage(ctx, e); err != nil {
			return err
		}
	}
	c.notices.reached(e.position())
	return nil
}

func (c *lineConn) hearMessage(ctx context.Context, e *event) error {
	m := &e.Data.Message
	if m.Text == "" { // deleted before it was read
		return nil
	}
	if e.RoomID == models.LobbyID {
		c.out.push(c.line.hub.labelOf(m.Sender).line(m.Text))
		return nil
	}
	direct, err := c.kinds.direct(ctx, e.RoomID)
	if err != nil || !direct || m.Sender.ID == c.actor.User.ID {
		return err
	}
	if c.takeRaw(m.Nonce) {
		c.say(m.Text)
		return nil
	}
	c.say(c.line.hub.labelOf(m.Sender).name + " : " + m.Text)
	return nil
}

// expectRaw has the message with the nonce shown as its text alone.
func (c *lineConn) expectRaw(nonce string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.raw == nil {
		c.raw = map[string]struct{}{}
	}
	c.raw[nonce] = struct{}{}
}

func (c *lineConn) takeRaw(nonce string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, raw := c.raw[nonce]
	delete(c.raw, nonce)
	return raw
}
