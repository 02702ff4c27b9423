package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"parley/chat"
	"parley/models"
)

type contextKey int

const (
	aboutKey contextKey = iota
	headKey
)

// about is what is known of a request. It is put into the request's context once, and filled by the steps
// before the handler: each context more would cost a copy of the request.
type about struct {
	id      string
	op      *operation // nil where no operation has the path and method
	actor   chat.Actor
	address netip.Addr  // of the client
	secure  bool        // the client speaks TLS
	head    bool        // only the answer's header is asked for
	foreign bool        // it changes something for a page of another origin
	answer  http.Header // of the answer
	form    url.Values  // the body, where it came as a form
	body    []byte      // as it was read
	hot     hot

	counted   bool // by a limit
	remaining int  // of the limit that least is left of

	last ending
}

// route is the operation's path as the spec has it, Unrouted without one.
func (a *about) route() string {
	if a.op == nil {
		return Unrouted
	}
	return a.op.route.Path
}

// aboutOf gives what is known of the request that ctx belongs to, a zero one outside any.
func aboutOf(ctx context.Context) *about {
	if a, ok := ctx.Value(aboutKey).(*about); ok {
		return a
	}
	return new(about)
}

// requestID is the id of the request that ctx belongs to, "" outside one.
func requestID(ctx context.Context) string { return aboutOf(ctx).id }

// newRequestID makes an id that is short to read out and long enough not to come twice in a log.
func newRequestID() string {
	var raw [8]byte
	rand.Read(raw[:])
	return hex.EncodeToString(raw[:])
}

// LogHandler adds the request's id to every line that is logged with its context.
type LogHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h LogHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := requestID(ctx); id != "" {
		r.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h LogHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return LogHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h LogHandler) WithGroup(name string) slog.Handler {
	return LogHandler{h.Handler.WithGroup(name)}
}

// identify gives the request its id, and tells the metrics and the log how it ended.
func (s *server) identify(c *gin.Context) {
	a := &about{id: newRequestID(), address: s.proxies.client(c.Request), secure: s.secure(c), answer: c.Writer.Header()}
	a.last.began = time.Now()
	_, a.head = c.Request.Context().Value(headKey).(bool)
	c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), aboutKey, a))
	setDefaults(a.answer)
	a.answer["X-Request-Id"] = []string{a.id}
	defer s.over(c, a) // also when the connection is cut by a panic
	c.Next()
}

// setDefaults gives an answer, whatever becomes of it, the headers that keep browsers from taking it for something
// else: nothing of the API is a page, to be framed, to be part of other sites, or to be kept. A handler that
// answers something else sets its own over them.
// They all share the values, which nobody changes in place.
func setDefaults(h http.Header) { maps.Copy(h, defaultHeaders) }

var defaultHeaders = http.Header{
	"X-Content-Type-Options":       {"nosniff"},
	"Referrer-Policy":              {"no-referrer"},
	"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
	"Cross-Origin-Resource-Policy": {"same-origin"},
	"Cache-Control":                {"no-store"},
}

// recoverPanic turns a panic into a 500, or ends the connection where an answer had begun.
func (s *server) recoverPanic(c *gin.Context) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if v == http.ErrAbortHandler { //nolint:errorlint // a panic's value, compared as net/http does
			cutOff()
		}
		s.logPanic(c.Request.Context(), c.Request.Method, aboutOf(c.Request.Context()).route(), v)
		if c.Writer.Written() {
			cutOff()
		}
		s.refuse(c, models.Refuse(models.CodeInternal, "something went wrong; the log has more under this request id"))
	}()
	c.Next()
}

// logPanic is to be called by who recovers.
func (s *server) logPanic(ctx context.Context, method, route string, v any) {
	s.log.ErrorContext(ctx, "panic", "method", method, "route", route, "value", v, "stack", string(debug.Stack()))
}

// cutOff ends the connection without the end of its answer, so that the client notices. It does not return.
func cutOff() {
	panic(http.ErrAbortHandler) //nolint:forbidigo // net/http's way to end a connection
}

// refuse ends the request with err.
func (s *server) refuse(c *gin.Context, err error) {
	c.Abort()
	writeProblem(c.Writer, c.Request, s.log, err)
}
