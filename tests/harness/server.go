package harness

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/app"
	"parley/internal/config"
	"parley/internal/pgtest"
)

// Server is a running Parley, and the test that looks at it.
type Server struct {
	tb  testing.TB
	p   *program
	via string // where it is reached, if not at its own address
}

// program is the running program, shared by the tests that use it.
type program struct {
	flags   []string
	options app.Options

	broken  atomic.Pointer[func(op string) error]
	advance atomic.Int64 // nanoseconds that the server's clock is ahead
	hasty   atomic.Bool  // it stopped before all was done

	mu    sync.Mutex
	app   *app.App
	ended chan error // what Run returned
}

// Option is a setting of Start.
type Option func(tb testing.TB, p *program)

// Flags are more flags of `parley serve`.
func Flags(flags ...string) Option {
	return func(_ testing.TB, p *program) { p.flags = append(p.flags, flags...) }
}

// RateLimited turns the limits on by account and address, which are off in other tests: those do in a second
// what people do in a day.
func RateLimited() Option { return Flags("--rate-limit", "on") }

// NoGuests turns guests away.
func NoGuests() Option { return Flags("--guests", "off") }

// Postgres runs on a PostgreSQL database of the test's own; where there is none, the test is skipped.
func Postgres() Option {
	return func(tb testing.TB, p *program) { p.flags = append(p.flags, "--database", pgtest.DSN(tb)) }
}

// OwnClock gives the server a clock that Advance moves.
func OwnClock() Option {
	return func(_ testing.TB, p *program) {
		p.options.Clock = func() time.Time { return time.Now().Add(time.Duration(p.advance.Load())) }
	}
}

// Tune changes what no flag sets, such as the sizes of buffers.
func Tune(change func(o *app.Options)) Option {
	return func(_ testing.TB, p *program) { change(&p.options) }
}

// Start runs a server with new data until the test ends.
func Start(tb testing.TB, with ...Option) *Server {
	tb.Helper()
	// Visitors of a test that says nothing of it do not leave: it may run for long on a busy machine.
	p := &program{flags: []string{
		"--addr", "127.0.0.1:0", "--data", tb.TempDir(), "--rate-limit", "off", "--support-leave-after", "0",
	}}
	p.options = app.Options{
		Log: p.log(), Fault: p.fault, Spread: -1,
		Tidy: -1, // or tests that count the database's work would count the janitor's
	}
	p.options.HashCost.MemoryKiB, p.options.HashCost.Passes = 8, 1 // hashing is not what is tested
	for _, w := range with {
		w(tb, p)
	}
	s := &Server{tb: tb, p: p}
	s.start()
	tb.Cleanup(s.Stop)
	return s
}

// For is the same server in another test, which its failures end.
func (s *Server) For(tb testing.TB) *Server { return &Server{tb: tb, p: s.p, via: s.via} }

// Via is the same server reached by another URL, that of a reverse proxy. Users made by it go that way.
func (s *Server) Via(url string) *Server { return &Server{tb: s.tb, p: s.p, via: url} }

// URL is where the server is reached. Its own changes with Restart.
func (s *Server) URL() string {
	if s.via != "" {
		return s.via
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.p.app.URL()
}

// OlderAddr is where the older protocol is spoken whose address the flag names.
func (s *Server) OlderAddr(flag string) string {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	return s.p.app.OlderAddr(flag)
}

// Advance moves the clock of a server with OwnClock.
func (s *Server) Advance(d time.Duration) { s.p.advance.Add(int64(d)) }

// Stop ends the program the way a signal does. Stopping what is stopped does nothing.
func (s *Server) Stop() {
	s.tb.Helper()
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if s.p.ended == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.tb.Context()), patience)
	defer cancel()
	if err := s.p.app.Close(ctx); err != nil {
		s.tb.Errorf("stop the server: %v", err)
	}
	if s.p.hasty.Load() {
		s.tb.Error("the server gave up waiting for its streams and requests: somebody holds one for ever")
	}
	if err := <-s.p.ended; err != nil {
		s.tb.Errorf("the server ended: %v", err)
	}
	s.p.ended = nil
}

// Restart stops the program and runs it on the same data.
func (s *Server) Restart() {
	s.tb.Helper()
	s.Stop()
	s.start()
}

func (s *Server) start() {
	s.tb.Helper()
	in, err := config.Parse(s.p.flags, nil, io.Discard)
	if err != nil {
		s.tb.Fatalf("read the flags: %v", err)
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.app, err = app.New(context.WithoutCancel(s.tb.Context()), in.Config, s.p.options)
	if err != nil {
		s.tb.Fatalf("start the server: %v", err)
	}
	s.p.ended = make(chan error, 1)
	go func(a *app.App, ended chan<- error) { ended <- a.Run(context.Background()) }(s.p.app, s.p.ended)
}
