package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// streamBody checks a stream as it flows through, without keeping any of it back.
type streamBody struct {
	io.ReadCloser
	where string
	check *streamCheck
}

// Read implements io.Reader.
func (b *streamBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if fault := b.check.feed(p[:n]); fault != nil {
		return 0, seen.fault("%s: %w", b.where, fault)
	}
	return n, err
}

// streamCheck holds the bytes of one stream against what api.md says of all streams.
type streamCheck struct {
	sse  bool
	line []byte

	data, id     string // of the SSE message that is being read
	hasData, has bool
	hasID        bool
	retried      bool

	events int
	last   int64 // the last durable id
	cursor int64 // the last position given as an SSE id
	ended  bool
}

func newStreamCheck(media string) *streamCheck {
	return &streamCheck{sse: media == "text/event-stream"}
}

func (c *streamCheck) feed(p []byte) error {
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			c.line = append(c.line, p...)
			return nil
		}
		c.line = append(c.line, p[:end]...)
		p = p[end+1:]
		err := c.take(string(c.line))
		c.line = c.line[:0]
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *streamCheck) take(line string) error {
	switch {
	case !c.sse:
		return c.event(line, "", false)
	case line != "":
		return c.field(line)
	case !c.has:
		return nil
	}
	data, id, hasData, hasID := c.data, c.id, c.hasData, c.hasID
	c.data, c.id, c.hasData, c.hasID, c.has = "", "", false, false, false
	if !hasData {
		if hasID {
			return fmt.Errorf("the id %q without an event", id)
		}
		return nil
	}
	return c.event(data, id, hasID)
}

// field reads one line of an SSE message: `event:` is not among those allowed, since a browser's
// onmessage would not get it.
func (c *streamCheck) field(line string) error {
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch name {
	case "data":
		if c.hasData {
			return errors.New("an event in two lines")
		}
		c.data, c.hasData, c.has = value, true, true
	case "id":
		c.id, c.hasID, c.has = value, true, true
	case "retry":
		ms, err := strconv.Atoi(value)
		if err != nil || ms < 500 || ms > 2000 {
			return fmt.Errorf("retry: %s", value)
		}
		c.retried = true
	case "": // a comment
	default:
		return fmt.Errorf("an SSE line %q", line)
	}
	return nil
}

// wireEvent is the envelope that all events share.
type wireEvent struct {
	ID   int64  `json:"id"`
	Type string `json:"type"`
	Data struct {
		Cursor int64 `json:"cursor"`
	} `json:"data"`
}

func (c *streamCheck) event(data, id string, hasID bool) error {
	if err := checkJSON([]byte(data)); err != nil {
		return fmt.Errorf("event %.500q: %w", data, err)
	}
	var raw any
	var e wireEvent
	if err := errors.Join(json.Unmarshal([]byte(data), &raw), json.Unmarshal([]byte(data), &e)); err != nil {
		return fmt.Errorf("event %.500q: %w", data, err)
	}
	if err := TheSpec().check("ChatEvent", raw); err != nil {
		return fmt.Errorf("event %.500q: %w", data, err)
	}
	c.events++
	if err := c.order(e); err != nil {
		return fmt.Errorf("event %.500q: %w", data, err)
	}
	if c.sse {
		return c.sseID(e, id, hasID)
	}
	return nil
}

// order holds the place of an event in its stream.
func (c *streamCheck) order(e wireEvent) error {
	switch {
	case (c.events == 1) != (e.Type == "ready"):
		return fmt.Errorf("number %d of the stream", c.events)
	case c.ended:
		return errors.New("after session.ended")
	case c.sse && !c.retried:
		return errors.New("before any retry")
	case e.ID != 0 && e.ID <= c.last:
		return fmt.Errorf("after the id %d", c.last)
	}
	switch e.Type {
	case "session.ended":
		c.ended = true
	case "reset", "heartbeat", "ready":
		if e.Type == "heartbeat" && e.Data.Cursor < c.cursor {
			return fmt.Errorf("after the cursor %d", c.cursor)
		}
		c.cursor = e.Data.Cursor
	}
	if e.ID != 0 {
		if e.ID <= c.cursor {
			return fmt.Errorf("after the cursor %d", c.cursor)
		}
		c.last, c.cursor = e.ID, e.ID
	}
	return nil
}

// sseID holds which events can be resumed from.
func (c *streamCheck) sseID(e wireEvent, id string, hasID bool) error {
	want := ""
	switch {
	case e.ID != 0:
		want = strconv.FormatInt(e.ID, 10)
	case e.Type == "ready" || e.Type == "heartbeat" || e.Type == "reset":
		want = strconv.FormatInt(e.Data.Cursor, 10)
	}
	if id != want || hasID != (want != "") {
		return fmt.Errorf("%s with the SSE id %q, want %q", e.Type, id, want)
	}
	return nil
}
