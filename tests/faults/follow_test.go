package faults

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"parley/tests/faults/oracle"
)

// follower follows the log by one kind of connection, as a careful client does: it keeps the cursor of what it has handled
// and resumes from there.
type follower struct {
	*oracle.Reader
	p      *person
	url    string
	kind   string // sse, ndjson or poll
	pos    int64  // below 0: none yet
	hop    int    // closes its connections by itself after so many items at most; 0: never
	rest   int64  // stays away until the log is so much longer at most
	dice   *rand.Rand
	opened chan struct{} // closed when the first connection is open
	until  int64         // ends there instead, where it is not 0
	held   func()        // called after each event; nil: nothing holds it up
	most   time.Duration // gives a connection up after that; 0: never
	window int           // of the socket; 0: the system's
}

func (p *person) follower(kind, name string, dice *rand.Rand) *follower {
	return &follower{
		Reader: p.rec.reader(fmt.Sprintf("%s %s of user %d", name, kind, p.id), p.id), p: p, url: p.url, kind: kind, pos: -1,
		dice: dice, opened: make(chan struct{}),
	}
}

var (
	errDone = errors.New("the end has come")
	errHop  = errors.New("enough of this connection")
)

// run makes connections until the end has come. It tells only what no fault of the network explains.
func (f *follower) run(ctx context.Context) error {
	for {
		err := f.connect(ctx)
		switch {
		case errors.Is(err, errDone):
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s at %d of %d, waiting for the end: %w", f.Name, f.pos, f.p.rec.highest(), context.Cause(ctx))
		case errors.Is(err, errBroken):
			return fmt.Errorf("%s: %w", f.Name, err)
		case !errors.Is(err, errHop):
			f.p.rec.count("connections lost")
			_ = pauseFor(ctx, 200*time.Millisecond) // a thousand of them must not keep the server from starting
		case f.rest > 0:
			_ = f.p.rec.grow(ctx, f.dice.Int64N(f.rest))
		}
	}
}

// errBroken is for what no failure of the network explains.
var errBroken = errors.New("broken promise")

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errBroken, fmt.Sprintf(format, args...))
}

func (f *follower) connect(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if f.most > 0 {
		defer time.AfterFunc(f.most, cancel).Stop()
	}
	path := map[string]string{"sse": "/v1/events/stream?", "ndjson": "/v1/events/ndjson?", "poll": "/v1/events?"}[f.kind]
	if f.kind == "poll" {
		wait := 1 + f.dice.IntN(2)
		if f.pos < 0 {
			wait = 0
		}
		path += fmt.Sprintf("wait=%d&limit=%d&", wait, 1+f.dice.IntN(100))
	}
	byHeader := f.kind == "sse" && f.dice.IntN(2) == 0
	if f.pos >= 0 && !byHeader {
		path += fmt.Sprintf("after=%d", f.pos)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url+path, nil)
	if err != nil {
		return broken("%v", err)
	}
	token, fresh := f.p.bearer()
	req.Header.Set("Authorization", "Bearer "+token)
	if f.pos >= 0 && byHeader {
		req.Header.Set("Last-Event-ID", fmt.Sprint(f.pos))
	}
	conn := f.p.rec.connects(f.Reader, f.pos)
	own := &http.Transport{DisableKeepAlives: true, DisableCompression: true, DialContext: f.dial}
	defer own.CloseIdleConnections()
	resp, err := own.RoundTrip(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return f.shutOut(ctx, token, fresh)
	case http.StatusGone:
		return f.gone(conn, resp)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return fmt.Errorf("status %s", resp.Status)
	default:
		return broken("status %s", resp.Status)
	}
	if f.kind == "poll" {
		return f.poll(conn, resp)
	}
	return f.stream(conn, resp)
}

// dial keeps the socket small where that is wanted.
func (f *follower) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if tcp, ok := c.(*net.TCPConn); ok && err == nil && f.window > 0 {
		err = tcp.SetReadBuffer(f.window)
	}
	return c, err
}

// shutOut waits for another session, if the old one has ended for a reason.
func (f *follower) shutOut(ctx context.Context, token string, fresh <-chan struct{}) error {
	if now, _ := f.p.bearer(); now == token && !f.p.isAway() {
		return broken("401 for a session that nobody ended")
	}
	select {
	case <-fresh:
		return errHop
	case <-ctx.Done():
		return ctx.Err()
	}
}

// gone is a poll's way to say reset.
func (f *follower) gone(conn *oracle.Conn, resp *http.Response) error {
	var problem struct{ Cursor int64 }
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, &problem); err != nil || f.kind != "poll" {
		return broken("410 %s", body)
	}
	return f.reset(conn, problem.Cursor)
}

func (f *follower) reset(conn *oracle.Conn, cursor int64) error {
	f.p.rec.brought(conn, oracle.Item{Kind: oracle.Reset, Cursor: cursor})
	f.p.rec.count("resets")
	f.pos = cursor
	if f.until != 0 && f.pos >= f.until {
		return errDone
	}
	return nil
}

func (f *follower) isOpen() {
	select {
	case <-f.opened:
	default:
		close(f.opened)
	}
}

// poll takes a long-poll's answer: it counts when all of it has come.
func (f *follower) poll(conn *oracle.Conn, resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var page struct {
		Events []json.RawMessage
		Cursor int64
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return broken("a poll is answered %.300s", body)
	}
	for _, raw := range page.Events {
		if err := f.take(conn, "", raw); err != nil {
			return err
		}
	}
	f.p.rec.brought(conn, oracle.Item{Kind: oracle.Beat, Cursor: page.Cursor})
	f.pos = page.Cursor
	f.isOpen()
	if f.until != 0 && f.pos >= f.until {
		return errDone
	}
	return errHop
}

// stream takes what comes, frame by frame, until the connection ends.
func (f *follower) stream(conn *oracle.Conn, resp *http.Response) error {
	left := -1
	if f.hop > 0 {
		left = 1 + f.dice.IntN(f.hop)
	}
	read := readSSE
	if f.kind == "ndjson" {
		read = readLines
	}
	return read(resp.Body, func(id string, data []byte) error {
		if err := f.take(conn, id, data); err != nil {
			return err
		}
		if left--; left == 0 {
			return errHop
		}
		return nil
	})
}

// event is what a follower reads of an event.
type event struct {
	ID     int64
	Type   string
	RoomID int64 `json:"room_id"`
	Data   struct {
		Cursor  int64
		Resumed bool
		Message struct{ Text string }
		Reason  string
	}
}

// take handles one event.
func (f *follower) take(conn *oracle.Conn, id string, data []byte) error {
	var e event
	if err := json.Unmarshal(data, &e); err != nil {
		return broken("no event: %.300q", data)
	}
	place := e.ID
	if place == 0 {
		place = e.Data.Cursor
	}
	if id != "" && id != fmt.Sprint(place) {
		return broken("the SSE id %s of %s", id, data)
	}
	note := func(kind oracle.Kind) {
		f.p.rec.brought(conn, oracle.Item{Kind: kind, Cursor: place, Room: e.RoomID, JSON: string(data)})
	}
	switch {
	case e.ID != 0:
		note(oracle.Event)
		f.pos = e.ID
		if f.held != nil {
			f.held()
		}
		if e.Data.Message.Text == theEnd && f.until == 0 || f.until != 0 && f.pos >= f.until {
			return errDone
		}
	case e.Type == "ready":
		note(oracle.Ready)
		if f.pos < 0 {
			f.pos = place
		} // else it is the position asked for, or the head, and a reset follows
		f.isOpen()
	case e.Type == "heartbeat":
		note(oracle.Beat)
		f.pos = place
		if f.until != 0 && f.pos >= f.until {
			return errDone
		}
	case e.Type == "reset":
		return f.reset(conn, place)
	case e.Type == "session.ended":
		note(oracle.Ended)
		f.p.rec.count("sessions ended: " + e.Data.Reason)
	default:
		note(oracle.Whisper)
	}
	return nil
}

// readSSE reads whole messages: a message without its empty line is none.
func readSSE(r io.Reader, give func(id string, data []byte) error) error {
	var id string
	var data []byte
	return wholeLines(r, func(line []byte) error {
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "id":
			id = string(value)
		case "data":
			data = append(data, value...)
		case "event":
			return broken("a browser's onmessage would not get %s", line)
		case "":
			if len(line) > 0 || data == nil {
				return nil // a comment, or nothing
			}
			whole, of := data, id
			id, data = "", nil
			return give(of, whole)
		}
		return nil
	})
}

func readLines(r io.Reader, give func(id string, data []byte) error) error {
	return wholeLines(r, func(line []byte) error { return give("", line) })
}

func wholeLines(r io.Reader, take func(line []byte) error) error {
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return err
		}
		if err := take([]byte(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
}
