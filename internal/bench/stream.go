package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// dialing bounds one attempt to connect, with the answer's beginning, and one call.
const dialing = 2 * time.Minute

// readSize is what is read of a stream at once.
const readSize = 16 << 10

// listening is how a stream is opened: where, in which room, and with which lines in the request's head.
type listening struct {
	addr  string
	path  string
	lines string // of the head, each with its line end
	room  int
}

// request gives the bytes that open the stream behind a message's id, or now.
func (l listening) request(last []byte) []byte {
	b := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: text/event-stream\r\n%s", l.path, l.addr, l.lines)
	if len(last) > 0 {
		b = fmt.Appendf(b, "Last-Event-ID: %s\r\n", last)
	}
	return append(b, "\r\n"...)
}

// stream is one that listens. It keeps everything that it got, over breaks.
type stream struct {
	listening
	ledger *ledger
	frames frames
	got    []uint32 // messages, as they came
	took   histogram

	now    time.Time // when the present bytes were read
	count  atomic.Int64
	heeds  atomic.Bool  // data has come that is no message: it is heard now what is sent
	heard  atomic.Int64 // Unix ns of the last bytes
	opened chan struct{}
	ended  chan struct{}
	conn   net.Conn
	err    error // why it ended; to be read after ended
}

func newStream(l listening, to *ledger) *stream {
	s := &stream{listening: l, ledger: to}
	s.frames.onData = s.take
	return s
}

// open connects, and returns when the server has begun to answer. The stream ends with close, or by the server.
func (s *stream) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, dialing)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", s.addr)
	if err != nil {
		return fmt.Errorf("open a stream: %w", err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0) // thousands must not wait for their ports afterwards
	if _, err := conn.Write(s.request(s.frames.last)); err != nil {
		_ = conn.Close()
		return fmt.Errorf("open a stream: %w", err)
	}
	s.frames.again()
	s.conn, s.opened, s.ended, s.err = conn, make(chan struct{}), make(chan struct{}), nil
	go s.read()
	select {
	case <-s.opened:
		return nil
	case <-s.ended:
		return fmt.Errorf("open a stream: %w", s.err)
	case <-ctx.Done():
		s.close()
		return fmt.Errorf("open a stream: %w", ctx.Err())
	}
}

func (s *stream) read() {
	defer close(s.ended)
	buf := make([]byte, readSize)
	for opened := false; ; {
		n, err := s.conn.Read(buf)
		s.now = time.Now()
		err = errors.Join(s.frames.feed(buf[:n]), err)
		s.count.Store(int64(len(s.got)))
		s.heard.Store(s.now.UnixNano())
		if !opened && s.frames.opened {
			opened = true
			close(s.opened)
		}
		if err != nil {
			s.err = err
			return
		}
	}
}

// take is called for each line of data.
func (s *stream) take(line []byte) {
	number, found := findNumber(line)
	if !found {
		s.heeds.Store(true)
		return
	}
	s.got = append(s.got, number)
	if took, measured := s.ledger.got(number, s.now); measured {
		s.took.add(took)
	}
}

// close ends it and waits for its goroutine.
func (s *stream) close() {
	if s.conn == nil {
		return
	}
	_ = s.conn.Close()
	<-s.ended
}
