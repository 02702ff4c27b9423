package gateway

import (
	"context"

	"github.com/coder/websocket"

	"parley/internal/limit"
	"parley/models"
)

// say is a message of the client's; err says that it could not be read.
func (c *wsConn) say(ctx context.Context, text string, err error) error {
	var m wsIn
	if err == nil {
		m, err = decodeWS(text)
	}
	if err != nil {
		return c.answer(err.Error())
	}
	switch m.Type {
	case wsConnect, wsReceive:
		return nil // to be connected is enough, and nothing waits for a receipt
	case wsSend:
		if err := c.send(ctx, int64(m.Receiver), string(m.Content)); err != nil {
			return c.refused(err)
		}
		return nil
	case wsClose:
		c.socket.end(websocket.StatusNormalClosure, "")
		return errGoodbye
	default:
		return c.answer("type must be 0 to 3")
	}
}

// send is a private message to an id.
func (c *wsConn) send(ctx context.Context, receiver int64, text string) error {
	if err := c.ws.opt.Limits.Wait(ctx, "send", limit.Who{Account: c.actor.User.ID, Address: c.who.Address}); err != nil {
		return err
	}
	if receiver == 0 && c.lobby {
		_, _, err := c.ws.opt.Chat.Send(ctx, c.actor, models.Draft{Text: text})
		return err
	}
	if receiver < 1 {
		return models.Refuse(models.CodeNotFound, "receiver must be a user's id, a number from 1 on")
	}
	if err := models.CheckMessageText(text, maxLine); err != nil {
		return err // before anybody is made for it
	}
	service := c.ws.opt.Chat
	user, err := service.AddressLegacy(ctx, c.actor, c.ws.guest(receiver), func() error { return c.ws.opt.Limits.Take(ctx, "guest", c.who) })
	if err != nil {
		return err
	}
	if user.ID == c.actor.User.ID {
		return models.Refuse(models.CodeConflict, "a message cannot go to yourself")
	}
	_, err = service.SendToUser(ctx, c.actor, user.ID, text)
	return err
}

// refused says why a message was not sent.
func (c *wsConn) refused(err error) error {
	switch models.CodeOf(err) {
	case models.CodeUnauthorized:
		return nil // the session has ended: the stream says so
	case models.CodeInternal:
		c.ws.opt.Log.Error("a WebSocket message failed", "user", c.actor.User.ID, "error", err)
	}
	detail := detailOf(err)
	if detail == "" {
		detail = "the server failed, try again later"
	}
	return c.answer(detail)
}

// answer tells the client that something it wrote came to nothing.
func (c *wsConn) answer(detail string) error {
	return c.socket.send(wsMessage{Type: wsReceive, Receiver: c.id, Content: clean("error: " + detail)})
}
