package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"parley/broker"
	"parley/models"
)

const (
	sseType    = "text/event-stream"
	ndjsonType = "application/x-ndjson"
)

// streamAnswer is a stream that is ready to run as the answer of a request.
type streamAnswer struct {
	server  *server
	request *http.Request
	stream  *broker.Stream
	media   string
}

// responseSink hands the broker's frames to the response. Each Write reaches the client at once.
type responseSink struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// Write implements broker.Sink.
func (s responseSink) Write(p []byte) error {
	if _, err := s.w.Write(p); err != nil {
		return err
	}
	return s.control.Flush()
}

// run writes the stream on the request's own connection, in a goroutine that outlives this one, or, where that cannot
// be had, here.
func (a streamAnswer) run(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", a.media)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would keep events back otherwise
	ctx := a.request.Context()
	about := aboutOf(ctx)
	about.last.holds(a.server.chat.Hold(ctx, about.actor)) // keeps the session in use
	goingOn := &takenStream{a.server, about.ending(http.MethodGet, about.route())}
	about.last.later = true
	if taken, err := a.server.direct.Take(w, a.request, a.stream, goingOn); taken {
		return err
	}
	about.last.later = false
	w.WriteHeader(http.StatusOK)
	return a.stream.Run(ctx, responseSink{w: w, control: http.NewResponseController(w)})
}

// takenStream is what a stream that goes on without its handler keeps of its request.
type takenStream struct {
	server *server
	ending
}

// Ended implements direct.Owner.
func (t *takenStream) Ended(written int64, panicked any) {
	ctx := context.WithValue(context.Background(), aboutKey, &about{id: t.id})
	defer func() {
		if v := recover(); v != nil {
			t.server.logPanic(ctx, t.method, t.route, v)
		}
	}()
	if panicked != nil {
		t.server.logPanic(ctx, t.method, t.route, panicked)
	}
	t.server.end(ctx, &t.ending, http.StatusOK, int(written), true)
}

// VisitStreamEventsResponse implements StreamEventsResponseObject.
func (a streamAnswer) VisitStreamEventsResponse(w http.ResponseWriter) error { return a.run(w) }

// VisitStreamNDJSONResponse implements StreamNDJSONResponseObject.
func (a streamAnswer) VisitStreamNDJSONResponse(w http.ResponseWriter) error { return a.run(w) }

// streamRequest is what both streams take.
type streamRequest struct {
	after  *string
	last   *string
	rooms  []string
	types  []EventType
	media  string
	format broker.Format
}

// StreamEvents is the log as server-sent events.
func (s *server) StreamEvents(ctx context.Context, r StreamEventsRequestObject) (StreamEventsResponseObject, error) {
	p := r.Params
	return s.open(ctx, streamRequest{p.After, p.LastEventID, p.Rooms, p.Types, sseType, broker.SSE})
}

// StreamNDJSON is the log as lines of JSON.
func (s *server) StreamNDJSON(ctx context.Context, r StreamNDJSONRequestObject) (StreamNDJSONResponseObject, error) {
	p := r.Params
	return s.open(ctx, streamRequest{p.After, p.LastEventID, p.Rooms, p.Types, ndjsonType, broker.NDJSON})
}

// open subscribes; the answer's Visit method runs the stream.
func (s *server) open(ctx context.Context, r streamRequest) (streamAnswer, error) {
	c, ok := ctx.(*gin.Context)
	if !ok {
		return streamAnswer{}, errNoRequest
	}
	if !accepts(c.GetHeader("Accept"), r.media) {
		return streamAnswer{}, models.Refuse(models.CodeNotAcceptable, "this is %s", r.media)
	}
	ctx, actor := call(ctx)
	filter, err := s.filter(ctx, r.rooms, r.types)
	if err != nil {
		return streamAnswer{}, err
	}
	sub := broker.Subscription{
		User: actor.User.ForEvent(), SessionID: actor.Session.ID, Filter: filter, Format: r.format,
		Alive: func(ctx context.Context) error { return s.chat.Alive(ctx, actor) },
	}
	sub.Cursor, sub.ResetCursor = startOf(r.last, r.after)
	stream, err := s.broker.Subscribe(ctx, sub)
	if err != nil {
		return streamAnswer{}, streamFault(err)
	}
	return streamAnswer{server: s, request: c.Request, stream: stream, media: r.media}, nil
}

// startOf reads where a stream begins: Last-Event-ID wins over after, nil is from now. What
// nobody was ever given is bad, not an error: EventSource would give up on one.
func startOf(last, after *string) (cursor *int64, bad bool) {
	given := after
	if deref(last) != "" {
		given = last
	}
	if given == nil {
		return nil, false
	}
	n, ok := models.ParseCursor(*given)
	if !ok {
		return nil, true
	}
	return &n, false
}

// filter resolves the filter of a stream or poll.
func (s *server) filter(ctx context.Context, rooms []string, types []EventType) (f broker.Filter, err error) {
	if rooms != nil {
		_, actor := call(ctx)
		f.HasRooms = true
		if f.Rooms, err = s.chat.RoomIDs(ctx, actor, rooms); err != nil {
			return f, err
		}
	}
	if len(types) > 0 {
		f.Types = make([]models.EventType, 0, len(types))
	}
	for _, t := range types {
		f.Types = append(f.Types, models.EventType(t))
	}
	return f, nil
}

// streamFault says why there is no stream.
func streamFault(err error) error {
	switch {
	case errors.Is(err, broker.ErrTooManyStreams):
		return &models.Error{
			Code: models.CodeRateLimited, RetryAfter: 5 * time.Second, Limit: broker.MaxStreams,
			Detail: "too many streams are open on this session: close one first",
		}
	case errors.Is(err, broker.ErrClosed):
		return models.Unavailable(nil, "the server is stopping")
	}
	return err
}
