package app

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// How long a client may take for the body of a request: a while, and more for each byte that has
// come. A whole message has time enough on any line; whoever dribbles one to hold a handler has not.
const (
	defaultBodyTime = 30 * time.Second
	bodyBytesPerSec = 8 << 10
)

// patient bounds the time for which a client can hold a handler: one that sends its body too slowly, and
// over HTTP/2 one that takes nothing of its answer. (Of HTTP/1 answers stallConn takes care.)
type patient struct {
	next  http.Handler
	body  time.Duration
	stall time.Duration
}

// ServeHTTP implements http.Handler.
func (p patient) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		// Whoever does not read the body is held by it all the same: net/http reads what a handler leaves.
		body := &timedBody{ReadCloser: r.Body, control: http.NewResponseController(w), began: time.Now(), grace: p.body}
		body.allow()
		copied := *r // net/http looks at its own for what was read
		r, copied.Body = &copied, body
	}
	if r.ProtoMajor < 2 {
		p.next.ServeHTTP(w, r)
		return
	}
	s := newStallWriter(w, p.stall)
	defer s.end()
	p.next.ServeHTTP(s, r)
}

// timedBody moves the deadline with the bytes that come, and takes it back at the end.
type timedBody struct {
	io.ReadCloser
	control *http.ResponseController
	began   time.Time
	grace   time.Duration
	read    int64
}

// Read implements io.Reader.
func (b *timedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	switch {
	case errors.Is(err, io.EOF):
		_ = b.control.SetReadDeadline(time.Time{}) // or a stream would end by it
	case n > 0:
		b.allow()
	}
	return n, err
}

// allow sets the deadline by what was read so far. A connection that takes none is closed already.
func (b *timedBody) allow() {
	_ = b.control.SetReadDeadline(b.began.Add(b.grace + time.Duration(b.read)*time.Second/bodyBytesPerSec))
}

// stallChunk is what a reader over HTTP/2 must take within the stall time: the writer of a stream learns of nothing
// smaller.
const stallChunk = 4 << 10

// stallWriter ends an HTTP/2 stream whose reader takes nothing. On the connection other streams may go
// on well, so that no deadline there notices it.
type stallWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	timer   *time.Timer

	mu    sync.Mutex
	waits bool // a write is under way
}

func newStallWriter(w http.ResponseWriter, stall time.Duration) *stallWriter {
	s := &stallWriter{ResponseWriter: w, control: http.NewResponseController(w), stall: stall}
	s.timer = time.AfterFunc(stall, s.cut)
	s.timer.Stop()
	return s
}

// wait begins a write, which done ends.
func (s *stallWriter) wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = true
	s.timer.Reset(s.stall)
}

func (s *stallWriter) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = false
	s.timer.Stop()
}

// cut resets the stream, which ends the write that waits. The lock keeps it from a writer that net/http has
// taken back.
func (s *stallWriter) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waits {
		_ = s.control.SetWriteDeadline(time.Unix(1, 0))
	}
}

// Write implements http.ResponseWriter.
func (s *stallWriter) Write(p []byte) (written int, err error) {
	for err == nil && written < len(p) {
		var n int
		s.wait()
		n, err = s.ResponseWriter.Write(p[written:min(len(p), written+stallChunk)])
		s.done()
		written += n
	}
	return written, err
}

// FlushError implements what http.ResponseController looks for.
func (s *stallWriter) FlushError() error {
	s.wait()
	defer s.done()
	return s.control.Flush()
}

// Flush implements http.Flusher.
func (s *stallWriter) Flush() { _ = s.FlushError() }

// Unwrap implements what http.ResponseController looks for.
func (s *stallWriter) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// end bounds what net/http still writes when the handler has returned.
func (s *stallWriter) end() { _ = s.control.SetWriteDeadline(time.Now().Add(s.stall)) }
