package gateway

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"parley/models"
)

// connAt is a line connection of the user from the address, and the client's end of it.
func connAt(t *testing.T, s *Line, id int64, addr string) (*lineConn, net.Conn) {
	t.Helper()
	client, server := net.Pipe()
	c := newLineConn(s, server)
	c.addr = netip.MustParseAddrPort(addr)
	c.actor.User = models.User{ID: id}
	c.label, c.account = lineLabel{addr, addr}, "nc"
	s.hub.add(c)
	return c, client
}

// lobby is what somebody said to all.
func lobby(id, sender int64, text string) *event {
	e := &event{ID: id, Type: models.MessageCreated, RoomID: models.LobbyID}
	e.Data.Message = message{ID: id, Sender: models.Peer{ID: sender, Name: "ann"}, Text: text}
	return e
}

// Whoever has gone is still called by their address for what they said, and has gone only after it.
func TestLastWordsComeFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &Line{words: &english, hub: newLineHub()}
		a, _ := connAt(t, s, 2, "127.0.0.1:2")
		b, client := connAt(t, s, 3, "127.0.0.1:3")
		ready := &event{Type: models.Ready}
		ready.Data.Cursor = 10
		heartbeat := &event{Type: models.Heartbeat}
		heartbeat.Data.Cursor = 20
		a.lastID = 12
		a.leave()
		_, _ = connAt(t, s, 4, "127.0.0.1:2") // another client, from the same port
		for _, e := range []*event{ready, lobby(11, 9, "one"), lobby(12, 2, "bye"), lobby(13, 9, ""), lobby(14, 9, "two\nlines")} {
			if err := b.hear(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		s.hub.tell([]byte("at once\n"), 14)
		s.hub.tell([]byte("later\n"), 20)
		b.say("before")
		if err := b.hear(t.Context(), heartbeat); err != nil {
			t.Fatal(err)
		}
		go func() {
			b.out.close(time.Second)
			_ = b.out.conn.Close()
		}()
		got, err := io.ReadAll(client)
		const want = "[web]ann:one\n[127.0.0.1:2]127.0.0.1:2:bye\n[127.0.0.1:2]127.0.0.1:2:is offline\n[web]ann:two lines\nat once\nbefore\nlater\n"
		if string(got) != want || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		if _, account := s.hub.accountAt(netip.MustParseAddrPort("127.0.0.1:2")); account == "" || !s.hub.gone(2) || s.hub.gone(3) {
			t.Error("the hub does not know who is there")
		}
	})
}

func TestHubForgetsInTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &Line{words: &english, hub: newLineHub()}
		for id := int64(1); id <= departedMost+1; id++ {
			c, _ := connAt(t, s, id, "127.0.0.1:2")
			s.hub.remove(c)
		}
		if n := len(s.hub.departed); n != departedMost || s.hub.gone(1) || !s.hub.gone(2) {
			t.Errorf("%d are remembered", n)
		}
	})
}

// A stream that lags is not told for ever of who came and went.
func TestNoticesThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &Line{words: &english, hub: newLineHub()}
		c, _ := connAt(t, s, 2, "127.0.0.1:2")
		for range noticesMost + 1 {
			s.hub.tell([]byte("x\n"), 1)
		}
		if len(c.notices.waiting) != noticesMost {
			t.Errorf("%d wait", len(c.notices.waiting))
		}
		if _, err := c.in.next(); err == nil {
			t.Error("the connection goes on")
		}
	})
}
