package gateway

import (
	"context"
	"errors"
	"sync"

	"github.com/coder/websocket"

	"parley/broker"
	"parley/chat"
	"parley/internal/limit"
	"parley/models"
)

// wsConn is a connection of the protocol for messages between two.
type wsConn struct {
	ws       *WS
	id       int64     // that the client connected by
	who      limit.Who // Account is 0 until it is known
	socket   *wsSocket
	actor    chat.Actor
	own      bool                  // the session is the connection's
	lobby    bool                  // the client wants the lobby too, as receiver 0
	giveBack func(context.Context) // of the ticket; may be nil

	kinds roomKinds       // of the rooms it heard from; of the stream's goroutine, as ids
	ids   map[int64]int64 // of those it heard from

	mu      sync.Mutex
	written map[int64]int64 // by room: the newest message that is not known to have come
	bell    chan struct{}   // one slot: something was written
}

// subscribe opens the actor's stream of the types of events, from now on.
func subscribe(s *WS, a chat.Actor, types ...models.EventType) (*broker.Stream, error) {
	stream, err := s.opt.Broker.Subscribe(s.ctx, broker.Subscription{
		User: a.User.ForEvent(), SessionID: a.Session.ID, Format: broker.NDJSON, Filter: broker.Filter{Types: types},
		Alive: func(ctx context.Context) error { return s.opt.Chat.Alive(ctx, a) },
	})
	switch {
	case errors.Is(err, broker.ErrTooManyStreams):
		return nil, models.Refuse(models.CodeRateLimited, "too many streams are open on this session")
	case errors.Is(err, broker.ErrClosed):
		return nil, models.Unavailable(nil, "the server is stopping")
	}
	return stream, err
}

// run is the connection from the greeting to its end.
func (c *wsConn) run(ctx context.Context, stream *broker.Stream) {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		guarded(c.ws.opt.Log, func() { c.ws.listen(ctx, stream, c.socket, func(e *event) error { return c.hear(ctx, e) }) })
	})
	running.Go(func() { guarded(c.ws.opt.Log, func() { c.look(ctx) }) })
	clean := c.ws.converse(ctx, c.socket, c.actor, c.say)
	stop()
	c.socket.cut() // ends a stream that waits for the client
	running.Wait()
	if upTo := c.takeWritten(); clean && len(upTo) > 0 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		_ = c.save(ctx, upTo)
	}
}

// listen gives the stream's events to hear until the stream ends, which ends the connection.
func (s *WS) listen(ctx context.Context, stream *broker.Stream, socket *wsSocket, hear events) {
	defer stream.Close()
	reason := ""
	err := stream.Run(ctx, events(func(e *event) error {
		if e.Type == models.SessionEnded {
			reason = e.Data.Reason
		}
		return hear(e)
	}))
	switch {
	case err == nil:
		socket.end(websocket.StatusPolicyViolation, "session ended: "+reason)
	case errors.Is(err, broker.ErrClosed) || ctx.Err() != nil && s.ctx.Err() != nil:
		socket.end(websocket.StatusGoingAway, "the server is stopping")
	case ctx.Err() == nil:
		if !gone(err) {
			s.opt.Log.Warn("serve a WebSocket connection", "error", err)
		}
		socket.end(websocket.StatusInternalError, "the server failed")
	}
}

// converse gives what the client says to say until the connection ends, and says whether the client has ended it. say's error ends
// it too.
func (s *WS) converse(ctx context.Context, socket *wsSocket, a chat.Actor, say func(ctx context.Context, text string, err error) error) (clean bool) {
	defer context.AfterFunc(s.ctx, func() { socket.end(websocket.StatusGoingAway, "the server is stopping") })()
	var limit *pace
	if s.opt.Limits != nil {
		limit = newPace(lineBurst, lineEvery)
	}
	for {
		text, err := socket.next()
		if err != nil && !errors.Is(err, errNotText) {
			return saidGoodbye(err)
		}
		s.opt.Chat.Acted(a)
		release := socket.hold()
		err = say(ctx, text, err)
		// Who says much waits.
		if err == nil {
			err = limit.wait(ctx)
		}
		release()
		if err != nil {
			return errors.Is(err, errGoodbye)
		}
	}
}

// errGoodbye says that the client has said that it goes.
var errGoodbye = errors.New("the client goes")

// hear tells of an event. It waits for a client that is slow.
func (c *wsConn) hear(ctx context.Context, e *event) error {
	switch e.Type {
	case models.Ready, models.Reset:
		return c.ws.opt.Chat.EachWaiting(ctx, c.actor, e.Data.Cursor, func(m models.Message) error {
			return c.tell(ctx, m.RoomID, m.ID, m.SenderID, m.Text)
		})
	case models.MessageCreated:
	default:
		return nil
	}
	m := &e.Data.Message
	if m.Text == "" || m.Sender.ID == c.actor.User.ID {
		return nil // deleted before it was read, or by another connection of the same account
	}
	if e.RoomID == models.LobbyID {
		if !c.lobby {
			return nil
		}
		return c.write(ctx, m.Sender.ID, 0, m.Text)
	}
	if direct, err := c.kinds.direct(ctx, e.RoomID); err != nil || !direct {
		return err
	}
	return c.tell(ctx, e.RoomID, m.ID, m.Sender.ID, m.Text)
}

// tell writes a message of somebody else's to this client, and that it was written.
func (c *wsConn) tell(ctx context.Context, roomID, messageID, senderID int64, text string) error {
	err := c.write(ctx, senderID, c.id, text)
	if err == nil {
		c.told(roomID, messageID)
	}
	return err
}

// write writes what somebody else says to the receiver, 0 for all.
func (c *wsConn) write(ctx context.Context, senderID, receiver int64, text string) error {
	sender, known := c.ids[senderID]
	if !known {
		ids, err := c.ws.opt.Chat.LegacyIDs(ctx, wsProtocol, []int64{senderID})
		if err != nil {
			return err
		}
		sender = ids[senderID]
		c.ids[senderID] = sender
	}
	return c.socket.send(wsMessage{Type: wsSend, Sender: sender, Receiver: receiver, Content: clean(text)})
}
