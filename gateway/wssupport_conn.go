package gateway

import (
	"context"
	"strconv"
	"sync"

	"parley/broker"
	"parley/chat"
	"parley/models"
)

// supportConn is a connection of the support protocol.
type supportConn struct {
	ws     *WS
	socket *wsSocket
	actor  chat.Actor
	side   supportSide
}

// run is the connection from the greeting to its end.
func (c *supportConn) run(ctx context.Context, stream *broker.Stream) {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		guarded(c.ws.opt.Log, func() {
			c.ws.listen(ctx, stream, c.socket, func(e *event) error { return c.side.hear(ctx, e) })
		})
	})
	running.Go(func() { c.socket.watch(ctx) })
	c.ws.converse(ctx, c.socket, c.actor, func(ctx context.Context, text string, err error) error {
		if err != nil {
			return c.write(supportRefused + err.Error())
		}
		if text == "" {
			return nil
		}
		return c.side.say(ctx, text)
	})
	stop()
	c.socket.cut() // ends a stream that waits for the client
	running.Wait()
}

// depart ends what was begun for the connection.
func (c *supportConn) depart() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ws.ctx), farewell)
	defer cancel()
	if err := c.side.leave(ctx, c.ws.ctx.Err() != nil); err != nil {
		c.ws.opt.Log.Warn("end a support connection's session", "user", c.actor.User.ID, "error", err)
	}
}

// write sends a line.
func (c *supportConn) write(text string) error { return c.socket.write([]byte(clean(text))) }

// refused says why a text was not sent; nil means that the connection goes on.
func (c *supportConn) refused(err error) error {
	switch models.CodeOf(err) {
	case models.CodeUnauthorized:
		return nil // the session has ended: the stream says so
	case models.CodeInternal:
		c.ws.opt.Log.Error("a support message failed", "user", c.actor.User.ID, "error", err)
	}
	if detail := detailOf(err); detail != "" {
		return c.write(supportRefused + detail)
	}
	return c.write(supportFailed)
}

// send says something in a conversation's room.
func (c *supportConn) send(ctx context.Context, room int64, text string) error {
	_, _, err := c.ws.opt.Chat.Send(ctx, c.actor, models.Draft{To: strconv.FormatInt(room, 10), Text: text})
	return err
}

// newest gives the newest messages of a conversation beyond one, oldest first.
func (c *supportConn) newest(ctx context.Context, room, after int64) ([]models.Message, error) {
	h, err := c.ws.opt.Chat.History(ctx, c.actor, strconv.FormatInt(room, 10), models.Page{Limit: supportHistory})
	if err != nil {
		return nil, err
	}
	for len(h.Messages) > 0 && h.Messages[0].ID <= after {
		h.Messages = h.Messages[1:]
	}
	return h.Messages, nil
}

// supportHistory is how many messages of a conversation are told at most to an agent who gets it.
const supportHistory = 200

// calledInSupport is the name of somebody: visitors have only what they told.
func calledInSupport(u models.User) string {
	if u.Role == models.RoleVisitor {
		return u.DisplayName
	}
	return u.Name
}
