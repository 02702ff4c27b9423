package gateway

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

// wsGrace is how long the end of a connection may take.
const wsGrace = 2 * time.Second

// errNotText says that a message is not the text that it should be; the connection stays.
var errNotText = errors.New("the message is not UTF-8")

// wsSocket is a WebSocket. One goroutine reads; the rest is safe for concurrent use.
type wsSocket struct {
	conn *websocket.Conn
	raw  net.Conn
	ping time.Duration

	heard  atomic.Int64 // Unix ns: when something came or was taken last
	busy   atomic.Int64 // how many things go on that keep a pong from being heard or a ping from being sent
	ending sync.Once
}

func newWSSocket(conn *websocket.Conn, raw net.Conn, ping time.Duration) *wsSocket {
	s := &wsSocket{conn: conn, raw: raw, ping: ping}
	s.sign()
	return s
}

func (s *wsSocket) sign() { s.heard.Store(time.Now().UnixNano()) }

// hold says that the client cannot be heard, or told anything, until release is called.
func (s *wsSocket) hold() (release func()) {
	s.busy.Add(1)
	return func() {
		s.sign()
		s.busy.Add(-1)
	}
}

// next gives the next message. errNotText says that one is to be refused; any other error that the connection is at
// its end, which has been told to the client.
func (s *wsSocket) next() (string, error) {
	kind, p, err := s.conn.Read(context.Background())
	s.sign()
	if err != nil {
		if !gone(err) {
			s.end(websocket.StatusProtocolError, "protocol error") // unless another one was told already
		}
		return "", err
	}
	if utf8.Valid(p) {
		return string(p), nil
	}
	if kind == websocket.MessageText {
		s.end(websocket.StatusInvalidFramePayloadData, "text must be UTF-8")
		return "", net.ErrClosed
	}
	return "", errNotText
}

// gone says whether the error is that of a connection over which nothing can be said any more.
func gone(err error) bool {
	_, network := errors.AsType[net.Error](err)
	return network || saidGoodbye(err) || errors.Is(err, net.ErrClosed) || errors.Is(err, io.ErrUnexpectedEOF)
}

// saidGoodbye says whether the client ended the connection, and not the network: then it has what was sent to it.
func saidGoodbye(err error) bool {
	return websocket.CloseStatus(err) != -1 || errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF)
}

// send sends a message as JSON.
func (s *wsSocket) send(m wsMessage) error {
	p, err := plainJSON(m)
	if err != nil {
		return err
	}
	return s.write(p)
}

// write sends a message. It waits for a client that is slow; the listener ends one that takes nothing.
func (s *wsSocket) write(text []byte) error {
	defer s.hold()()
	return s.conn.Write(context.Background(), websocket.MessageText, text)
}

// confirm asks the client for a sign that it has got all that was written before. An error says that none came: errSlow that
// there is nothing to hope for any more.
func (s *wsSocket) confirm(ctx context.Context) error {
	if s.busy.Load() > 0 {
		return errBusy
	}
	asked := time.Now().UnixNano()
	ctx, cancel := context.WithTimeout(ctx, s.ping)
	defer cancel()
	err := s.conn.Ping(ctx)
	if err == nil {
		s.sign()
		return nil
	}
	if s.busy.Load() > 0 || s.heard.Load() > asked {
		return errBusy
	}
	return errSlow
}

// watch ends the connection when its client does not answer any more, until ctx ends.
func (s *wsSocket) watch(ctx context.Context) {
	tick := time.NewTicker(s.ping)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := s.confirm(ctx); errors.Is(err, errSlow) && ctx.Err() == nil {
			s.cut()
			return
		}
	}
}

// errBusy says that it cannot be known now whether the client is there.
var errBusy = errors.New("the client is being served")

// end closes the connection with a code and a reason of at most 123 bytes. Only the first one counts.
func (s *wsSocket) end(code websocket.StatusCode, reason string) {
	s.ending.Do(func() {
		cut := time.AfterFunc(wsGrace, s.cut)
		defer cut.Stop()
		_ = s.conn.Close(code, reason)
	})
}

// cut ends the connection without a word.
func (s *wsSocket) cut() { _ = s.raw.Close() }

// asksForWS says whether a request has all that a WebSocket needs.
func asksForWS(r *http.Request) bool {
	h := r.Header
	keys := h.Values("Sec-Websocket-Key")
	if !r.ProtoAtLeast(1, 1) || len(keys) != 1 || h.Get("Sec-Websocket-Version") != "13" {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0]))
	return err == nil && len(key) == 16 && hasToken(h.Values("Connection"), "upgrade") && hasToken(h.Values("Upgrade"), "websocket")
}

func hasToken(values []string, want string) bool {
	for token := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if strings.EqualFold(strings.TrimSpace(token), want) {
			return true
		}
	}
	return false
}
