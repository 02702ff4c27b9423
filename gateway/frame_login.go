package gateway

import (
	"context"
	"errors"
	"time"

	"parley/broker"
	"parley/chat"
	"parley/models"
)

// frameUsers is how many of those online a client is told of at its login, at most.
const frameUsers = 10_000

// login is LoginMes. Its error is of a document that cannot be read.
func (c *frameConn) login(ctx context.Context, data string) error {
	a, err := accountIn(data)
	if err != nil {
		return err
	}
	if c.loggedIn() {
		c.refuseLogin(frameRefused, "this connection is logged in")
		return nil
	}
	stream, err := c.enter(ctx, a)
	if err != nil {
		c.refuseLogin(c.loginCode(err))
		return nil
	}
	c.in.until = time.Time{}
	c.running.Go(func() { guarded(c.frame.opt.Log, func() { c.listen(ctx, stream) }) })
	c.frame.hub.tell(frameUser{c.actor.User.ID, c.id}, 0)
	return nil
}

func (c *frameConn) refuseLogin(code int, reason string) {
	c.send(loginResMes, frameWelcome{code, []int64{}, reason})
}

// loginCode is the protocol's word for a refusal.
func (c *frameConn) loginCode(err error) (code int, reason string) {
	switch models.CodeOf(err) {
	case models.CodeNotFound:
		return frameUnknown, "this id is not registered"
	case models.CodeInvalidCredentials:
		return frameWrongPassword, "the password is wrong"
	case models.CodeBanned:
		return frameWrongPassword, c.reason(err)
	case models.CodeRateLimited:
		return frameTooOften, c.reason(err)
	case models.CodeInternal, models.CodeUnavailable:
		return frameFailed, c.reason(err)
	default:
		return frameRefused, c.reason(err)
	}
}

// enter logs in, opens the stream and tells the client. Guesses at passwords count here as they do with the API.
func (c *frameConn) enter(ctx context.Context, a frameAccount) (*broker.Stream, error) {
	o := &c.frame.opt
	if err := o.Limits.Take(ctx, "login", c.who); err != nil {
		return nil, err
	}
	user, err := o.Chat.LegacyUser(ctx, frameProtocol, a.ID)
	if err != nil {
		return nil, err
	}
	if err := o.Limits.Guess(ctx, user.Key, c.who.Address); err != nil {
		return nil, err
	}
	login, err := o.Chat.PassingLogin(ctx, frameProtocol, a.ID, a.Password, c.device())
	if err != nil {
		return nil, err
	}
	o.Limits.Right(login.Actor.User.Key, c.who.Address)
	stream, err := c.open(ctx, login.Actor)
	if err != nil {
		c.leave(ctx, login.Actor)
		return nil, err
	}
	c.actor, c.id, c.who.Account = login.Actor, a.ID, login.Actor.User.ID
	c.release = o.Chat.Hold(ctx, c.actor)
	return stream, nil
}

// open begins to listen and tells the client who is here.
func (c *frameConn) open(ctx context.Context, a chat.Actor) (*broker.Stream, error) {
	o := &c.frame.opt
	stream, err := o.Broker.Subscribe(ctx, broker.Subscription{
		User: a.User.ForEvent(), SessionID: a.Session.ID, Format: broker.NDJSON,
		Filter: broker.Filter{Types: []models.EventType{models.MessageCreated, models.PresenceChanged}},
		Alive:  func(ctx context.Context) error { return o.Chat.Alive(ctx, a) },
	})
	if errors.Is(err, broker.ErrClosed) {
		err = models.Unavailable(err, "the server is stopping")
	}
	if err != nil {
		return nil, err
	}
	c.frame.hub.add(c) // before the look at who is here: of whoever comes from now on it is told
	users, err := c.online(ctx, a)
	if err != nil {
		stream.Close()
		c.frame.hub.remove(c)
		return nil, err
	}
	c.view.set(users)
	c.send(loginResMes, frameWelcome{Code: frameOK, Users: users})
	return stream, nil
}

// online gives the ids of those who are, the client itself among them.
func (c *frameConn) online(ctx context.Context, a chat.Actor) ([]int64, error) {
	ids := []int64{}
	for after := int64(0); ; {
		page, err := c.frame.opt.Chat.Who(ctx, a, "", after, whoPage)
		if err != nil {
			return nil, err
		}
		users := make([]int64, len(page.Users))
		for i, u := range page.Users {
			users[i] = u.ID
		}
		more, err := c.frame.ids.of(ctx, users...)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
		if after = page.Next; after == 0 || len(ids) >= frameUsers {
			return ids, nil
		}
	}
}
