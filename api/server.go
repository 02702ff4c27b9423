package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/gin-gonic/gin"
	"github.com/rs/cors"

	"parley/broker"
	"parley/chat"
	"parley/internal/direct"
	"parley/internal/limit"
	"parley/models"
)

// Options are what the API is made of. All but SecureCookie are required.
type Options struct {
	Chat   *chat.Service
	Broker *broker.Broker
	Log    broker.Log // what the long-poll reads
	Logger *slog.Logger
	// Ready says why the server cannot serve now, nil if it can.
	Ready        func(ctx context.Context) error
	MaxTextBytes int // of a message; bounds request bodies too

	Limits         *limit.Set // by account and by address; nil: none
	CORSOrigins    []string   // whose pages may call; * is any
	TrustedProxies []string   // addresses and networks whose X-Forwarded-For and -Proto count

	// Served is told of every request that has ended, on its goroutine.
	Served  func(Served)
	Metrics http.Handler // answers /metrics
	// Direct takes the connections of streams; nil: they stay in their handlers.
	Direct *direct.Server
}

// server is the handlers' common ground. It implements StrictServerInterface.
type server struct {
	chat       *chat.Service
	broker     *broker.Broker
	log        *slog.Logger
	events     broker.Log
	ready      func(ctx context.Context) error
	maxBody    int64
	operations map[string]*operation
	validation *openapi3filter.Options
	origins    *http.CrossOriginProtection
	cors       *cors.Cors     // nil: the own origin only
	guesses    *limit.Guesses // nil: not limited
	proxies    proxies
	specJSON   []byte
	onServed   func(Served)
	metrics    http.Handler
	docs       map[string]docsFile
	direct     *direct.Server
}

var _ StrictServerInterface = (*server)(nil)

// escapeFactor is how much longer than its text a JSON body can be: every byte as \u00XX.
const escapeFactor = 6

// bodySlack is what a body may hold besides the text.
const bodySlack = 16 << 10

// API is the handler of all routes, and what other protocols ask of it.
type API struct {
	http.Handler
	server *server
}

// New makes it.
func New(o Options) (*API, error) {
	spec, err := theSpec()
	if err != nil {
		return nil, err
	}
	docs, err := docsFiles()
	if err != nil {
		return nil, err
	}
	s := &server{
		chat: o.Chat, broker: o.Broker, events: o.Log, log: o.Logger, ready: o.Ready,
		maxBody:    int64(escapeFactor*o.MaxTextBytes + bodySlack),
		operations: operations(spec.doc),
		validation: validationOptions(),
		origins:    http.NewCrossOriginProtection(),
		cors:       newCORS(o.CORSOrigins),
		specJSON:   spec.json,
		onServed:   o.Served, metrics: o.Metrics,
		docs: docs, guesses: o.Limits.Guesses(), direct: o.Direct,
	}
	if s.proxies, err = parseProxies(o.TrustedProxies); err != nil {
		return nil, err
	}
	if o.Limits != nil {
		if err := s.applyLimits(o.Limits); err != nil {
			return nil, err
		}
	}
	return &API{Handler: takesHEAD(s.engine()), server: s}, nil
}

// engine puts the steps of every request before the generated routes.
func (s *server) engine() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	e := gin.New()
	e.ContextWithFallback = true // or a handler's context would not end with its client
	e.HandleMethodNotAllowed = true
	e.RedirectTrailingSlash = false
	e.Use(s.identify, s.recoverPanic, s.crossOrigin, s.refuseOddPath)
	e.NoRoute(func(c *gin.Context) { s.refuse(c, models.NotFound("path")) })
	e.NoMethod(s.refuseMethod)
	routes := e.Group("", s.findOperation, s.authenticate, s.limit, s.readBody, s.validate, s.sendHot)
	strict := NewStrictHandlerWithOptions(s, nil, StrictGinServerOptions{
		RequestErrorHandlerFunc:  s.badRequest,
		HandlerErrorFunc:         s.refuse,
		ResponseErrorHandlerFunc: s.badResponse,
	})
	RegisterHandlersWithOptions(routes, strict, GinServerOptions{
		ErrorHandler: func(c *gin.Context, err error, _ int) { s.badRequest(c, err) },
	})
	return e
}

// refuseOddPath refuses an empty segment, and a slash inside one: Gin looks for the route in the path without
// escapes, where `lobby%2Fjoin` would be another call than that of a room of that name, which cannot be.
func (s *server) refuseOddPath(c *gin.Context) {
	u := c.Request.URL
	if strings.Contains(u.Path, "//") || strings.Contains(strings.ToLower(u.RawPath), "%2f") {
		s.refuse(c, models.NotFound("path"))
	}
}

// badRequest answers what the generated code could not decode although the spec let it through.
func (s *server) badRequest(c *gin.Context, err error) {
	s.log.DebugContext(c.Request.Context(), "undecodable request", "error", err)
	s.refuse(c, models.Refuse(models.CodeInvalidRequest, "the request could not be read: see /openapi.yaml"))
}

// badResponse ends a request whose answer could not be written. Where it had begun, which is every
// stream that ends by its client, there is nothing to say any more.
func (s *server) badResponse(c *gin.Context, err error) {
	if c.Writer.Written() {
		return
	}
	s.refuse(c, err)
}

// call gives a handler the request's own context, which outlives Gin's, and who calls. Handlers
// begin with it.
func call(ctx context.Context) (context.Context, chat.Actor) {
	if c, ok := ctx.(*gin.Context); ok {
		ctx = c.Request.Context()
	}
	return ctx, actorOf(ctx)
}

// device is where the request comes from, for a new session.
func device(ctx context.Context) chat.Device {
	c, ok := ctx.(*gin.Context)
	if !ok {
		return chat.Device{}
	}
	return chat.Device{Agent: c.Request.UserAgent(), Address: aboutOf(c).address.String()}
}

// errNoBody cannot happen: the body's presence was checked against the spec.
var errNoBody = errors.New("the body was validated and is not there")
