package gateway

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"time"
	"unicode/utf8"
)

const (
	// maxLine is the longest line in, in bytes without its end.
	maxLine = 16 << 10
	// lineQuiet is how long bytes stay without a newline before they are a line, where no newline ever came.
	lineQuiet = 200 * time.Millisecond
)

// lineReader cuts what comes in into lines.
type lineReader struct {
	inbox
	idle     time.Duration // 0: for ever
	newlines bool          // one has come
	skipping bool          // the rest of a line that was too long
	last     time.Time     // when bytes came last
	err      error         // of the connection; what came before it is given first
}

func newLineReader(conn net.Conn, idle time.Duration) *lineReader {
	return &lineReader{inbox: inbox{conn: conn, most: maxLine}, idle: idle, last: time.Now()}
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

// fill waits until more has come, or until what stands without a newline counts as a line, which it gives then.
func (r *lineReader) fill() (line []byte, err error) {
	if r.err != nil {
		return nil, r.err
	}
	quiet := !r.newlines && (r.skipping || whole(r.buf) > 0)
	n, err := r.read(r.until(quiet))
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

// until is how long to wait.
func (r *lineReader) until(quiet bool) time.Time {
	switch {
	case quiet:
		return r.last.Add(lineQuiet)
	case r.idle > 0:
		return r.last.Add(r.idle)
	default:
		return time.Time{}
	}
}

// late says what the end of the wait means: a line that was sent without its end, or the end of all patience.
func (r *lineReader) late(quiet bool) (line []byte, err error) {
	switch {
	case r.halted():
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
