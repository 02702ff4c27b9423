package direct

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"sync"

	"parley/broker"
)

// Server has the connections that were taken.
type Server struct {
	ctx     context.Context //nolint:containedctx // with which all streams read the log
	abandon context.CancelFunc
	watch   watcher
	drivers drivers

	mu      sync.Mutex
	seats   []seat
	free    []int32 // seats without a connection
	live    int     // streams whose end was not told yet
	closing bool
	empty   chan struct{} // closed when closing and none is live
}

// seat is a place for a connection, by which the watcher names it. The round tells apart those who had it.
type seat struct {
	conn  *conn
	round int32
}

// watcher says which connections have lost their reader.
type watcher interface {
	// watch begins with a connection. It ends when that is closed.
	watch(c *conn)
	close()
}

// New makes a server without connections. Close frees what it holds.
func New() *Server {
	s := &Server{empty: make(chan struct{})}
	s.ctx, s.abandon = context.WithCancel(context.Background())
	s.watch = newWatcher(s)
	s.drivers.init(runtime.GOMAXPROCS(0))
	return s
}

// Owner is told once that a taken stream has ended: the bytes of its body, and the value of a panic, nil without
// one. It is called on the goroutine that has the stream's turn, in the panic's deferred function.
type Owner interface {
	Ended(written int64, panicked any)
}

// Take takes the connection of a request for the stream, whose header w has, and goes on with it when the handler
// has returned. Where it answers false nothing has happened: serve the stream in the handler. With true it was
// served, or w is broken, as the error says; the owner is told in any case, perhaps before Take returns.
func (s *Server) Take(w http.ResponseWriter, r *http.Request, stream *broker.Stream, owner Owner) (taken bool, err error) {
	if s == nil || !takeable(w, r) || !s.enter() {
		return false, nil
	}
	c := &conn{server: s, stream: stream, owner: owner, head: header(w.Header(), r)}
	if c.Conn, _, err = http.NewResponseController(w).Hijack(); err != nil {
		c.end(nil)
		return true, fmt.Errorf("take the connection: %w", err)
	}
	if tcp := socketOf(c.Conn); tcp != nil {
		tune(tcp)
		c.socket, _ = tcp.SyscallConn()
	}
	s.sit(c)
	// The beginning takes more of a stack than all that follows, and here is one.
	if ended, err := c.open(); ended || err != nil {
		return true, err
	}
	s.watch.watch(c)
	if !stream.Rest() {
		c.Resume()
	}
	return true, nil
}

// takeable says whether the connection carries this one request, in the clear.
func takeable(w http.ResponseWriter, r *http.Request) bool {
	if r.ProtoMajor != 1 || r.TLS != nil {
		return false
	}
	// What wraps a writer may have the method without its being of use.
	for {
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			_, ok = w.(http.Hijacker)
			return ok
		}
		w = inner.Unwrap()
	}
}

// enter counts one stream more, unless the server closes.
func (s *Server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return false
	}
	s.live++
	return true
}

// exit undoes enter.
func (s *Server) exit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live--
	s.settle()
}

// settle tells Close when the last one has ended. It needs mu.
func (s *Server) settle() {
	if s.closing && s.live == 0 {
		close(s.empty)
	}
}

// sit gives the connection a seat.
func (s *Server) sit(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.free) - 1; last >= 0 {
		c.seat, s.free = s.free[last], s.free[:last]
	} else {
		c.seat = int32(len(s.seats))
		s.seats = append(s.seats, seat{})
	}
	at := &s.seats[c.seat]
	at.conn, at.round = c, at.round+1
	c.round = at.round
}

// rise takes the connection from the seat, if it is that round's still.
func (s *Server) rise(number, round int32) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := &s.seats[number]
	if at.round != round || at.conn == nil {
		return nil
	}
	c := at.conn
	at.conn = nil
	s.free = append(s.free, number)
	return c
}

// gone ends the stream whose reader has gone. Where the connection broke, a write that waits returns by itself, with
// the error, which counts for those whose limit it was.
func (s *Server) gone(number, round int32, broken bool) {
	c := s.rise(number, round)
	if c == nil {
		return
	}
	c.stream.Leave()
	if !broken {
		_ = c.Close()
	}
}

// Close takes no more connections and waits until all streams that were taken have ended, which others bring about:
// broker.Close. When ctx ends first it cuts them, and answers its error. It is called once.
func (s *Server) Close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	defer s.watch.close()
	defer s.drivers.close()
	defer s.abandon()
	s.mu.Lock()
	s.closing = true
	s.settle()
	s.mu.Unlock()
	select {
	case <-s.empty:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-s.empty:
		return nil
	default:
	}
	s.cutAll()
	return fmt.Errorf("wait for streams to end: %w", ctx.Err())
}

func (s *Server) cutAll() {
	s.mu.Lock()
	all := make([]*conn, 0, len(s.seats))
	for i := range s.seats {
		if c := s.seats[i].conn; c != nil {
			all = append(all, c)
		}
	}
	s.mu.Unlock()
	for _, c := range all {
		s.gone(c.seat, c.round, false)
	}
}
