package faults

import (
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"
)

// TestReadersThatDoNotRead opens streams that take no byte, and one that takes a byte now and then, in front of megabytes: nobody waits
// for them, they are cut off, and nothing is left of them.
func TestReadersThatDoNotRead(t *testing.T) {
	onBoth(t, func(t *testing.T, db *database) {
		s := newScene(t, db, 2, "--max-message-bytes", fmt.Sprint(1<<20))
		const deaf = 20
		for range deaf {
			s.ignore(s.outsider)
		}
		// This one takes an event only when all others have got everything, and whatever it was told by then.
		late := s.outsider.follower("sse", "late", diceFor(t, "late"))
		late.pos, late.window = 0, 4096
		late.most = 40 * time.Second // with so small a window TCP need not tell a reader that it was cut off: clients notice the silence
		release := make(chan struct{})
		var once sync.Once
		late.held = func() {
			once.Do(func() {
				select {
				case <-release:
				case <-s.ctx.Done():
				}
				late.window = 0 // the next connection is as good as any
			})
		}
		s.follow(late)
		s.opened(late)
		s.crowd()
		for range 15 { // more than the buffers in between hold
			_, err := s.admin.say(s.ctx, directTarget(s.outsider), s.admin.words()+" "+noise(s.admin.dice, 700_000))
			s.must(err)
		}
		s.must(s.rec.grow(s.ctx, 60)) // nobody waits for them
		s.halt()
		s.must(s.cutOff(deaf))
		close(release)
		s.bustle()
		s.must(s.rec.grow(s.ctx, 40))
		s.verify(s.finish())
	})
}

// ignore asks for everything and reads nothing of it.
func (s *scene) ignore(p *person) {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.server.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		s.t.Fatal(err)
	}
	token, _ := p.bearer()
	_, err = fmt.Fprintf(conn, "GET /v1/events/stream?after=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", token)
	if err != nil {
		s.t.Fatal(err)
	}
}

// cutOff waits until so many connections were cut off for their readers' slowness.
func (s *scene) cutOff(n int) error {
	for s.metrics().cut < float64(n) {
		if err := pause(s.ctx); err != nil {
			return fmt.Errorf("%d deaf readers are not cut off: %w", n, context.Cause(s.ctx))
		}
	}
	return nil
}
