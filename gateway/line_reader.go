package gateway

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
	"unicode/utf8"
)

const (
	// maxLine is the longest line in, in bytes without its end.
	maxLine = 16 << 10
	// lineQuiet is how long bytes stay without a newline before they are a line, where no newline ever came.
	lineQuiet = 200 * time.Millisecond
	// lineBuffer is what a connection has for its input while it says nothing long.
	lineBuffer = 512
)

var (
	errIdle    = errors.New("nothing came for too long")
	errLong    = errors.New("the line is too long")
	errStopped = errors.New("reading was stopped")
)

// lineReader cuts what comes in into lines.
type lineReader struct {
	conn net.Conn
	idle time.Duration // 0: for ever

	base     []byte    // what buf is a part of
	buf      []byte    // what has come and was not given
	newlines bool      // one has come
	skipping bool      // the rest of a line that was too long
	last     time.Time // when bytes came last
	err      error     // of the connection; what came before it is given first

	mu      sync.Mutex
	stopped bool
}

func newLineReader(conn net.Conn, idle time.Duration) *lineReader {
	return &lineReader{conn: conn, idle: idle, last: time.Now()}
}

// stop makes next return errStopped, also one that waits. It may be called from another goroutine.
func (r *lineReader) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopped = true
	_ = r.conn.SetReadDeadline(time.Unix(1, 0))
}

// next gives the next line that is not empty, or errLong, after which the next one can be read; errIdle, errStopped, io.EOF or an
// error of the connection. The line is good until the next call.
func (r *lineReader) next() (line []byte, err error) {
	r.last = time.Now() // nobody was listened to before
	for {
		line, err = r.cut()
		if len(line) > 0 || err != nil {
			return line, err
		}
		line, err = r.fill()
		if len(line) > 0 || err != nil {
			return line, err
		}
	}
}

// cut takes a line out of what has come, without its end; nil where there is none.
func (r *lineReader) cut() ([]byte, error) {
	for {
		end := bytes.IndexByte(r.buf, '\n')
		switch {
		case end < 0 && len(r.buf) <= maxLine:
			return r.rest(), nil
		case end < 0:
			r.take(len(r.buf))
			if r.skipping {
				return nil, nil
			}
			r.skipping = true
			return nil, errLong
		}
		r.newlines = true
		line := bytes.TrimSuffix(r.take(end + 1)[:end], []byte{'\r'})
		skipped := r.skipping
		r.skipping = false
		switch {
		case skipped || len(line) == 0:
		case len(line) > maxLine:
			return nil, errLong
		default:
			return line, nil
		}
	}
}

// rest is what stands without a newline where it counts as a line: at the end of the connection, if no newline ever came.
func (r *lineReader) rest() []byte {
	if r.err == nil || r.newlines || r.skipping {
		return nil
	}
	return r.take(len(r.buf))
}

// take takes the first n bytes of what has come.
func (r *lineReader) take(n int) []byte {
	taken := r.buf[:n:n]
	r.buf = r.buf[n:]
	return taken
}

// fill waits until more has come, or until what stands without a newline counts as a line, which it gives then.
func (r *lineReader) fill() (line []byte, err error) {
	if r.err != nil {
		return nil, r.err
	}
	quiet := !r.newlines && (r.skipping || whole(r.buf) > 0)
	if err := r.arm(quiet); err != nil {
		return nil, err
	}
	r.room()
	n, err := r.conn.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf = r.buf[:len(r.buf)+n]
	if n > 0 {
		r.last = time.Now()
	}
	switch {
	case err == nil, n > 0 && errors.Is(err, os.ErrDeadlineExceeded):
		return nil, nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return r.late(quiet)
	case errors.Is(err, io.EOF):
		r.err = io.EOF
		return nil, nil
	default:
		return nil, err
	}
}

// arm sets until when to wait.
func (r *lineReader) arm(quiet bool) error {
	var until time.Time
	switch {
	case quiet:
		until = r.last.Add(lineQuiet)
	case r.idle > 0:
		until = r.last.Add(r.idle)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return errStopped
	}
	_ = r.conn.SetReadDeadline(until) // whatever is wrong with the connection, the read says it
	return nil
}

// late says what the end of the wait means: a line that was sent without its end, or the end of all patience.
func (r *lineReader) late(quiet bool) (line []byte, err error) {
	r.mu.Lock()
	stopped := r.stopped
	r.mu.Unlock()
	switch {
	case stopped:
		return nil, errStopped
	case !quiet:
		return nil, errIdle
	case r.skipping:
		r.skipping = false
		r.take(len(r.buf))
		return nil, nil
	default:
		return r.take(whole(r.buf)), nil
	}
}

// room makes room for a read. What an idle connection holds is little.
func (r *lineReader) room() {
	switch {
	case len(r.buf) > 0 && cap(r.buf)-len(r.buf) >= lineBuffer/2:
		return
	case len(r.buf) > 0:
		r.base = append(make([]byte, 0, min(max(2*len(r.buf), 2*lineBuffer), 2*maxLine)), r.buf...)
		r.buf = r.base
		return
	case cap(r.base) != lineBuffer:
		r.base = make([]byte, 0, lineBuffer)
	}
	r.buf = r.base[:0]
}

// whole is how many of the bytes end before a character of which the rest has not come.
func whole(p []byte) int {
	for i := len(p) - 1; i >= 0 && i >= len(p)-utf8.UTFMax; i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return i
			}
			break
		}
	}
	return len(p)
}
