package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"parley/internal/limit"
	"parley/models"
)

const problemType = "application/problem+json"

// statuses maps each code to its HTTP status and title: the one place that does.
var statuses = map[models.Code]struct {
	status int
	title  string
}{
	models.CodeInvalidRequest:     {http.StatusBadRequest, "The request cannot be read"},
	models.CodeUnauthorized:       {http.StatusUnauthorized, "Not logged in"},
	models.CodeInvalidCredentials: {http.StatusUnauthorized, "Wrong name or password"},
	models.CodeForbidden:          {http.StatusForbidden, "Not allowed"},
	models.CodeBanned:             {http.StatusForbidden, "Banned"},
	models.CodeMuted:              {http.StatusForbidden, "Muted"},
	models.CodeNotFound:           {http.StatusNotFound, "Not found"},
	models.CodeMethodNotAllowed:   {http.StatusMethodNotAllowed, "Method not allowed"},
	models.CodeNotAcceptable:      {http.StatusNotAcceptable, "Not acceptable"},
	models.CodeNameTaken:          {http.StatusConflict, "The name is taken"},
	models.CodeNonceReused:        {http.StatusConflict, "The nonce was used for another request"},
	models.CodeConflict:           {http.StatusConflict, "Conflict"},
	models.CodeNoAgentAvailable:   {http.StatusConflict, "No agent is available"},
	models.CodeCursorExpired:      {http.StatusGone, "The cursor has expired"},
	models.CodePreconditionFailed: {http.StatusPreconditionFailed, "Precondition failed"},
	models.CodeTooLarge:           {http.StatusRequestEntityTooLarge, "Too large"},
	models.CodeUnsupportedMedia:   {http.StatusUnsupportedMediaType, "Unsupported media type"},
	models.CodeValidationFailed:   {http.StatusUnprocessableEntity, "Validation failed"},
	models.CodeRateLimited:        {http.StatusTooManyRequests, "Too many requests"},
	models.CodeSlowMode:           {http.StatusTooManyRequests, "Slow mode"},
	models.CodeQuotaExceeded:      {http.StatusTooManyRequests, "Quota exceeded"},
	models.CodeInternal:           {http.StatusInternalServerError, "Internal error"},
	models.CodeUnavailable:        {http.StatusServiceUnavailable, "Temporarily unavailable"},
}

// problem is RFC 9457's body with Parley's members.
type problem struct {
	Type        string         `json:"type"`
	Title       string         `json:"title"`
	Status      int            `json:"status"`
	Detail      string         `json:"detail,omitempty"`
	Code        models.Code    `json:"code"`
	RequestID   string         `json:"request_id"`
	Errors      []problemField `json:"errors,omitempty"`
	Oldest      *int64         `json:"oldest,omitempty"`
	Cursor      *int64         `json:"cursor,omitempty"`
	NextOpening *models.Time   `json:"next_opening,omitempty"`
}

type problemField struct {
	Field  string `json:"field"`
	Detail string `json:"detail"`
}

// writeProblem answers with err: the mapping of every error of the server. What is not a
// models.Error is logged here, once, and sent as `internal` without a word of it.
func writeProblem(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	e := coded(r, log, err)
	s := statuses[e.Code]
	body := problem{
		Type: "/problems/" + string(e.Code), Title: s.title, Status: s.status, Detail: e.Detail,
		Code: e.Code, RequestID: requestID(r.Context()),
	}
	for _, f := range e.Fields {
		body.Errors = append(body.Errors, problemField(f))
	}
	if e.Code == models.CodeCursorExpired {
		body.Oldest, body.Cursor = &e.Oldest, &e.Cursor
	}
	body.NextOpening = timeOrNil(e.NextOpening)
	h := w.Header()
	h.Set("Content-Type", problemType)
	h.Set("Cache-Control", "no-store")
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(limit.Seconds(e.RetryAfter)))
	}
	if s.status == http.StatusTooManyRequests {
		setRateLimit(h, max(e.Limit, 1), 0, cmp.Or(e.Reset, e.RetryAfter))
	}
	if s.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="parley"`)
	}
	w.WriteHeader(s.status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		log.DebugContext(r.Context(), "write problem", "error", err)
	}
}

// coded gives err as a models.Error and logs what the client is not told: what went wrong is an error in
// the log, that there was too much to do a warning.
func coded(r *http.Request, log *slog.Logger, err error) *models.Error {
	ctx := r.Context()
	line := []any{"method", r.Method, "route", aboutOf(ctx).route(), "error", err}
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		// Nobody reads the answer; it only must not count as a fault of the server.
		return models.Unavailable(nil, "the request was given up")
	}
	e, ok := errors.AsType[*models.Error](err)
	if !ok {
		log.ErrorContext(ctx, "internal error", line...)
		return models.Refuse(models.CodeInternal, "something went wrong; the log has more under this request id")
	}
	if _, known := statuses[e.Code]; !known {
		log.ErrorContext(ctx, "error with an unknown code", line...)
		return models.Refuse(models.CodeInternal, "something went wrong; the log has more under this request id")
	}
	if e.Code == models.CodeUnavailable {
		if e.RetryAfter == 0 {
			e.RetryAfter = time.Second
		}
		level := slog.LevelError
		if e.Cause == nil {
			level = slog.LevelWarn
		}
		log.Log(ctx, level, "unavailable", line...)
	}
	return e
}
