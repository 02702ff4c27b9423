package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// letter is a request that sends a text to a room: all but the number in the text stays the same.
type letter struct {
	request []byte
	text    []byte // where the text lies in request
}

// newLetter makes the request from the text's surroundings in the body.
func newLetter(addr, path, lines, before string, size int, after string) letter {
	text := newText(size)
	body := before + string(text) + after
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: %s\r\n%sContent-Length: %d\r\n\r\n", path, addr, lines, len(body))
	request := []byte(head + body)
	at := len(head) + len(before)
	return letter{request: request, text: request[at : at+len(text)]}
}

// sender is a connection that makes one request after the other.
type sender struct {
	addr    string
	conn    net.Conn
	number  int // in the ledger
	letters []letter
	rooms   []int // which room each letter goes to
	turn    int   // whose turn is next
	ledger  *ledger
	took    histogram // until the answers to what is measured
	in      []byte
}

func (s *sender) open(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, dialing)
	defer cancel()
	var dialer net.Dialer
	if s.conn, err = dialer.DialContext(ctx, "tcp", s.addr); err != nil {
		return fmt.Errorf("connect a sender: %w", err)
	}
	s.in = make([]byte, 0, 8<<10)
	return nil
}

func (s *sender) close() {
	if s.conn != nil {
		_ = s.conn.Close()
	}
}

// errFull is the end of a run that is too long for its ledger.
var errFull = fmt.Errorf("there are more than %d messages: measure for fewer seconds", most)

// send sends the next message, due at a moment, and waits for the answer.
func (s *sender) send(due time.Time) error {
	which := s.turn % len(s.letters)
	s.turn++
	number, ok := s.ledger.begin(s.number, s.rooms[which], due)
	if !ok {
		return errFull
	}
	putNumber(s.letters[which].text, number)
	status, _, err := s.call(s.letters[which].request)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	if status/100 != 2 {
		return fmt.Errorf("a message is answered %d", status)
	}
	if number >= s.ledger.from.Load() {
		s.took.add(time.Since(due))
	}
	s.ledger.accept(number)
	return nil
}

// call makes a request and gives its answer; the body is good until the next call.
func (s *sender) call(request []byte) (status int, body []byte, err error) {
	if err := s.conn.SetDeadline(time.Now().Add(dialing)); err != nil {
		return 0, nil, err
	}
	if _, err := s.conn.Write(request); err != nil {
		return 0, nil, err
	}
	s.in = s.in[:0]
	end := -1
	for end < 0 {
		if err := s.more(); err != nil {
			return 0, nil, err
		}
		end = bytes.Index(s.in, []byte("\r\n\r\n"))
	}
	h, err := parseHead(s.in[:end+2])
	if err != nil {
		return 0, nil, err
	}
	begin := end + len("\r\n\r\n")
	if h.chunked {
		body, err = s.chunks(begin)
		return h.status, body, err
	}
	if h.length < 0 {
		return 0, nil, errors.New("an answer without a length")
	}
	for len(s.in) < begin+h.length {
		if err := s.more(); err != nil {
			return 0, nil, err
		}
	}
	return h.status, s.in[begin : begin+h.length], nil
}

// chunks reads a body that comes in pieces, and gives it in one.
func (s *sender) chunks(at int) (body []byte, err error) {
	for {
		end := -1
		for end < 0 {
			if end = bytes.Index(s.in[at:], []byte("\r\n")); end < 0 {
				if err := s.more(); err != nil {
					return nil, err
				}
			}
		}
		n, err := strconv.ParseUint(string(s.in[at:at+end]), 16, 31)
		if err != nil {
			return nil, errChunk
		}
		at += end + 2
		for len(s.in) < at+int(n)+2 {
			if err := s.more(); err != nil {
				return nil, err
			}
		}
		if n == 0 {
			return body, nil
		}
		body = append(body, s.in[at:at+int(n)]...)
		at += int(n) + 2
	}
}

// more reads what there is.
func (s *sender) more() error {
	if len(s.in) == cap(s.in) {
		s.in = append(s.in, make([]byte, len(s.in))...)[:len(s.in)]
	}
	n, err := s.conn.Read(s.in[len(s.in):cap(s.in)])
	s.in = s.in[:len(s.in)+n]
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
