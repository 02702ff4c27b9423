package tests

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"parley/client"
)

// theEnd is the text of the last message in the lobby: who gets it has got everything.
const theEnd = "that was all"

// follower makes connections for one reader until the last message came.
type follower struct {
	*reader
	ledger *ledger
	server string
	client *client.Client
	stream *client.Client // has no token where there is a ticket
	ticket *string
	dice   *rand.Rand
	after  int64 // the cursor; -1: none yet
	cut    bool  // break connections off at any byte
	away   bool  // stay away for a while after each
	tap    bool  // the ledger trusts it to be live
	types  []client.EventType
	rooms  []string
	opened chan struct{} // closed when the first connection is open
	ended  bool          // by session.ended
}

func newFollower(name string, p *person, seed uint64) *follower {
	return &follower{
		reader: &reader{name: fmt.Sprintf("%s of user %d", name, p.id), user: p.id},
		ledger: p.town.ledger, server: p.town.server, client: p.quiet, stream: p.quiet,
		dice: rand.New(rand.NewPCG(seed, uint64(p.id))), after: -1, opened: make(chan struct{}),
	}
}

// run follows by connections of one kind until nothing is to come any more, and hands the reader over.
func (f *follower) run(ctx context.Context, connect func(context.Context) error) error {
	f.begin()
	for f.end == 0 && !f.ended {
		err := connect(ctx)
		if err != nil && !errors.Is(err, errCut) {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s at %d, waiting for the end: %w", f.name, f.after, ctx.Err())
		}
		if f.away && f.end == 0 {
			f.ledger.await(ctx, f.ledger.highest()+f.dice.Int64N(80))
		}
	}
	f.ledger.ended(f.reader)
	return nil
}

func (f *follower) begin() {
	if f.after >= 0 {
		f.start = f.after
	}
}

// open notes a connection that is about to be made. What the rooms' cursor covers had happened
// before.
func (f *follower) open(ctx context.Context) error {
	if n := len(f.conns); n > 0 && f.ledger.isOver() {
		f.conns = append(f.conns, opening{f.after, f.conns[n-1].mark, f.conns[n-1].deletions})
		return nil
	}
	one, deletions := 1, f.ledger.deletions()
	resp, err := f.client.ListRoomsWithResponse(ctx, &client.ListRoomsParams{Limit: &one})
	if err != nil {
		return err
	}
	if resp.JSON200 == nil {
		return client.Check(resp.HTTPResponse, resp.Body)
	}
	f.conns = append(f.conns, opening{f.after, resp.JSON200.Cursor, deletions})
	return nil
}

// position is the cursor as a parameter.
func (f *follower) position() *string {
	if f.after < 0 {
		return nil
	}
	return new(strconv.FormatInt(f.after, 10))
}

// sse makes one connection of server-sent events.
func (f *follower) sse(ctx context.Context) error {
	if err := f.open(ctx); err != nil {
		return err
	}
	params := &client.StreamEventsParams{Types: f.types, Rooms: f.rooms, Ticket: f.ticket}
	if f.after >= 0 && f.dice.IntN(2) == 0 {
		params.LastEventID = f.position()
		params.After = new("0") // the header wins
	} else {
		params.After = f.position()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := f.stream.StreamEvents(ctx, params)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return f.read(resp, readSSE)
}

// lines makes one connection of JSON lines.
func (f *follower) lines(ctx context.Context) error {
	if err := f.open(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	resp, err := f.stream.StreamNDJSON(ctx, &client.StreamNDJSONParams{
		After: f.position(), Types: f.types, Rooms: f.rooms,
	})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return f.read(resp, readLines)
}

// read takes the events of a connection until it ends, which is always an error but for the end of all.
func (f *follower) read(resp *http.Response, read func(io.Reader, func(id string, data []byte) error) error) error {
	if resp.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(resp.Body)
		return client.Check(resp, body)
	}
	body := io.Reader(resp.Body)
	if f.cut {
		body = &scissors{body, 200 + f.dice.IntN(20_000)}
	}
	first := true
	err := read(body, func(id string, data []byte) error {
		e, err := parseEntry(data)
		if err != nil {
			return err
		}
		if first != (e.kind == client.EventTypeReady) {
			return broken("%s out of place", data)
		}
		first = false
		return f.take(e, id)
	})
	switch {
	case errors.Is(err, errDone) || f.ended:
		return nil
	case err == nil:
		return errClosed
	}
	return err
}

var (
	errDone   = errors.New("the end has come")
	errCut    = errors.New("cut off")
	errClosed = errors.New("the server closed the stream")
	errBroken = errors.New("broken promise")
)

// broken is an error that no failure of the network explains.
func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errBroken, fmt.Sprintf(format, args...))
}

// take notes one event of a stream.
func (f *follower) take(e entry, sseID string) error {
	if e.id != 0 {
		if sseID != "" && sseID != strconv.FormatInt(e.id, 10) {
			return broken("event %d has the SSE id %s", e.id, sseID)
		}
		return f.durable(e)
	}
	cursor := e.data.Cursor
	switch e.kind {
	case client.EventTypeReady:
		return f.ready(cursor)
	case client.EventTypeHeartbeat:
		if cursor < f.after {
			return broken("a heartbeat at %d after %d", cursor, f.after)
		}
		f.beats = append(f.beats, beat{cursor, len(f.got)})
		f.after = cursor
	case client.EventTypeReset:
		return broken("reset: %s", e.raw)
	case client.EventTypeSessionEnded:
		f.ended = true
	}
	return nil
}

func (f *follower) ready(cursor int64) error {
	if f.after >= 0 && cursor != f.after {
		return broken("ready at %d, asked for %d", cursor, f.after)
	}
	if f.after < 0 {
		f.start, f.after = cursor, cursor
	}
	f.isOpen()
	return nil
}

func (f *follower) isOpen() {
	select {
	case <-f.opened:
	default:
		close(f.opened)
	}
}

func (f *follower) durable(e entry) error {
	f.got = append(f.got, arrival{e.id, len(f.conns) - 1, e.tomb()})
	f.ledger.saw(f.name, e)
	if f.tap {
		f.ledger.tap(f.user, e.id)
	}
	f.after = e.id
	if e.data.Message.Text == theEnd {
		f.end = e.id
		return errDone
	}
	return nil
}

// poll makes one long-poll. Its answer may be lost.
func (f *follower) poll(ctx context.Context) error {
	if err := f.open(ctx); err != nil {
		return err
	}
	limit, wait := 1+f.dice.IntN(40), f.dice.IntN(3)
	params := &client.PollEventsParams{Limit: &limit, Wait: &wait, Types: f.types, Rooms: f.rooms}
	if f.after >= 0 {
		params.After = &f.after
	} else {
		wait = 0
	}
	page, err := f.pollOnce(ctx, params)
	if err != nil {
		return err
	}
	if f.cut && f.dice.IntN(4) == 0 {
		return errCut
	}
	if len(page.Events) > limit {
		return broken("%d events, at most %d were asked for", len(page.Events), limit)
	}
	if f.after < 0 {
		f.start = page.Cursor
	}
	for _, raw := range page.Events {
		e, err := parseEntry(raw)
		if err != nil {
			return err
		}
		if e.id == 0 {
			return broken("a poll gave %s", raw)
		}
		if err := f.durable(e); err != nil {
			break // the end: nothing can follow it
		}
	}
	if page.Cursor < f.after {
		return broken("the cursor %d is before the event %d", page.Cursor, f.after)
	}
	f.after = page.Cursor
	f.beats = append(f.beats, beat{page.Cursor, len(f.got)})
	f.isOpen()
	return nil
}

type pollPage struct {
	Events []json.RawMessage `json:"events"`
	Cursor int64             `json:"cursor"`
	More   bool              `json:"more"`
}

func (f *follower) pollOnce(ctx context.Context, params *client.PollEventsParams) (page pollPage, err error) {
	resp, err := f.client.PollEvents(ctx, params)
	if err != nil {
		return page, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return page, err
	}
	if err := client.Check(resp, body); err != nil {
		return page, err
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return page, broken("decode %q: %v", body, err)
	}
	return page, nil
}

// iterate follows by the client's own iterator, over connections that are cut.
func (f *follower) iterate(ctx context.Context) error {
	c, err := client.New(f.server, client.WithToken(f.client.Token()), client.WithHTTPClient(&http.Client{
		Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			if err := f.open(req.Context()); err != nil {
				return nil, err
			}
			resp, err := plain.RoundTrip(req)
			if err == nil {
				// Ever longer: the client waits up to two seconds after each cut.
				resp.Body = &cutBody{resp.Body, scissors{resp.Body, 500 + f.dice.IntN(4000<<min(len(f.conns), 12))}}
			}
			return resp, err
		}),
	}))
	if err != nil {
		return err
	}
	opts := client.EventsOptions{Wait: time.Millisecond, MaxWait: time.Second}
	if f.after >= 0 {
		opts.After = &f.after
	}
	for e, err := range c.Events(ctx, opts) {
		if err != nil {
			return err
		}
		parsed, err := parseEntry(e.Raw)
		if err != nil {
			return err
		}
		if parsed.kind == client.EventTypeReady {
			if f.after < 0 {
				f.start, f.after = parsed.data.Cursor, parsed.data.Cursor
			}
			f.isOpen()
			continue
		}
		if err := f.take(parsed, ""); errors.Is(err, errDone) {
			return nil
		} else if err != nil {
			return err
		}
		if e.Cursor != f.after {
			return broken("event %s with the cursor %d", e.Raw, e.Cursor)
		}
	}
	return errors.New("the iterator ended without an error")
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// scissors cut a body off after some bytes, in the middle of whatever is there.
type scissors struct {
	r    io.Reader
	left int
}

func (s *scissors) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, errCut
	}
	n, err := s.r.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}

type cutBody struct {
	io.Closer
	scissors
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
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := take([]byte(strings.TrimSuffix(line, "\n"))); err != nil {
			return err
		}
	}
}
