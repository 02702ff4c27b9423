package gateway

import (
	"context"
	"encoding/json"
	"fmt"

	"parley/chat"
	"parley/models"
)

// do is one packet.
func (c *frameConn) do(ctx context.Context, raw []byte) {
	var p framePacket
	if err := json.Unmarshal(raw, &p); err != nil {
		c.fail(frameFault("the packet", err).Error())
		return
	}
	if c.loggedIn() {
		c.frame.opt.Chat.Acted(c.actor)
	}
	var does func(ctx context.Context, data string) error
	switch p.Type {
	case registerMes:
		does = c.register
	case loginMes:
		does = c.login
	case smsMes:
		does = c.sms
	default:
		does = func(context.Context, string) error { return fmt.Errorf("the type %.40q is unknown", p.Type) }
	}
	// Apart: most connections are idle most of the time, and their goroutines keep the stack that they once had.
	apart(c.frame.opt.Log, func() {
		if err := does(ctx, p.Data); err != nil {
			c.fail(err.Error())
		}
	})
}

// register is RegisterMes. Its error is of a document that cannot be read.
func (c *frameConn) register(ctx context.Context, data string) error {
	a, err := accountIn(data)
	if err != nil {
		return err
	}
	o := &c.frame.opt
	if err = o.Limits.Take(ctx, "register", c.who); err == nil {
		err = o.Chat.AddLegacy(ctx, chat.LegacyAccount{
			Protocol: frameProtocol, ID: a.ID, Name: a.Name, Prefix: framePrefix,
			Password: a.Password, LeastPassword: o.LeastPassword,
		}, c.device())
	}
	if err != nil {
		c.send(registerResMes, frameResult{frameRefused, c.reason(err)})
		return nil
	}
	c.send(registerResMes, frameResult{Code: frameOK})
	return nil
}

// sms is SmsMes. Its error is what was wrong with it.
func (c *frameConn) sms(ctx context.Context, data string) error {
	text, err := contentIn(data)
	if err != nil {
		return err
	}
	if !c.loggedIn() {
		return fmt.Errorf("log in first: %s was not sent", smsMes)
	}
	o := &c.frame.opt
	if err := o.Limits.Wait(ctx, "send", c.who); err != nil {
		return fmt.Errorf("%s was not sent: the connection ends", smsMes)
	}
	err = c.own.say(func() (int64, error) {
		m, _, err := o.Chat.Send(ctx, c.actor, models.Draft{Text: text})
		return m.ID, err
	})
	switch {
	case err == nil, models.CodeOf(err) == models.CodeUnauthorized: // the session has ended: the stream says so
		return nil
	default:
		return fmt.Errorf("%s was not sent: %s", smsMes, c.reason(err))
	}
}
