package broker_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"parley/broker"
	"parley/models"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a log, a broker over it and its clients.
type world struct {
	t   testing.TB
	log *memLog
	b   *broker.Broker
	att *attendance
}

// mustWorld opens a world that closes with the test. Before the broker starts, the log gets
// the events given.
func mustWorld(t testing.TB, opt broker.Options, before ...models.Event) *world {
	t.Helper()
	w := &world{t: t, log: newMemLog(t)}
	w.log.append(before...)
	opt.Log = w.log
	if opt.Attendance == nil {
		w.att = &attendance{here: make(map[int64]int)}
		opt.Attendance = w.att
	}
	w.b = broker.New(opt)
	if w.att != nil {
		w.att.b = w.b
	}
	w.b.Start(w.log.head())
	t.Cleanup(func() {
		if err := w.b.Close(t.Context()); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("close: %v", err)
		}
	})
	return w
}

// attendance counts who is here, and lets go of who has gone at once.
type attendance struct {
	mu   sync.Mutex
	here map[int64]int // by user; polls count 100
	b    *broker.Broker
}

func weight(poll bool) int {
	if poll {
		return 100
	}
	return 1
}

func (a *attendance) Arrive(user, _ int64, poll bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.here[user] += weight(poll)
}

func (a *attendance) Depart(user, _ int64, poll bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.here[user] -= weight(poll); a.here[user] == 0 {
		delete(a.here, user)
		a.b.Forget([]int64{user})
	}
}

func (a *attendance) now() map[int64]int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.here)
}

// publish commits and publishes one batch and gives its first id.
func (w *world) publish(events ...models.Event) int64 {
	w.b.Publish(w.log.append(events...))
	return events[0].ID
}

func person(id int64) models.EventUser {
	return models.EventUser{ID: id, Name: "u" + strconv.FormatInt(id, 10), Role: models.RoleMember}
}

// of is the plainest subscription of a user; the session has the user's number.
func of(user int64) broker.Subscription {
	return broker.Subscription{User: person(user), SessionID: user}
}

// client is a running stream and what it got.
type client struct {
	*recorder
	cancel context.CancelFunc
	done   chan struct{}
	err    error // Run's, after done
}

func (w *world) connect(sub broker.Subscription) *client {
	return w.connectTo(sub, &recorder{t: w.t, format: sub.Format})
}

func (w *world) connectTo(sub broker.Subscription, r *recorder) *client {
	w.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := w.b.Subscribe(ctx, sub)
	if err != nil {
		w.t.Fatalf("subscribe: %v", err)
	}
	c := &client{recorder: r, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.err = s.Run(ctx, r)
	}()
	return c
}

// lodger runs a stream as one does who has a goroutine only for what there is to do.
type lodger struct {
	s    *broker.Stream
	done chan error
	runs atomic.Int64 // goroutines so far
}

func (l *lodger) Resume() {
	l.runs.Add(1)
	go func() {
		if err := l.s.Pump(context.Background()); !errors.Is(err, broker.ErrQuiet) {
			l.done <- err
		}
	}()
}

func (l *lodger) Block() {}

// lodge opens the stream.
func lodge(s *broker.Stream, sink broker.Sink) *lodger {
	l := &lodger{s: s, done: make(chan error, 1)}
	if ended, err := s.Open(context.Background(), sink, l); ended || err != nil {
		s.Close()
		l.done <- err
	} else if !s.Rest() {
		l.Resume()
	}
	return l
}

// wait is for the end; that of ctx is the reader's leaving.
func (l *lodger) wait(ctx context.Context) error {
	defer context.AfterFunc(ctx, l.s.Leave)()
	err := <-l.done
	if errors.Is(err, broker.ErrLeft) {
		err = ctx.Err()
	}
	return err
}

// stop ends the stream as a client that goes away does.
func (c *client) stop() {
	c.cancel()
	<-c.done
}

// frame is one event as a client reads it.
type frame struct {
	sseID string // "" for none
	Type  models.EventType
	ID    int64
	Room  int64 `json:"room_id"`
	Data  json.RawMessage
}

func (f frame) cursor() int64 {
	var data struct{ Cursor int64 }
	if err := json.Unmarshal(f.Data, &data); err != nil {
		return -1
	}
	return data.Cursor
}

// recorder is a Sink that parses what it gets.
type recorder struct {
	t      testing.TB
	format broker.Format
	gate   func() error // before each write; may wait

	mu     sync.Mutex
	frames []frame
	writes [][]byte // as borrowed, not copied
	retry  int
}

func (r *recorder) Write(p []byte) error {
	if r.gate != nil {
		if err := r.gate(); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	frames, err := r.parse(p)
	if err != nil {
		r.t.Errorf("write %q: %v", p, err)
	}
	if len(p) > 16<<10 && len(frames) > 1 {
		r.t.Errorf("a write of %d bytes holds %d frames", len(p), len(frames))
	}
	r.frames = append(r.frames, frames...)
	r.writes = append(r.writes, p)
	return nil
}

func (r *recorder) parse(p []byte) ([]frame, error) {
	if r.format == broker.NDJSON {
		return parseLines(p)
	}
	return r.parseSSE(p)
}

func parseLines(p []byte) (frames []frame, err error) {
	text, whole := strings.CutSuffix(string(p), "\n")
	if !whole {
		return nil, errors.New("does not end with a line")
	}
	for line := range strings.SplitSeq(text, "\n") {
		var f frame
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			return nil, err
		}
		frames = append(frames, f)
	}
	return frames, nil
}

func (r *recorder) parseSSE(p []byte) (frames []frame, err error) {
	text, whole := strings.CutSuffix(string(p), "\n\n")
	if !whole {
		return nil, errors.New("does not end with a message")
	}
	for msg := range strings.SplitSeq(text, "\n\n") {
		var f frame
		for line := range strings.SplitSeq(msg, "\n") {
			name, value, _ := strings.Cut(line, ": ")
			switch name {
			case "retry":
				if r.retry, err = strconv.Atoi(value); err != nil {
					return nil, err
				}
			case "id":
				f.sseID = value
			case "data":
				if err := json.Unmarshal([]byte(value), &f); err != nil {
					return nil, err
				}
			default:
				return nil, fmt.Errorf("field %q", name)
			}
		}
		frames = append(frames, f)
	}
	return frames, nil
}

// got gives the frames so far.
func (r *recorder) got() []frame {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]frame(nil), r.frames...)
}

// ids gives the durable events so far.
func (r *recorder) ids() (ids []int64) {
	for _, f := range r.got() {
		if f.ID != 0 {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// story writes the frames so far as words: the id of a durable event, else type, SSE id and
// cursor.
func (r *recorder) story() string {
	var b bytes.Buffer
	for i, f := range r.got() {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch {
		case f.ID != 0:
			fmt.Fprint(&b, f.ID)
		case f.Type == models.SessionEnded:
			fmt.Fprintf(&b, "%s%s", f.Type, f.Data)
		default:
			fmt.Fprintf(&b, "%s@%s", f.Type, f.sseID)
			if r.format == broker.NDJSON {
				fmt.Fprint(&b, f.cursor())
			}
		}
	}
	return b.String()
}

func (c *client) expect(want string) {
	c.t.Helper()
	if got := c.story(); got != want {
		c.t.Errorf("client got\n  %s\nwant\n  %s", got, want)
	}
}
