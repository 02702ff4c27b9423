package gateway

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"parley/chat"
	"parley/models"
)

const (
	// wsProtocol is the name of the ids of the WebSocket protocol, wsPrefix that of the guests made by it.
	wsProtocol = "ws"
	wsPrefix   = "ws-"
)

// talk is one connection of the protocol for messages between two, from its request to its end.
func (s *WS) talk(w http.ResponseWriter, r *http.Request) {
	if !s.admissible(w, r) {
		return
	}
	c := &wsConn{
		ws: s, written: map[int64]int64{}, bell: make(chan struct{}, 1), kinds: roomKinds{chat: s.opt.Chat}, ids: map[int64]int64{},
	}
	defer c.depart()
	if err := c.identify(r); err != nil {
		s.refuse(w, err)
		return
	}
	stream, err := subscribe(s, c.actor, models.MessageCreated)
	if err != nil {
		s.refuse(w, err)
		return
	}
	defer s.opt.Chat.Hold(s.ctx, c.actor)(s.ctx)
	if c.socket = s.welcome(w, r); c.socket == nil {
		stream.Close()
		return
	}
	defer c.socket.cut()
	c.run(s.ctx, stream)
}

// identify finds out who connects, or makes a guest.
func (c *wsConn) identify(r *http.Request) error {
	id, err := strconv.ParseInt(r.PathValue("userId"), 10, 64)
	if err != nil || id < 1 {
		return models.Refuse(models.CodeInvalidRequest, "the path ends with a user's id, a number from 1 on")
	}
	c.id, c.who.Address = id, c.ws.opt.Door.Address(r)
	c.lobby = r.URL.Query().Get("lobby") == "1"
	token, ticket := bearer(r), r.URL.Query().Get("ticket")
	if token == "" && ticket == "" {
		return c.comeAsGuest(r.Context())
	}
	if err := c.authenticate(r.Context(), token, ticket); err != nil {
		return err
	}
	ids, err := c.ws.opt.Chat.LegacyIDs(r.Context(), wsProtocol, []int64{c.actor.User.ID})
	if err != nil {
		return err
	}
	if ids[c.actor.User.ID] != id {
		return models.Refuse(models.CodeUnauthorized, "the token is of another account, whose id here is %d", ids[c.actor.User.ID])
	}
	return c.ws.opt.Chat.CheckAddress(c.actor)
}

// authenticate finds the session of a token or a ticket.
func (c *wsConn) authenticate(ctx context.Context, token, ticket string) (err error) {
	if token != "" {
		c.actor, _, err = c.ws.opt.Chat.Authenticate(ctx, token)
	} else {
		c.actor, c.giveBack, err = c.ws.opt.Chat.UseTicket(context.WithoutCancel(ctx), ticket)
	}
	c.actor.Address = c.who.Address.String()
	return err
}

// bearer reads the token of the Authorization header.
func bearer(r *http.Request) string {
	if scheme, rest, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(rest)
	}
	return ""
}

// comeAsGuest takes up the guest of the id, or makes one.
func (c *wsConn) comeAsGuest(ctx context.Context) error {
	service, device := c.ws.opt.Chat, chat.GuestOf(wsProtocol, c.who.Address.String())
	login, err := service.ReturnLegacy(ctx, wsProtocol, c.id, device)
	if models.CodeOf(err) == models.CodeNotFound {
		if c.id > chat.LegacyOffset {
			return models.Refuse(models.CodeNotFound, "nobody has the id %d, and one that big cannot be chosen", c.id)
		}
		if err := c.ws.opt.Limits.Take(ctx, "guest", c.who); err != nil {
			return err
		}
		login, err = service.RegisterLegacy(ctx, c.ws.guest(c.id), device)
	}
	if models.CodeOf(err) == models.CodeConflict { // somebody else made it meanwhile
		login, err = service.ReturnLegacy(ctx, wsProtocol, c.id, device)
	}
	if err != nil {
		return err
	}
	c.actor, c.own = login.Actor, true
	return nil
}

// guest is the account of an id that nobody has.
func (s *WS) guest(id int64) chat.LegacyAccount {
	return chat.LegacyAccount{Protocol: wsProtocol, ID: id, Name: wsPrefix + strconv.FormatInt(id, 10), Prefix: wsPrefix}
}

// depart ends what was begun for the connection.
func (c *wsConn) depart() {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ws.ctx), farewell)
	defer cancel()
	if c.giveBack != nil {
		c.giveBack(ctx)
	}
	if !c.own {
		return
	}
	if err := c.ws.opt.Chat.LeaveLegacy(ctx, c.actor); err != nil {
		c.ws.opt.Log.Warn("end a WebSocket connection's session", "user", c.actor.User.ID, "error", err)
	}
}
