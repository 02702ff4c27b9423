package direct

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/broker"
	"parley/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// emptyLog is one in which nothing has happened, unless it breaks.
type emptyLog struct{ broken func() }

func (emptyLog) Standing(_ context.Context, user int64) (models.Standing, error) {
	return models.Standing{UserID: user, Head: 1, Oldest: 1, Everyone: true}, nil
}

func (l emptyLog) Page(context.Context, int64, int64, int) (models.LogPage, error) {
	if l.broken != nil {
		l.broken()
	}
	return models.LogPage{}, errors.New("nothing is there")
}

// told is an Owner that notes what it is told.
type told struct {
	written  int64
	panicked any
	done     chan struct{}
}

func (o *told) Ended(written int64, panicked any) {
	o.written, o.panicked = written, panicked
	close(o.done)
}

// stage is a server whose every answer is a stream.
type stage struct {
	t      *testing.T
	direct *Server
	broker *broker.Broker
	http   *httptest.Server
	last   int64 // the id published last

	mu     sync.Mutex
	owners []*told
}

func newStage(t *testing.T, log emptyLog) *stage {
	t.Helper()
	s := &stage{t: t, direct: New(), broker: broker.New(broker.Options{Log: log}), last: 1}
	s.broker.Start(s.last)
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() {
		if err := s.broker.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := s.direct.Close(context.Background()); err != nil {
			t.Error(err)
		}
		s.http.Close()
	})
	return s
}

func (s *stage) serve(w http.ResponseWriter, r *http.Request) {
	cursor := s.last
	sub := broker.Subscription{User: models.EventUser{ID: 7}, SessionID: 7}
	if r.URL.Path == "/behind" {
		cursor = 0
		sub.Cursor = &cursor
	}
	stream, err := s.broker.Subscribe(r.Context(), sub)
	if err != nil {
		s.t.Error(err)
		return
	}
	o := &told{done: make(chan struct{})}
	s.mu.Lock()
	s.owners = append(s.owners, o)
	s.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	if taken, err := s.direct.Take(w, r, stream, o); !taken || err != nil {
		s.t.Errorf("taken %v, %v", taken, err)
	}
}

// publish tells everyone.
func (s *stage) publish(text string) {
	s.last++
	s.broker.Publish([]models.Event{{ID: s.last, Type: models.MessageCreated, Audience: models.Everyone(), JSON: fmt.Appendf(nil, "%q", text)}})
}

// ended waits for the end of the nth stream.
func (s *stage) ended(n int) *told {
	s.t.Helper()
	s.mu.Lock()
	o := s.owners[n]
	s.mu.Unlock()
	select {
	case <-o.done:
	case <-time.After(20 * time.Second):
		s.t.Fatalf("stream %d does not end", n)
	}
	return o
}

// dial opens a stream and reads up to its ready.
func (s *stage) dial(request string) (*net.TCPConn, *bufio.Reader) {
	s.t.Helper()
	c, err := net.Dial("tcp", s.http.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, request); err != nil {
		s.t.Fatal(err)
	}
	r := bufio.NewReader(c)
	until(s.t, r, `"type":"ready"`)
	return c.(*net.TCPConn), r
}

// until reads up to a line with the words, and gives all before it.
func until(t *testing.T, r *bufio.Reader, words string) string {
	t.Helper()
	var before strings.Builder
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("%v after\n%s", err, before.String())
		}
		if strings.Contains(line, words) {
			return before.String()
		}
		before.WriteString(line)
	}
}

const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

// Who goes is noticed, who closes only the own half too, by either watcher.
func TestAReaderWhoGoesIsNoticed(t *testing.T) {
	t.Parallel()
	for _, watched := range []string{"as here", "by readers"} {
		for how, leave := range map[string]func(*net.TCPConn) error{
			"close": (*net.TCPConn).Close, "half-close": (*net.TCPConn).CloseWrite,
			"reset": func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) },
		} {
			t.Run(how+" "+watched, func(t *testing.T) {
				t.Parallel()
				s := newStage(t, emptyLog{})
				if watched == "by readers" {
					s.direct.watch.close()
					s.direct.watch = readers{s.direct}
				}
				c, _ := s.dial(get)
				_, r := s.dial(get)
				if err := leave(c); err != nil {
					t.Fatal(err)
				}
				s.ended(0)
				s.publish("the other one stays")
				until(t, r, "the other one stays")
			})
		}
	}
}

// A reader that takes nothing is noticed when it goes, though a write waits for it.
func TestAWriteThatWaitsEndsWithItsReader(t *testing.T) {
	t.Parallel()
	s := newStage(t, emptyLog{})
	c, _ := s.dial(get)
	text := strings.Repeat("x", 64<<10)
	for range 64 { // 4 MiB, of which the kernel takes a part
		s.publish(text)
	}
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if o := s.ended(0); o.written > 4<<20 {
		t.Errorf("%d bytes are said to be written", o.written)
	}
}

// What a client sends behind its request does no harm, not even to the last bytes that it gets.
func TestBytesBehindTheRequest(t *testing.T) {
	t.Parallel()
	s := newStage(t, emptyLog{})
	c, r := s.dial(get + get + "and more\r\n")
	s.publish("one")
	until(t, r, "one")
	if _, err := io.WriteString(c, strings.Repeat("more and more", 1000)); err != nil {
		t.Fatal(err)
	}
	s.publish("two")
	s.broker.EndSession(7, "logout", "")
	rest, err := io.ReadAll(r)
	if err != nil || !strings.Contains(string(rest), "two") || !strings.HasSuffix(string(rest), "\n\n") ||
		!strings.Contains(string(rest), "session.ended") {
		t.Errorf("%v after %q", err, rest)
	}
	s.ended(0)
}

// All bytes of the body are told, and nothing of the header.
func TestWrittenBytes(t *testing.T) {
	t.Parallel()
	s := newStage(t, emptyLog{})
	resp, err := http.Get(s.http.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	s.publish("one")
	s.broker.EndSession(7, "logout", "")
	body, err := io.ReadAll(resp.Body)
	if o := s.ended(0); err != nil || o.written != int64(len(body)) || o.panicked != nil {
		t.Errorf("%d bytes were read, %v; told were %d and %v", len(body), err, o.written, o.panicked)
	}
}

// Close cuts what does not end by itself, and says so.
func TestCloseCuts(t *testing.T) {
	t.Parallel()
	s := &stage{t: t, direct: New(), broker: broker.New(broker.Options{Log: emptyLog{}}), last: 1}
	s.broker.Start(1)
	s.http = httptest.NewServer(http.HandlerFunc(s.serve))
	defer s.http.Close()
	_, r := s.dial(get)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- s.direct.Close(ctx) }()
	s.publish("still here")
	until(t, r, "still here")
	select {
	case err := <-closed:
		t.Fatalf("closed over an open stream: %v", err)
	default:
	}
	cancel()
	if err := <-closed; !errors.Is(err, context.Canceled) {
		t.Errorf("closed with %v", err)
	}
	s.ended(0)
	if err := s.broker.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// Nothing is taken any more when the server closes: the handler serves.
func TestClosedTakesNothing(t *testing.T) {
	t.Parallel()
	d := New()
	if err := d.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]*Server{"closed": d, "none": nil} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if taken, err := s.Take(w, r, nil, nil); taken || err != nil {
				t.Errorf("%s: taken %v, %v", name, taken, err)
			}
			_, _ = io.WriteString(w, "here")
		}))
		resp, err := http.Get(web.URL)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		web.Close()
		if string(body) != "here" {
			t.Errorf("%s: %q", name, body)
		}
	}
}

// A panic of the log ends its stream alone, and its owner hears of it.
func TestAPanicEndsOneStream(t *testing.T) {
	t.Parallel()
	s := newStage(t, emptyLog{broken: func() { panic("the log burns") }})
	_, whole := s.dial(get)
	_, r := s.dial("GET /behind HTTP/1.1\r\nHost: x\r\n\r\n")
	if _, err := io.ReadAll(r); err != nil {
		t.Error(err)
	}
	if o := s.ended(1); o.panicked != "the log burns" {
		t.Errorf("told was %v", o.panicked)
	}
	s.publish("on we go")
	until(t, whole, "on we go")
}

// Many who come and go leave no seat taken, and the places are used again.
func TestSeats(t *testing.T) {
	t.Parallel()
	s := newStage(t, emptyLog{})
	for round := range 5 {
		var open []*net.TCPConn
		for range 20 {
			c, _ := s.dial(get)
			open = append(open, c)
		}
		for i, c := range open {
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			s.ended(20*round + i)
		}
	}
	s.direct.mu.Lock()
	defer s.direct.mu.Unlock()
	if len(s.direct.seats) > 20 || len(s.direct.free) != len(s.direct.seats) {
		t.Errorf("%d seats, %d of them free", len(s.direct.seats), len(s.direct.free))
	}
}
