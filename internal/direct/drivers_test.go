package direct

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"parley/broker"
)

// stageOf is a stage with so many drivers.
func stageOf(t *testing.T, most int, o broker.Options) *stage {
	t.Helper()
	o.Log = emptyLog{}
	s := stageWith(t, o)
	s.direct.drivers.most = most
	return s
}

// go1 has one driver begin where there was none.
func (d *drivers) go1() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.most, d.all = 1, 1
	go (&driver{of: d}).run()
}

// queued waits until so many streams wait for a driver.
func (d *drivers) queued(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprint(n, " streams in the queue"), func() bool {
		d.mu.Lock()
		defer d.mu.Unlock()
		return len(d.queue)-d.next == n
	})
}

func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}

// numbered publishes great messages with their numbers, more than the kernel keeps for a reader.
func (s *stage) numbered(n int) {
	filling := strings.Repeat("x", 50<<10)
	for i := range n {
		s.publish(fmt.Sprintf("%d.%s.%d", i, filling, i))
	}
}

// wantNumbered reads them, each whole, once and in order.
func wantNumbered(t *testing.T, r *bufio.Reader, n int) {
	t.Helper()
	for i := range n {
		var line string
		for !strings.HasPrefix(line, "data: ") {
			var err error
			if line, err = r.ReadString('\n'); err != nil {
				t.Fatalf("%v before message %d", err, i)
			}
		}
		text := strings.Trim(strings.TrimPrefix(line, "data: "), "\"\n")
		if want := fmt.Sprintf("%d.%s.%d", i, strings.Repeat("x", 50<<10), i); text != want {
			t.Fatalf("instead of message %d came %d bytes, %.20q…", i, len(text), text)
		}
	}
}

// What the kernel does not take at once is written all the same, exactly the rest and before all else; and meanwhile the
// only driver serves the others.
func TestADriverWaitsForNobody(t *testing.T) {
	t.Parallel()
	s := stageOf(t, 1, broker.Options{})
	_, slow := s.dial(get)
	_, never := s.dial(get)
	_ = never
	_, quick := s.dial(get)
	const many = 100
	s.numbered(many)
	wantNumbered(t, quick, many)
	s.publish("and the last")
	until(t, quick, "and the last")
	wantNumbered(t, slow, many)
	until(t, slow, "and the last")
	s.publish("one more")
	until(t, slow, "one more")
	until(t, quick, "one more")
	s.direct.drivers.mu.Lock()
	defer s.direct.drivers.mu.Unlock()
	if s.direct.drivers.all != 1 {
		t.Errorf("%d drivers", s.direct.drivers.all)
	}
}

// Who leaves, or is told to end, while the stream waits for a driver, ends once, when one comes.
func TestTheEndInTheQueue(t *testing.T) {
	t.Parallel()
	s := stageOf(t, 0, broker.Options{})
	leaver, _ := s.dial(get)
	_, stays := s.dial(get)
	s.publish("one")
	s.direct.drivers.queued(t, 2)
	if err := leaver.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "one seat free", func() bool {
		s.direct.mu.Lock()
		defer s.direct.mu.Unlock()
		return len(s.direct.free) == 1
	})
	s.publish("two")
	s.direct.drivers.queued(t, 2)
	s.direct.drivers.go1()
	s.ended(0)
	until(t, stays, "one")
	until(t, stays, "two")
	s.broker.EndSession(7, "logout", "")
	until(t, stays, "session.ended")
	s.ended(1)
}

// Streams that wait for a driver when the server is closed, and cut, end too, when one comes.
func TestCloseOverTheQueue(t *testing.T) {
	t.Parallel()
	s := &stage{t: t, direct: New(), broker: broker.New(broker.Options{Log: emptyLog{}}), last: 1}
	s.direct.drivers.most = 0
	s.broker.Start(1)
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	defer s.http.Close()
	s.dial(get)
	s.dial(get)
	s.publish("one")
	s.direct.drivers.queued(t, 2)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.direct.Close(over); !errors.Is(err, context.Canceled) {
		t.Errorf("closed with %v", err)
	}
	s.direct.drivers.go1()
	s.ended(0)
	s.ended(1)
	if err := s.broker.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// A panic in a driver's hands ends the stream, and the driver drives on.
func TestAPanicStopsNoDriver(t *testing.T) {
	t.Parallel()
	var burns atomic.Bool
	s := stageOf(t, 1, broker.Options{Clock: func() time.Time {
		if burns.Swap(false) {
			panic("the clock burns")
		}
		return time.Now()
	}})
	_, ends := s.dial(get)
	s.session = 8
	_, stays := s.dial(get)
	burns.Store(true)
	s.broker.EndSession(7, "logout", "") // is told with the time
	if o := s.ended(0); o.panicked != "the clock burns" {
		t.Errorf("told was %v", o.panicked)
	}
	if line, err := ends.ReadString(0); err == nil || strings.Contains(line, "ended") {
		t.Errorf("%v after %q", err, line)
	}
	s.publish("on we go")
	until(t, stays, "on we go")
}

// wrapping is a connection as listeners make them.
type wrapping struct {
	net.Conn
	err chan error
}

func (w wrapping) NetConn() net.Conn { return w.Conn }
func (w wrapping) Broke(err error)   { w.err <- err }

// A write that breaks in a driver's hands tells those who count; a driver's write allocates nothing.
func TestADriversWrite(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	at, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer at.Close()
	told := make(chan error, 1)
	c := &conn{Conn: wrapping{at, told}, driver: &driver{of: new(drivers)}}
	if c.socket, err = at.(*net.TCPConn).SyscallConn(); err != nil {
		t.Fatal(err)
	}
	frame := []byte("data: {}\n\n")
	if n := testing.AllocsPerRun(100, func() { _ = c.Write(frame) }); n != 0 {
		t.Errorf("a write allocates %v times", n)
	}
	if err := errors.Join(client.(*net.TCPConn).SetLinger(0), client.Close()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the write breaks", func() bool { err = c.Write(frame); return err != nil })
	if got := <-told; got == nil || !errors.Is(err, got) {
		t.Errorf("the write says %v, told was %v", err, got)
	}
}
