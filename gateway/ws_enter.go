package gateway

import (
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/coder/websocket"

	"parley/models"
)

// refuse answers a request that becomes no connection, in the API's statuses.
func (s *WS) refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	text := "the server failed, try again later"
	switch code := models.CodeOf(err); code {
	case models.CodeUnauthorized, models.CodeInvalidCredentials:
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", "Bearer")
	case models.CodeForbidden, models.CodeBanned:
		status = http.StatusForbidden
	case models.CodeNotFound:
		status = http.StatusNotFound
	case models.CodeRateLimited:
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", retryAfter(err))
	case models.CodeValidationFailed, models.CodeInvalidRequest:
		status = http.StatusBadRequest
	case models.CodeUnavailable:
		status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", retryAfter(err))
	default:
		if s.ctx.Err() != nil {
			status, text = http.StatusServiceUnavailable, "the server is stopping"
			break
		}
		s.opt.Log.Error("a WebSocket request failed", "error", err)
	}
	if detail := detailOf(err); detail != "" && status != http.StatusInternalServerError {
		text = detail
	}
	http.Error(w, text, status)
}

// retryAfter is when to come again, in whole seconds.
func retryAfter(err error) string {
	wait := time.Second
	if e, ok := errors.AsType[*models.Error](err); ok {
		wait = max(wait, e.RetryAfter)
	}
	return strconv.Itoa(int((wait + time.Second - 1) / time.Second))
}

// welcome makes a WebSocket of the request; nil where that cannot be, which was answered then.
func (s *WS) welcome(w http.ResponseWriter, r *http.Request) *wsSocket {
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // the Door has looked at the origin
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil
	}
	conn.SetReadLimit(maxLine)
	return newWSSocket(conn, r.Context().Value(wsContextKey{}).(net.Conn), s.opt.Ping)
}

// admissible says whether the request could become a WebSocket, before anything is made for it.
func (s *WS) admissible(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case !s.opt.Door.Allows(r):
		http.Error(w, "pages of this origin may not connect", http.StatusForbidden)
	case !asksForWS(r):
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "this is a WebSocket", http.StatusUpgradeRequired)
	default:
		return true
	}
	return false
}
