package broker

import (
	"strconv"

	"parley/models"
)

// Format is how a stream writes its events.
type Format int

// The formats.
const (
	SSE    Format = iota // unnamed messages of text/event-stream
	NDJSON               // one JSON on each line
)

// entry is an event with its SSE message, encoded once and shared by everybody who sends it.
// JSON is a part of frame, and so is the NDJSON line.
type entry struct {
	models.Event
	frame []byte
}

// newEntry frames e. An internal event has no frame: it is there for its Change only.
func newEntry(e models.Event) *entry {
	if e.Audience.Kind == models.ToNone {
		e.JSON = nil
		return &entry{Event: e}
	}
	return newFrame(e, true)
}

// newFrame frames e with its id, or as an event that has none.
func newFrame(e models.Event, hasID bool) *entry {
	frame := appendSSE(make([]byte, 0, len(e.JSON)+len("id: \ndata: \n\n")+20), e.ID, hasID, e.JSON)
	end := len(frame) - len("\n\n")
	e.JSON = frame[end-len(e.JSON) : end : end]
	return &entry{Event: e, frame: frame}
}

// bytes is the event as the format has it.
func (e *entry) bytes(f Format) []byte {
	if f == NDJSON {
		end := len(e.frame) - 1
		return e.frame[end-len(e.JSON)-1 : end : end]
	}
	return e.frame
}

// appendSSE appends one SSE message. json must hold no line break, which json.Marshal sees to.
func appendSSE(b []byte, id int64, hasID bool, json []byte) []byte {
	if hasID {
		b = append(b, "id: "...)
		b = strconv.AppendInt(b, id, 10)
		b = append(b, '\n')
	}
	b = append(b, "data: "...)
	b = append(b, json...)
	return append(b, "\n\n"...)
}
