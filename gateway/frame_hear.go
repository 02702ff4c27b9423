package gateway

import (
	"context"
	"errors"

	"parley/broker"
	"parley/models"
)

// listen writes the stream until it ends, which ends the connection.
func (c *frameConn) listen(ctx context.Context, stream *broker.Stream) {
	defer c.cancel()
	defer stream.Close()
	err := stream.Run(ctx, events(func(e *event) error { return c.hear(ctx, e) }))
	switch {
	case err == nil:
		c.part("the session has ended: " + c.ended)
	case errors.Is(err, broker.ErrClosed):
		c.frame.hub.close() // nothing follows the last packet
		c.part("the server is stopping")
	}
}

// hear writes an event. It waits for a client that is slow.
func (c *frameConn) hear(ctx context.Context, e *event) error {
	if err := c.out.wait(); err != nil {
		return err
	}
	var err error
	switch e.Type {
	case models.MessageCreated:
		err = c.hearMessage(ctx, e)
	case models.PresenceChanged:
		err = c.hearPresence(ctx, e.Data.Users)
	case models.SessionEnded:
		c.ended = e.Data.Reason
	}
	c.notices.reached(e.position())
	return err
}

func (c *frameConn) hearMessage(ctx context.Context, e *event) error {
	m := &e.Data.Message
	if c.own.heard(m.ID) || m.Text == "" { // said here, or deleted before it was read
		return nil
	}
	private := e.RoomID != models.LobbyID
	if private {
		direct, err := c.kinds.direct(ctx, e.RoomID)
		if err != nil || !direct || m.Sender.ID == c.actor.User.ID {
			return err
		}
	}
	ids, err := c.frame.ids.of(ctx, m.Sender.ID)
	if err != nil {
		return err
	}
	c.send(smsMes, frameMessage{Content: clean(m.Text), ID: ids[0], Name: clean(m.Sender.Name), Private: private})
	return nil
}

func (c *frameConn) hearPresence(ctx context.Context, users []models.PresenceUser) error {
	accounts := make([]int64, len(users))
	for i, u := range users {
		accounts[i] = u.ID
	}
	ids, err := c.frame.ids.of(ctx, accounts...)
	if err != nil {
		return err
	}
	for i, account := range accounts {
		c.show(frameUser{account, ids[i]})
	}
	return nil
}

// show tells the client whether somebody else is here, where it was told otherwise. What counts is how it is now: a notice
// may have been under way for long.
func (c *frameConn) show(u frameUser) {
	if u.account == c.actor.User.ID {
		return
	}
	c.view.look(u.id, func() bool { return c.frame.opt.Chat.Here(u.account) }, func(here bool) {
		status := frameStatus{ID: u.id}
		if !here {
			status.Status = 1
		}
		c.send(notifyMes, status)
	})
}
