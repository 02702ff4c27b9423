package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// Served is a request that was answered, in words of which there are few: nothing of it is a
// client's own.
type Served struct {
	Method  string // OtherMethod for all that HTTP does not know
	Route   string // the path as the spec has it, such as /v1/rooms/{room}, or Unrouted
	Status  int
	Took    time.Duration
	Lasting bool // a stream or a long-poll, which takes as long as its client wants
}

// What stands for everything that has no name of its own.
const (
	Unrouted    = "unrouted" // no operation has the path and the method
	OtherMethod = "OTHER"
)

var methods = []string{
	http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodHead,
	http.MethodOptions, http.MethodConnect, http.MethodTrace,
}

// loggedPath is a path without what is secret in it: an invitation's code.
func loggedPath(path string) string {
	const invites = "/v1/invites/"
	if strings.HasPrefix(path, invites) {
		return invites + "…"
	}
	return path
}

// ending is what there is to do and to tell when a request has ended: its handler, or the stream that has taken its
// connection and goes on. It keeps nothing else of the request alive.
type ending struct {
	began   time.Time
	release []func(context.Context) // what a stream holds is given back
	later   bool                    // a stream that has taken the connection goes on

	id, method, route, path string
	user                    int64
	address                 netip.Addr
}

// holds has something given back at the end.
func (e *ending) holds(release func(context.Context)) { e.release = append(e.release, release) }

// over ends a request, unless a stream goes on with it.
func (s *server) over(c *gin.Context, a *about) {
	if a.last.later {
		return
	}
	e := a.ending(method(c), loggedPath(c.Request.URL.Path))
	s.end(c.Request.Context(), &e, c.Writer.Status(), c.Writer.Size(), a.op != nil && a.op.lasting)
}

// ending is the request's, filled.
func (a *about) ending(method, path string) ending {
	e := a.last
	e.id, e.method, e.route, e.path, e.user, e.address = a.id, method, a.route(), path, a.actor.User.ID, a.address
	return e
}

// end tells of a request that has ended. The log gets the path without its query, which may hold a
// ticket.
func (s *server) end(ctx context.Context, e *ending, status, bytes int, lasting bool) {
	for _, release := range e.release {
		release(ctx)
	}
	done := Served{Method: e.method, Route: e.route, Status: status, Took: time.Since(e.began), Lasting: lasting}
	if !slices.Contains(methods, done.Method) {
		done.Method = OtherMethod
	}
	s.onServed(done)
	if !s.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	line := []any{
		"method", e.method, "route", e.route, "path", e.path, "status", status,
		"bytes", bytes, "duration", done.Took, "address", e.address,
	}
	if e.user != 0 {
		line = append(line, "user_id", e.user)
	}
	s.log.DebugContext(ctx, "request", line...)
}
