package gateway

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"parley/broker"
	"parley/chat"
)

const (
	// lineBurst and lineEvery are how fast one may say something: as by the API.
	lineBurst = 50
	lineEvery = 200 * time.Millisecond
	// lineGrace is how long the last lines of a connection may take to go out.
	lineGrace = 2 * time.Second
	// farewell is how long the end of a connection may take in the database.
	farewell = 10 * time.Second
	// linePrefix is that of the names of the accounts made here.
	linePrefix = "nc-"
)

// LineOptions are what the line protocol is made of. Chat, Broker and Log are required.
type LineOptions struct {
	Chat      *chat.Service
	Broker    *broker.Broker
	Log       *slog.Logger
	KickAfter time.Duration // 0: never
	English   bool
	RateLimit bool
}

// Line is the line protocol on a listener.
type Line struct {
	opt    LineOptions
	words  *lineWords
	hub    *lineHub
	accept *acceptor
}

// ServeLine speaks the line protocol on the listener, which is the Line's from then on, until Close.
func ServeLine(l net.Listener, o LineOptions) *Line {
	s := &Line{opt: o, words: &chinese, hub: newLineHub()}
	if o.English {
		s.words = &english
	}
	s.accept = accept(l, o.RateLimit, o.Log, s.serve)
	return s
}

// Addr is the address that it listens on.
func (s *Line) Addr() net.Addr { return s.accept.listener.Addr() }

// Close lets nobody in any more, tells the clients and waits for the ends of their connections. Where ctx ends first, they are
// cut. The chat and the broker must still be there.
func (s *Line) Close(ctx context.Context) error {
	s.hub.close()
	return s.accept.close(ctx)
}

// serve is one connection from its beginning to its end. What needs much stack is done apart: most connections are idle most of
// the time, and their goroutines keep what they once had.
func (s *Line) serve(ctx context.Context, conn net.Conn) {
	c := newLineConn(s, conn)
	defer c.out.close(lineGrace)
	defer apart(s.opt.Log, func() { c.depart(ctx) })
	var stream *broker.Stream
	apart(s.opt.Log, func() { stream = c.enter(ctx) })
	if stream == nil {
		return
	}
	s.hub.add(c)
	defer c.leave()
	s.hub.tell(c.label.line(s.words.online), 0)
	listening, stop := context.WithCancel(ctx)
	c.running.Go(func() { guarded(s.opt.Log, func() { c.listen(listening, stream) }) })
	defer c.running.Wait()
	defer c.out.close(lineGrace) // ends a stream that waits for room
	defer stop()
	c.converse(ctx)
}

// addrOf is where the connection comes from.
func addrOf(conn net.Conn) netip.AddrPort {
	addr, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	a := addr.AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
