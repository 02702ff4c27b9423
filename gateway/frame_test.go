package gateway

import (
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/chat"
	"parley/models"
)

// frameHall is some connections, and who is online.
type frameHall struct {
	frame   *Frame
	tracker *chat.Tracker
}

func newFrameHall() *frameHall {
	tracker := chat.NewTracker(chat.TrackerOptions{})
	return &frameHall{tracker: tracker, frame: &Frame{
		opt: FrameOptions{Chat: chat.New(chat.Options{Presence: tracker}), Log: slog.New(slog.DiscardHandler)},
		hub: frameHub{conns: map[*frameConn]struct{}{}},
	}}
}

// conn is a connection that was told of those at its login, and the client's end of it.
func (h *frameHall) conn(account int64, told ...int64) (*frameConn, net.Conn) {
	client, server := net.Pipe()
	c := newFrameConn(h.frame, server, func() {})
	c.actor.User = models.User{ID: account}
	c.view.set(told)
	h.frame.hub.add(c)
	return c, client
}

// come and go are said by the tracker alone: nobody is told.
func (h *frameHall) come(account int64) { h.tracker.Arrive(account, account, false) }

func (h *frameHall) leave(account int64) {
	h.tracker.Depart(account, account, false)
	h.tracker.Leave(models.User{ID: account})
}

// all gives what the client got up to the end, without the lengths.
func all(t *testing.T, c *frameConn, client net.Conn) (packets []string) {
	t.Helper()
	go func() {
		c.out.close(time.Second)
		_ = c.conn.Close()
	}()
	got, err := io.ReadAll(client)
	if err != nil {
		t.Fatal(err)
	}
	for len(got) > 0 {
		end := frameHead + int(binary.BigEndian.Uint32(got))
		packets = append(packets, string(got[frameHead:end]))
		got = got[end:]
	}
	return packets
}

func statusPacket(id, status string) string {
	return `{"type":"NotifyUserStatusMes","data":"{\"userId\":` + id + `,\"status\":` + status + `}"}`
}

// A client is told of changes, once, in their place among the messages, and of nothing before its login is answered.
func TestFrameNotices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFrameHall()
		c, client := h.conn(1, 11, 22)
		two, three := frameUser{2, 22}, frameUser{3, 33}
		h.come(1)
		h.come(2)
		h.come(3)
		h.frame.hub.tell(three, 0) // came while the login was under way
		h.frame.hub.tell(frameUser{1, 11}, 0)
		c.send("LoginResMes", "…")
		c.notices.reached(10) // the stream begins
		h.frame.hub.tell(three, 0)
		h.frame.hub.tell(two, 0) // who was known to be here
		h.leave(2)
		h.frame.hub.tell(two, 12)
		c.send("SmsMes", "last words")
		c.notices.reached(12)
		h.frame.hub.tell(two, 12)
		h.come(2)
		h.frame.hub.tell(two, 0)
		h.leave(3)
		h.come(3) // and back, before anybody was told
		h.frame.hub.tell(three, 0)
		h.frame.hub.remove(c)
		h.leave(2)
		h.frame.hub.tell(two, 0)
		want := []string{
			`{"type":"LoginResMes","data":"\"…\""}`, statusPacket("33", "0"),
			`{"type":"SmsMes","data":"\"last words\""}`, statusPacket("22", "1"), statusPacket("22", "0"),
		}
		if got := all(t, c, client); !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	})
}

// A stream that lags is not told for ever of who came and went.
func TestFrameNoticesThatWaitAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFrameHall()
		c, _ := h.conn(1)
		for range noticesMost + 1 {
			h.frame.hub.tell(frameUser{2, 22}, 1)
		}
		if len(c.notices.waiting) != noticesMost {
			t.Errorf("%d wait", len(c.notices.waiting))
		}
		if _, err := c.in.next(); err == nil {
			t.Error("the connection goes on")
		}
		h.frame.hub.close()
		h.frame.hub.tell(frameUser{3, 33}, 0)
	})
}

// A connection does not hear its own messages, and hears those of others, whichever comes first: the answer or the event.
func TestOwnMessages(t *testing.T) {
	t.Parallel()
	var own ownMessages
	sending, stored := make(chan struct{}), make(chan int64)
	var saying sync.WaitGroup
	saying.Go(func() {
		_ = own.say(func() (int64, error) {
			close(sending)
			return <-stored, nil
		})
	})
	<-sending
	heard := make(chan bool)
	go func() { heard <- own.heard(7) }() // before the answer, or not
	stored <- 7
	if !<-heard {
		t.Error("its own message came back")
	}
	saying.Wait()
	if own.heard(7) || own.heard(8) {
		t.Error("a message of others was taken for its own")
	}
	if own.last != 7 || len(own.ids) != 0 {
		t.Errorf("it holds %v, the last is %d", own.ids, own.last)
	}
}

// A connection that nobody logs in on ends.
func TestFrameWaitsForTheLogin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newFrameHall()
		client, server := net.Pipe()
		began := time.Now()
		go func() {
			h.frame.serve(t.Context(), server)
			_ = server.Close()
		}()
		var writing sync.WaitGroup
		defer writing.Wait()
		writing.Go(func() { // busy, but nobody
			for {
				if _, err := io.WriteString(client, frameOf("{}")); err != nil {
					return
				}
				time.Sleep(time.Second)
			}
		})
		got, err := io.ReadAll(client)
		if took := time.Since(began); err != nil || took < frameLogin || took > frameLogin+frameGrace {
			t.Errorf("it took %s: %v", took, err)
		}
		const last = `{"type":"ErrorMes","data":"{\"code\":400,\"error\":\"nobody has logged in for 2 minutes\"}"}`
		if tail := string(got[max(0, len(got)-len(last)):]); tail != last {
			t.Errorf("told %q", tail)
		}
	})
}
