package bench

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

var (
	errHead  = errors.New("the head of an answer is too long or none")
	errChunk = errors.New("a chunk has no length")
)

// maxHead is how long an answer's head may be, and maxLine a line of a stream.
const (
	maxHead = 16 << 10
	maxLine = 64 << 10
)

// head is what is needed of an answer's head.
type head struct {
	status  int
	length  int // -1 where it is not told
	chunked bool
}

// parseHead reads a head that ends with an empty line.
func parseHead(b []byte) (head, error) {
	line, rest, _ := bytes.Cut(b, []byte("\r\n"))
	version, status, found := bytes.Cut(line, []byte(" "))
	if !found || !bytes.HasPrefix(version, []byte("HTTP/1.")) || len(status) < 3 {
		return head{}, errHead
	}
	h := head{length: -1}
	var err error
	if h.status, err = strconv.Atoi(string(status[:3])); err != nil {
		return head{}, errHead
	}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if h.length, err = strconv.Atoi(string(value)); err != nil || h.length < 0 {
				return head{}, errHead
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			h.chunked = bytes.EqualFold(value, []byte("chunked"))
		}
	}
	return h, nil
}

// frames takes an SSE answer apart as it comes: head, chunks where there are some, lines. It keeps no more than what
// belongs to a line that has not ended.
type frames struct {
	onData func(line []byte) // a line of data, without its name
	opened bool              // the first line was there

	answer  *head
	pending []byte // of the head, or of a chunk's length
	left    int    // bytes of the present chunk and its line end
	line    []byte // the beginning of a line
	id      []byte // of the present message
	last    []byte // the id of the last message that was there in whole
}

// feed takes what was read.
func (f *frames) feed(p []byte) error {
	if f.answer == nil {
		f.pending = append(f.pending, p...)
		end := bytes.Index(f.pending, []byte("\r\n\r\n"))
		if end < 0 {
			if len(f.pending) > maxHead {
				return errHead
			}
			return nil
		}
		h, err := parseHead(f.pending[:end+2])
		if err != nil {
			return err
		}
		if h.status != 200 {
			return fmt.Errorf("a stream is answered %d: %.200q", h.status, f.pending)
		}
		f.answer, p, f.pending = &h, bytes.Clone(f.pending[end+4:]), nil
	}
	if !f.answer.chunked {
		return f.body(p)
	}
	return f.chunks(p)
}

// chunks takes the lengths out. left counts a chunk's own line end too.
func (f *frames) chunks(p []byte) error {
	for len(p) > 0 {
		if f.left > 0 {
			n := min(f.left, len(p))
			f.left -= n
			if err := f.body(p[:n-max(0, min(n, 2-f.left))]); err != nil {
				return err
			}
			p = p[n:]
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			if f.pending = append(f.pending, p...); len(f.pending) > maxHead {
				return errChunk
			}
			return nil
		}
		f.pending = append(f.pending, p[:end]...)
		n, err := strconv.ParseUint(string(bytes.TrimSpace(f.pending)), 16, 31)
		if err != nil {
			return errChunk
		}
		p, f.pending, f.left = p[end+1:], f.pending[:0], int(n)+len("\r\n")
	}
	return nil
}

// body takes the lines out.
func (f *frames) body(p []byte) error {
	for {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			if f.line = append(f.line, p...); len(f.line) > maxLine {
				return fmt.Errorf("a line has more than %d bytes", maxLine)
			}
			return nil
		}
		if len(f.line) > 0 {
			f.line = append(f.line, p[:end]...)
			f.take(f.line)
			f.line = f.line[:0]
		} else {
			f.take(p[:end])
		}
		p = p[end+1:]
	}
}

func (f *frames) take(line []byte) {
	f.opened = true
	switch {
	case len(line) == 0:
		if len(f.id) > 0 {
			f.last = append(f.last[:0], f.id...)
		}
	case bytes.HasPrefix(line, []byte("id: ")):
		f.id = append(f.id[:0], line[len("id: "):]...)
	case bytes.HasPrefix(line, []byte("data: ")):
		f.onData(line[len("data: "):])
	}
}

// again prepares for another connection that goes on behind the last message.
func (f *frames) again() {
	f.answer, f.pending, f.left, f.line, f.id, f.opened = nil, nil, 0, nil, nil, false
}
