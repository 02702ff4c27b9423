package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

// profiles serves /debug/pprof/ on a listener of its own, which only this machine reaches. nil serves
// nothing.
type profiles struct {
	http     *http.Server
	listener net.Listener
	ended    chan struct{}
}

// openProfiles serves at once; without an address it gives nil.
func openProfiles(ctx context.Context, addr string, log *slog.Logger) (*profiles, error) {
	if addr == "" {
		return nil, nil //nolint:nilnil // nothing was asked for, and nothing is there
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w (flag --pprof-addr)", err)
	}
	p := &profiles{
		http: &http.Server{
			Handler: onlyLocal(profileRoutes()), ReadHeaderTimeout: headerTimeout, IdleTimeout: time.Minute,
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		},
		listener: listener, ended: make(chan struct{}),
	}
	go func() {
		defer close(p.ended)
		if err := p.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("profiles are not served any more", "error", err)
		}
	}()
	log.Info("serving profiles", "url", "http://"+listener.Addr().String()+"/debug/pprof/")
	return p, nil
}

// close ends also the profiles that are being taken.
func (p *profiles) close() {
	if p == nil {
		return
	}
	_ = p.http.Close() // the listener's error, which nobody could do anything about
	<-p.ended
}

// profileRoutes has what `go tool pprof` asks for. The command line is left out: it may hold the
// database's password.
func profileRoutes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", http.NotFound)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}

// onlyLocal refuses requests that name another host: a page of a stranger, opened in a browser on this
// machine, could otherwise read the profiles through a name that it lets point here.
func onlyLocal(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "profiles are for this machine only", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}
