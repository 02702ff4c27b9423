package harness

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Event is one event as it came.
type Event struct {
	ID     int64           `json:"id"`
	Type   string          `json:"type"`
	At     time.Time       `json:"at"`
	RoomID int64           `json:"room_id"`
	Data   json.RawMessage `json:"data"`

	SSEID string        `json:"-"` // the `id:` line, "" in NDJSON
	Retry time.Duration `json:"-"` // the `retry:` that came with or before it
	JSON  string        `json:"-"` // the event's bytes
}

// Text is the text of a message event's message.
func (e Event) Text() string { return DataOf[struct{ Message struct{ Text string } }](e).Message.Text }

// DataOf decodes the event's data; what does not fit is left zero.
func DataOf[T any](e Event) T {
	var v T
	_ = json.Unmarshal(e.Data, &v)
	return v
}

// String is short enough for a list of many.
func (e Event) String() string {
	s := fmt.Sprintf("%d %s", e.ID, e.Type)
	if e.Type == "message.created" {
		s += fmt.Sprintf("(%.40s)", e.Text())
	}
	return s
}

// Stream is an open stream.
type Stream struct {
	s      *Server
	Header http.Header
	Ready  Event // it has come
	events chan Event
	stop   context.CancelFunc
	done   chan struct{} // closed when the reader has ended
	err    error         // why, nil at the stream's own end; to be read after done
}

// Stream opens a stream of server-sent events and waits for its ready. It is closed with the test.
func (u *User) Stream(with ...With) *Stream {
	u.s.tb.Helper()
	return u.s.open("/v1/events/stream", readSSE, append([]With{u.Bearer()}, with...)...)
}

// NDJSON opens the stream of lines.
func (u *User) NDJSON(with ...With) *Stream {
	u.s.tb.Helper()
	return u.s.open("/v1/events/ndjson", readLines, append([]With{u.Bearer()}, with...)...)
}

// Stream opens a stream of server-sent events as whoever the request says.
func (s *Server) Stream(with ...With) *Stream {
	s.tb.Helper()
	return s.open("/v1/events/stream", readSSE, with...)
}

func (s *Server) open(path string, read func(io.Reader, func(Event) bool) error, with ...With) *Stream {
	s.tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.tb.Context()))
	req, err := s.NewRequest(ctx, http.MethodGet, path, with...)
	if err != nil {
		cancel()
		s.tb.Fatal(err)
	}
	resp, err := Client().Do(req)
	if err != nil {
		cancel()
		s.tb.Fatalf("open stream: %v", err)
	}
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		cancel()
		s.tb.Fatalf("open stream: %d\n%s", resp.StatusCode, body)
	}
	st := &Stream{
		s: s, Header: resp.Header, events: make(chan Event, 16), stop: cancel, done: make(chan struct{}),
	}
	go st.read(ctx, resp.Body, read)
	s.tb.Cleanup(st.Close)
	if st.Ready = st.Any(); st.Ready.Type != "ready" {
		s.tb.Fatalf("the stream opens with %s", st.Ready.JSON)
	}
	return st
}

func (st *Stream) read(ctx context.Context, body io.ReadCloser, read func(io.Reader, func(Event) bool) error) {
	defer close(st.done)
	defer close(st.events)
	defer func() { _ = body.Close() }()
	st.err = read(body, func(e Event) bool {
		select {
		case st.events <- e:
			return true
		case <-ctx.Done():
			return false
		}
	})
}

// Close ends the stream from this side and waits until it has.
func (st *Stream) Close() {
	st.stop()
	<-st.done
}

// Any gives the next event of any sort.
func (st *Stream) Any() Event {
	st.s.tb.Helper()
	return st.by(time.Now().Add(patience))
}

// by gives the next event, which must come before the limit.
func (st *Stream) by(limit time.Time) Event {
	st.s.tb.Helper()
	timer := time.NewTimer(time.Until(limit))
	defer timer.Stop()
	select {
	case e, ok := <-st.events:
		if !ok {
			<-st.done
			st.s.tb.Fatalf("the stream has ended: %v", st.err)
		}
		return e
	case <-timer.C:
		st.s.tb.Fatal("no event came")
	}
	return Event{}
}

// Next gives the next event that is not of the kind which may come at any time.
func (st *Stream) Next() Event {
	st.s.tb.Helper()
	limit := time.Now().Add(patience) // no heartbeat moves it
	for {
		switch e := st.by(limit); e.Type {
		case "heartbeat", "presence.changed", "typing", "read.updated":
		default:
			return e
		}
	}
}

// Want ends the test unless the next events have these types; it gives them.
func (st *Stream) Want(types ...string) []Event {
	st.s.tb.Helper()
	events := make([]Event, 0, len(types))
	for i, want := range types {
		e := st.Next()
		events = append(events, e)
		if e.Type != want {
			st.s.tb.Fatalf("event %d of %v is %s", i+1, types, e.JSON)
		}
	}
	return events
}

// Until gives the events up to the first one of the type, that one included.
func (st *Stream) Until(kind string) []Event {
	st.s.tb.Helper()
	for events := []Event(nil); ; {
		e := st.Next()
		if events = append(events, e); e.Type == kind {
			return events
		}
	}
}

// UntilID gives the durable events until the stream is at the id, that one included. A heartbeat tells
// where it is when nothing comes.
func (st *Stream) UntilID(id int64) []Event {
	st.s.tb.Helper()
	limit := time.Now().Add(patience)
	for events := []Event(nil); ; {
		e := st.by(limit)
		if e.ID != 0 {
			events = append(events, e)
			limit = time.Now().Add(patience)
		}
		if e.ID >= id || e.Type == "heartbeat" && DataOf[struct{ Cursor int64 }](e).Cursor >= id {
			return events
		}
	}
}

// End waits until the server has ended the stream, and gives what came before.
func (st *Stream) End() []Event {
	st.s.tb.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for events := []Event(nil); ; {
		select {
		case e, ok := <-st.events:
			if !ok {
				<-st.done
				if st.err != nil {
					st.s.tb.Fatalf("the stream broke: %v", st.err)
				}
				return events
			}
			events = append(events, e)
		case <-timer.C:
			st.s.tb.Fatal("the stream does not end")
		}
	}
}

func decode(data string) (Event, error) {
	var e Event
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		return e, fmt.Errorf("decode event: %w", err)
	}
	e.JSON = data
	return e, nil
}

// readSSE reads what the check has let through: each event in one line of data.
func readSSE(r io.Reader, give func(Event) bool) error {
	var next Event
	return scan(r, func(line string) (more bool, err error) {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		id, retry := next.SSEID, next.Retry
		switch name {
		case "id":
			next.SSEID = value
		case "retry":
			ms, _ := strconv.Atoi(value)
			next.Retry = time.Duration(ms) * time.Millisecond
		case "data":
			if next, err = decode(value); err != nil {
				return false, err
			}
			next.SSEID, next.Retry = id, retry
		case "":
			if next.Type == "" {
				return true, nil
			}
			e := next
			next = Event{}
			return give(e), nil
		}
		return true, nil
	})
}

func readLines(r io.Reader, give func(Event) bool) error {
	return scan(r, func(line string) (bool, error) {
		e, err := decode(line)
		return err == nil && give(e), err
	})
}

// scan gives each line, the last one only if it is whole.
func scan(r io.Reader, take func(line string) (more bool, err error)) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if more, err := take(strings.TrimSuffix(line, "\n")); err != nil || !more {
			return err
		}
	}
}
