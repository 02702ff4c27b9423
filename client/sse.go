package client

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// maxFrame bounds the memory that one frame can take. A message of the default limit has some
// 100 KB at worst, escaped.
const maxFrame = 16 << 20

// errMalformed is a stream that is not what the API promises.
var errMalformed = errors.New("malformed stream")

// frame is one dispatched SSE message, and the fields that came with or since the last one.
type frame struct {
	id    string // "" where the frame has none
	data  []byte
	retry time.Duration // -1 where the frame has none
}

// frames reads server-sent events by the rules of the HTML standard. The libraries at hand give out a
// frame that was cut off in the middle as if it were whole, its id with it: an event lost.
// Here a frame is one only when its empty line was read.
type frames struct {
	r      *bufio.Reader
	line   []byte
	skipLF bool // the last line ended by \r: a \n that follows belongs to it
	begun  bool
}

func newFrames(r io.Reader) *frames { return &frames{r: bufio.NewReaderSize(r, 16<<10)} }

// next gives the next frame that has data, an id or a retry. The data is the caller's to keep.
// io.EOF, or the reader's error, ends it.
func (f *frames) next() (frame, error) {
	out := frame{retry: -1}
	var filled, hasData bool
	size := 0
	for {
		line, err := f.readLine()
		if err != nil {
			return frame{}, err
		}
		if len(line) == 0 {
			if filled {
				return out, nil
			}
			continue
		}
		if size += len(line); size > maxFrame {
			return frame{}, tooLong()
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "data":
			if hasData {
				out.data = append(out.data, '\n')
			}
			out.data = append(out.data, value...)
			filled, hasData = true, true
		case "id":
			if bytes.IndexByte(value, 0) < 0 {
				out.id, filled = string(value), true
			}
		case "retry":
			if ms, err := strconv.ParseUint(string(value), 10, 31); err == nil {
				out.retry, filled = time.Duration(ms)*time.Millisecond, true
			}
		}
	}
}

// readLine gives the next line without its end, which is \n, \r or both. It never waits for a byte
// behind the line's end: a frame is given as soon as it is there. Valid until the next call.
func (f *frames) readLine() ([]byte, error) {
	f.line = f.line[:0]
	for {
		if _, err := f.r.Peek(1); err != nil {
			return nil, err
		}
		buf, _ := f.r.Peek(f.r.Buffered())
		if f.skipLF {
			f.skipLF = false
			if buf[0] == '\n' {
				f.discard(1)
				continue
			}
		}
		end := bytes.IndexAny(buf, "\r\n")
		if end < 0 {
			f.line = append(f.line, buf...)
			f.discard(len(buf))
			if len(f.line) > maxFrame {
				return nil, tooLong()
			}
			continue
		}
		f.line = append(f.line, buf[:end]...)
		f.skipLF = buf[end] == '\r'
		f.discard(end + 1)
		return f.withoutBOM(), nil
	}
}

// withoutBOM drops the byte order mark that a stream may begin with.
func (f *frames) withoutBOM() []byte {
	if f.begun {
		return f.line
	}
	f.begun = true
	return bytes.TrimPrefix(f.line, []byte("\ufeff"))
}

// discard drops bytes that were peeked at, which cannot fail.
func (f *frames) discard(n int) { _, _ = f.r.Discard(n) }

func tooLong() error { return fmt.Errorf("%w: a frame over %d bytes", errMalformed, maxFrame) }
