package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

const (
	// newcomers may come at once, and then one in each newcomerEvery: each costs two small transactions.
	newcomers     = 2000
	newcomerEvery = 10 * time.Millisecond
	// acceptRest is the longest pause after accepting failed.
	acceptRest = time.Second
)

// acceptor gives each connection of a listener to a goroutine of its own.
type acceptor struct {
	listener net.Listener
	log      *slog.Logger
	handle   func(ctx context.Context, conn net.Conn)
	pace     *pace // nil: as fast as they come

	ctx     context.Context //nolint:containedctx // of the connections: it ends when the acceptor stops
	cancel  context.CancelFunc
	running sync.WaitGroup
	closing sync.Once

	mu     sync.Mutex
	conns  map[net.Conn]struct{}
	abrupt bool // connections that are still there are to be closed
}

// accept begins at once. handle may take as long as the connection lasts, and must end soon after its ctx did.
func accept(l net.Listener, limited bool, log *slog.Logger, handle func(ctx context.Context, conn net.Conn)) *acceptor {
	a := &acceptor{listener: l, log: log, handle: handle, conns: map[net.Conn]struct{}{}}
	if limited {
		a.pace = newPace(newcomers, newcomerEvery)
	}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.running.Go(a.loop)
	return a
}

func (a *acceptor) loop() {
	rest := time.Duration(0)
	for a.pace.wait(a.ctx) == nil {
		conn, err := a.listener.Accept()
		switch {
		case err == nil:
			rest = 0
			a.running.Go(func() { a.serve(conn) })
		case errors.Is(err, net.ErrClosed):
			return
		default:
			rest = min(max(2*rest, 5*time.Millisecond), acceptRest)
			a.log.Warn("accept a connection; trying again", "address", a.listener.Addr().String(), "error", err)
			if pause(a.ctx, rest) != nil {
				return
			}
		}
	}
}

func (a *acceptor) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	if !a.enter(conn) {
		return
	}
	defer a.leave(conn)
	guarded(a.log, func() { a.handle(a.ctx, conn) })
}

func (a *acceptor) enter(conn net.Conn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.abrupt {
		return false
	}
	a.conns[conn] = struct{}{}
	return true
}

func (a *acceptor) leave(conn net.Conn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.conns, conn)
}

// close lets nobody in any more, tells the connections to end and waits for them. Where ctx ends first, they are cut and its
// error is returned.
func (a *acceptor) close(ctx context.Context) error {
	a.closing.Do(func() {
		_ = a.listener.Close()
		a.cancel()
	})
	ended := make(chan struct{})
	go func() {
		a.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	a.cut()
	<-ended
	return ctx.Err()
}

func (a *acceptor) cut() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.abrupt = true
	for conn := range a.conns {
		_ = conn.Close()
	}
}
