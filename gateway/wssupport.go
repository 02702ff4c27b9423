package gateway

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"net/http"
	"strings"

	"parley/chat"
	"parley/internal/limit"
	"parley/models"
)

// supportProtocol is the name of the ids of the support protocol.
const supportProtocol = "support"

// What the support protocol says itself.
const (
	supportPaired      = "连接成功"
	supportNobody      = "连接失败，此时无在线客服，等稍后再试"
	supportVisitorLeft = "用户退出"
	supportAgentLeft   = "客服退出"
	supportRefused     = "发送失败:" // and why
	supportAlone       = supportRefused + "当前没有用户"
	supportFailed      = supportRefused + "服务器出错,请稍后再试"
)

// maxUID is how long a visitor's id may be.
const maxUID = 256

// supportSide is one of the two who talk: what they do with what they hear and with what they say.
type supportSide interface {
	hear(ctx context.Context, e *event) error
	say(ctx context.Context, text string) error
	// leave ends the session. stopping says that it was the server who ended the connection: the client may come back.
	leave(ctx context.Context, stopping bool) error
}

// support is one connection of the support protocol, from its request to its end.
func (s *WS) support(w http.ResponseWriter, r *http.Request) {
	if !s.admissible(w, r) {
		return
	}
	actor, makeSide, err := s.whoIsIt(r)
	if err != nil {
		s.refuse(w, err)
		return
	}
	c := &supportConn{ws: s, actor: actor}
	c.side = makeSide(c)
	s.desk.join(actor.User.ID)
	defer c.depart()
	stream, err := subscribe(s, actor, models.MessageCreated, models.SupportUpdated)
	if err != nil {
		s.refuse(w, err)
		return
	}
	defer s.opt.Chat.Hold(s.ctx, actor)(s.ctx)
	if c.socket = s.welcome(w, r); c.socket == nil {
		stream.Close()
		return
	}
	defer c.socket.cut()
	c.run(s.ctx, stream)
}

// whoIsIt lets a visitor or an agent in.
func (s *WS) whoIsIt(r *http.Request) (a chat.Actor, makeSide func(*supportConn) supportSide, err error) {
	query := r.URL.Query()
	name, uid, password := query.Get("username"), query.Get("UID"), query.Get("ID")
	switch {
	case (uid == "") == (password == ""):
		return a, nil, models.Refuse(models.CodeInvalidRequest, "a visitor has a UID, an agent an ID, and nobody both")
	case password != "":
		a, err = s.agent(r, name, password)
		return a, func(c *supportConn) supportSide { return newSupportAgent(c) }, err
	case len(uid) > maxUID:
		return a, nil, models.Refuse(models.CodeInvalidRequest, "UID has %d bytes, at most %d are allowed", len(uid), maxUID)
	}
	from := s.opt.Door.Address(r)
	if err := s.opt.Limits.Take(r.Context(), "createVisitor", limit.Who{Address: from}); err != nil {
		return a, nil, err
	}
	login, err := s.opt.Chat.ComeVisitor(r.Context(), supportProtocol, idOfUID(uid), chat.NewVisitor{Name: strings.TrimSpace(name)},
		chat.GuestOf(supportProtocol, from.String()))
	return login.Actor, func(c *supportConn) supportSide { return newSupportVisitor(c) }, err
}

// agent logs an agent in.
func (s *WS) agent(r *http.Request, name, password string) (chat.Actor, error) {
	ctx, from := r.Context(), s.opt.Door.Address(r)
	if err := s.opt.Limits.Take(ctx, "login", limit.Who{Address: from}); err != nil {
		return chat.Actor{}, err
	}
	if _, key, err := models.UserName(name); err == nil { // else nobody can be called that
		if err := s.opt.Limits.Guess(ctx, key, from); err != nil {
			return chat.Actor{}, err
		}
	}
	login, err := s.opt.Chat.Login(ctx, name, password, chat.GuestOf(supportProtocol, from.String()))
	if err != nil {
		return chat.Actor{}, err
	}
	login.Actor.Address = from.String()
	if login.Actor.User.Role != models.RoleAgent {
		if err := s.opt.Chat.LeaveLegacy(ctx, login.Actor); err != nil {
			return chat.Actor{}, err
		}
		return chat.Actor{}, models.Refuse(models.CodeInvalidCredentials, "name or password is wrong")
	}
	s.opt.Limits.Right(login.Actor.User.Key, from)
	return login.Actor, nil
}

// idOfUID is the id that stands for what a visitor is called by. It is negative, where nobody else's is.
func idOfUID(uid string) int64 {
	sum := sha256.Sum256([]byte(uid))
	return -1 - int64(binary.BigEndian.Uint64(sum[:8])>>1)
}
