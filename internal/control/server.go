package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// headerTimeout ends connections that ask for nothing.
const headerTimeout = 10 * time.Second

// Server answers on the directory's socket.
type Server struct {
	http *http.Server
	done chan struct{} // closed when serving has ended
}

// Start makes the socket in the directory and answers on it with h until Close. ErrTaken where another
// server does.
func Start(ctx context.Context, dir string, h http.Handler, log *slog.Logger) (*Server, error) {
	l, err := listen(ctx, dir)
	if err != nil {
		return nil, err
	}
	s := &Server{done: make(chan struct{}), http: &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}}
	go func() {
		defer close(s.done)
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the control socket does not answer any more", "error", err)
		}
	}()
	return s, nil
}

// Close removes the socket and waits for the calls that are being answered; when ctx ends first, it cuts
// them off and says so.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(fmt.Errorf("end calls on the control socket: %w", err), s.http.Close())
	}
	<-s.done
	return err
}
