package gateway

import (
	"context"
	"log/slog"
	"net"
	"time"

	"parley/broker"
	"parley/chat"
	"parley/internal/limit"
)

const (
	// frameProtocol is what the ids and sessions of its clients are kept under.
	frameProtocol = "frame"
	// framePrefix and the id are the name of an account that cannot have the one it asked for.
	framePrefix = "u-"
	// frameBurst and frameEvery are how fast packets are taken in.
	frameBurst = 50
	frameEvery = 200 * time.Millisecond
	// frameLogin is how long a connection may be there without being logged in.
	frameLogin = 2 * time.Minute
	// frameGrace is how long the last packets of a connection may take to go out.
	frameGrace = 2 * time.Second
	// frameLinger is how long a client that is refused may go on writing, so that it gets to reading why.
	frameLinger = time.Second
)

// FrameOptions are what the length-framed protocol is made of. Chat, Broker and Log are required.
type FrameOptions struct {
	Chat          *chat.Service
	Broker        *broker.Broker
	Log           *slog.Logger
	Limits        *limit.Set // nil: none
	LeastPassword int        // bytes of a password that somebody registers with
}

// Frame is the length-framed JSON protocol on a listener.
type Frame struct {
	opt    FrameOptions
	hub    frameHub
	ids    frameIDs
	accept *acceptor
}

// ServeFrame speaks the protocol on the listener, which is the Frame's from then on, until Close.
func ServeFrame(l net.Listener, o FrameOptions) *Frame {
	s := &Frame{opt: o, hub: frameHub{conns: map[*frameConn]struct{}{}}, ids: frameIDs{chat: o.Chat}}
	s.accept = accept(l, o.Limits != nil, o.Log, s.serve)
	return s
}

// Addr is the address that it listens on.
func (s *Frame) Addr() net.Addr { return s.accept.listener.Addr() }

// Close lets nobody in any more, tells the clients and waits for the ends of their connections. Where ctx ends first, they are
// cut. The chat and the broker must still be there.
func (s *Frame) Close(ctx context.Context) error {
	s.hub.close()
	return s.accept.close(ctx)
}

// serve is one connection from its beginning to its end.
func (s *Frame) serve(ctx context.Context, conn net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	c := newFrameConn(s, conn, cancel)
	defer c.out.close(frameGrace)
	defer apart(s.opt.Log, func() { c.depart(ctx) })
	defer c.running.Wait()
	defer c.out.close(frameGrace) // ends a stream that waits for room
	defer cancel()
	c.converse(ctx)
}
