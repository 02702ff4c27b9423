package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"parley/broker"
	"parley/chat"
	"parley/internal/limit"
)

const (
	// wsHeaders is how long the header of the request that begins a connection may take to come in, and wsHeaderBytes how long it
	// may be. wsRequest is for all of a request that becomes none.
	wsHeaders     = 10 * time.Second
	wsHeaderBytes = 16 << 10
	wsRequest     = time.Minute
	// wsIdle is how long a connection that became none may stay.
	wsIdle = 10 * time.Second
	// wsPing is how often it is asked whether a client is still there.
	wsPing = 30 * time.Second
)

// WSOptions are what the WebSocket protocols are made of. Chat, Broker, Door and Log are required.
type WSOptions struct {
	Chat   *chat.Service
	Broker *broker.Broker
	Door   Door
	Log    *slog.Logger
	Limits *limit.Set    // nil: none
	Ping   time.Duration // how often a client is asked whether it is there; 0: every 30 s
}

// WS is the two WebSocket protocols on a listener.
type WS struct {
	opt      WSOptions
	http     *http.Server
	listener net.Listener
	desk     *wsDesk
	serving  sync.WaitGroup // the http.Server

	ctx    context.Context //nolint:containedctx // of the connections: it ends when the WS stops
	cancel context.CancelFunc

	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup // requests, and the connections that became of them
	conns   map[net.Conn]struct{}
}

type wsContextKey struct{}

// ServeWS speaks the WebSocket protocols on the listener, which is the WS's from then on, until Close.
func ServeWS(l net.Listener, o WSOptions) *WS {
	if o.Ping == 0 {
		o.Ping = wsPing
	}
	s := &WS{opt: o, conns: map[net.Conn]struct{}{}, desk: newWSDesk()}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.listener = l
	if o.Limits != nil {
		s.listener = &pacedListener{Listener: l, ctx: s.ctx, pace: newPace(newcomers, newcomerEvery)}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ws/support", s.counted(s.support))
	mux.HandleFunc("GET /ws/{userId}", s.counted(s.talk))
	s.http = &http.Server{
		Handler: mux, ReadHeaderTimeout: wsHeaders, ReadTimeout: wsRequest, IdleTimeout: wsIdle, MaxHeaderBytes: wsHeaderBytes,
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, wsContextKey{}, conn)
		},
	}
	s.serving.Go(s.serve)
	return s
}

func (s *WS) serve() {
	if err := s.http.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) && s.ctx.Err() == nil {
		s.opt.Log.Error("serve the WebSocket protocols", "error", err)
	}
}

// Addr is the address that it listens on.
func (s *WS) Addr() net.Addr { return s.listener.Addr() }

// Close lets nobody in any more, tells the clients and waits for the ends of their connections. Where ctx ends first, they are
// cut. The chat and the broker must still be there.
func (s *WS) Close(ctx context.Context) error {
	s.mu.Lock()
	s.stopped = true
	s.mu.Unlock()
	_ = s.listener.Close()
	s.cancel()
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = ctx.Err()
		s.cut()
		<-ended
	}
	_ = s.http.Close() // those who have said nothing yet
	s.serving.Wait()
	return err
}

func (s *WS) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.conns {
		_ = conn.Close()
	}
}

// counted has Close wait for the request and for the connection that becomes of it.
func (s *WS) counted(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, ok := r.Context().Value(wsContextKey{}).(net.Conn)
		if !ok || !s.enter(conn) {
			http.Error(w, "the server is stopping", http.StatusServiceUnavailable)
			return
		}
		defer s.leave(conn)
		guarded(s.opt.Log, func() { next(w, r) })
	}
}

func (s *WS) enter(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.running.Add(1)
	s.conns[conn] = struct{}{}
	return true
}

func (s *WS) leave(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
	s.running.Done()
}

// pacedListener lets newcomers in no faster than that.
type pacedListener struct {
	net.Listener
	ctx  context.Context //nolint:containedctx // ends the wait
	pace *pace
}

// Accept implements net.Listener.
func (l *pacedListener) Accept() (net.Conn, error) {
	if l.pace.wait(l.ctx) != nil {
		return nil, net.ErrClosed
	}
	return l.Listener.Accept()
}
