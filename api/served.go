package api

import (
	"log/slog"
	"net/http"
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

// served tells of a request that has ended. The log gets the path without its query, which may hold a
// ticket.
func (s *server) served(c *gin.Context, a *about, began time.Time) {
	done := Served{Method: method(c), Route: a.route(), Status: c.Writer.Status(), Took: time.Since(began)}
	if !slices.Contains(methods, done.Method) {
		done.Method = OtherMethod
	}
	if a.op != nil {
		done.Lasting = a.op.lasting
	}
	s.onServed(done)
	if !s.log.Enabled(c.Request.Context(), slog.LevelDebug) {
		return
	}
	line := []any{
		"method", method(c), "route", done.Route, "path", loggedPath(c.Request.URL.Path), "status", done.Status,
		"bytes", c.Writer.Size(), "duration", done.Took, "address", a.address,
	}
	if id := a.actor.User.ID; id != 0 {
		line = append(line, "user_id", id)
	}
	s.log.DebugContext(c.Request.Context(), "request", line...)
}
