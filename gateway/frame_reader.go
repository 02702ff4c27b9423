package gateway

import (
	"encoding/binary"
	"errors"
	"net"
	"os"
	"time"
)

const (
	// maxFrame is the longest packet in, in bytes without its length.
	maxFrame = 16 << 10
	// frameHead is how long the length is.
	frameHead = 4
)

// frameReader cuts what comes in into packets: four bytes of length, and that many.
type frameReader struct {
	inbox
	until time.Time // when it is too late for a packet; the zero time is never
}

func newFrameReader(conn net.Conn, until time.Time) *frameReader {
	return &frameReader{inbox: inbox{conn: conn, most: frameHead + maxFrame}, until: until}
}

// next gives the next packet without its length; errLong, after which nothing can be told apart any more; errIdle, errStopped,
// io.EOF or an error of the connection. The packet is good until the next call. Room is made for what comes, whatever its length
// says.
func (r *frameReader) next() ([]byte, error) {
	for {
		if packet, whole, err := r.cut(); whole || err != nil {
			return packet, err
		}
		n, err := r.read(r.until)
		switch {
		case err == nil, n > 0: // an error comes again
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return nil, err
		case r.halted():
			return nil, errStopped
		default:
			return nil, errIdle
		}
	}
}

// cut takes a packet out of what has come.
func (r *frameReader) cut() (packet []byte, whole bool, err error) {
	if len(r.buf) < frameHead {
		return nil, false, nil
	}
	length := binary.BigEndian.Uint32(r.buf)
	if length > maxFrame {
		return nil, false, errLong
	}
	end := frameHead + int(length)
	if len(r.buf) < end {
		return nil, false, nil
	}
	return r.take(end)[frameHead:], true, nil
}
