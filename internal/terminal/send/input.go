package send

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// longest is how long a text may be on any server, in bytes.
const longest = 1 << 20

var errTooLong = fmt.Errorf("the text is longer than %d bytes, which no server takes", longest)

// piece is what was read of the input.
type piece struct {
	text []byte
	err  error
}

// whole gives the input, without the end of its last line.
func (c *command) whole(ctx context.Context) (string, error) {
	read := make(chan piece, 1)
	go func() { // a read cannot be broken off: where a signal comes first, this ends with the process
		text, err := io.ReadAll(io.LimitReader(c.in, longest+3))
		read <- piece{withoutEnd(text), err}
	}()
	select {
	case p := <-read:
		if p.err != nil {
			return "", fmt.Errorf("read standard input: %w", p.err)
		}
		if len(p.text) > longest {
			return "", errTooLong
		}
		return string(p.text), nil
	case <-ctx.Done():
		return "", c.unfinished(ctx, "nothing was sent")
	}
}

// lines sends each line that is not empty, until one is not stored.
func (c *command) lines(ctx context.Context) error {
	read := make(chan piece)
	go scan(ctx, c.in, read)
	for n := 1; ; n++ {
		select {
		case p, more := <-read:
			if !more {
				return nil
			}
			if err := c.line(ctx, p, n); err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
		case <-ctx.Done():
			return c.unfinished(ctx, fmt.Sprintf("line %d and what follows it are not sent", n))
		}
	}
}

// line sends the nth line.
func (c *command) line(ctx context.Context, p piece, n int) error {
	nonce := ""
	if c.Nonce != "" {
		nonce = fmt.Sprintf("%s-%d", c.Nonce, n)
	}
	text := string(p.text)
	if p.err != nil || text == "" {
		return p.err
	}
	if err := check(text); err != nil {
		return err
	}
	return c.say(ctx, text, nonce)
}

// scan gives the lines of the input as they come, and closes lines at its end.
func scan(ctx context.Context, in io.Reader, lines chan<- piece) {
	defer close(lines)
	hand := func(p piece) bool {
		select {
		case lines <- p:
			return true
		case <-ctx.Done():
			return false
		}
	}
	s := bufio.NewScanner(in)
	s.Buffer(nil, longest+2)
	for s.Scan() {
		if !hand(piece{text: bytes.Clone(s.Bytes())}) {
			return
		}
	}
	switch err := s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		hand(piece{err: errTooLong})
	case err != nil:
		hand(piece{err: fmt.Errorf("read standard input: %w", err)})
	}
}

// withoutEnd drops one end of a line.
func withoutEnd(text []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(text, []byte("\n")), []byte("\r"))
}
