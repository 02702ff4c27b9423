package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"
)

const (
	// defaultStall is how long a reader may take no byte before it is cut off.
	defaultStall = 30 * time.Second

	headerTimeout  = 10 * time.Second
	idleTimeout    = 2 * time.Minute
	maxHeaderBytes = 32 << 10

	// http2Streams is how many requests one HTTP/2 connection may have open: a browser has few, a session at most
	// 32 streams, but a proxy may bring many users on one connection.
	http2Streams = 250
)

// server is the HTTP server with its listener. Requests have contexts that end when stop
// runs out of patience.
type server struct {
	http     *http.Server
	listener net.Listener
	secure   bool // by TLS
	abandon  context.CancelFunc
}

// serving says what is served, and how patiently.
type serving struct {
	addr    string
	handler http.Handler
	tls     *tls.Config // nil: plain HTTP
	log     *slog.Logger
	stall   time.Duration // a reader that takes no byte so long is cut off
	body    time.Duration // for a request's body, and more for each byte of it
	conns   int           // at once; 0: any number
	cut     func()        // told of each reader that was cut off; may be nil
}

// listen opens the address; connections wait in the kernel's queue until serve.
func listen(ctx context.Context, o serving) (*server, error) {
	listener, err := listenTCP(ctx, o.addr, o.stall, o.cut)
	if err != nil {
		return nil, fmt.Errorf("--addr %s: %w", o.addr, reasonOf(err))
	}
	if o.conns > 0 {
		listener = &boundedListener{Listener: listener, most: o.conns, log: o.log}
	}
	base, abandon := context.WithCancel(context.WithoutCancel(ctx))
	return &server{
		http: &http.Server{
			Handler:           patient{next: o.handler, body: o.body, stall: o.stall},
			TLSConfig:         o.tls,
			HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: http2Streams},
			ReadHeaderTimeout: headerTimeout,
			IdleTimeout:       idleTimeout,
			MaxHeaderBytes:    maxHeaderBytes,
			BaseContext:       func(net.Listener) context.Context { return base },
			ErrorLog:          log.New(clientFaults{o.log}, "", 0),
			// No WriteTimeout, which would end streams: see stallConn.
		},
		listener: listener,
		secure:   o.tls != nil,
		abandon:  abandon,
	}, nil
}

// reasonOf is an error of the network without the address, which the caller names.
func reasonOf(err error) error {
	op, ok := errors.AsType[*net.OpError](err)
	switch {
	case !ok:
		return err
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("%w: another program listens there; take another port, or 0 for a free one", syscall.EADDRINUSE)
	default:
		return op.Err
	}
}

// serve answers requests until stop is called, which is no error. It is called once.
func (s *server) serve() error {
	serve := s.http.Serve
	if s.secure {
		serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
	}
	if err := serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// stop lets nobody in any more and waits for the requests that are being answered; when
// ctx ends first, it cuts them off and says so.
func (s *server) stop(ctx context.Context) error {
	defer s.abandon()
	// A server that never served does not know its listener.
	defer func() { _ = s.listener.Close() }()
	err := s.http.Shutdown(ctx)
	if err == nil {
		return nil
	}
	s.abandon()
	return errors.Join(fmt.Errorf("wait for requests to end: %w", err), s.http.Close())
}

// url is where the server can be reached from this machine.
func (s *server) url() string {
	scheme := "http://"
	if s.secure {
		scheme = "https://"
	}
	addr, ok := s.listener.Addr().(*net.TCPAddr)
	if !ok {
		return scheme + s.listener.Addr().String()
	}
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "localhost"
	}
	return scheme + net.JoinHostPort(host, fmt.Sprint(addr.Port))
}

// clientFaults logs what net/http has to say. A failed handshake is a client's fault, and any scanner of ports could fill
// the log with them.
type clientFaults struct{ log *slog.Logger }

// Write implements io.Writer, a line at a time.
func (f clientFaults) Write(line []byte) (int, error) {
	level := slog.LevelWarn
	if bytes.Contains(line, []byte("TLS handshake error")) {
		level = slog.LevelDebug
	}
	f.log.Log(context.Background(), level, string(bytes.TrimSpace(line)))
	return len(line), nil
}
