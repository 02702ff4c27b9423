package broker

import (
	"fmt"
	"math/rand/v2"

	"parley/models"
)

// control is a frame of one stream: no id in the JSON, but an SSE id where it names a cursor.
type control struct {
	kind   models.EventType
	cursor int64
	hasID  bool
	data   any
}

// open writes the beginning: `retry`, ready and, if need be, reset, in one write. The reconnects
// of many clients are spread by `retry`.
func (s *Stream) open() error {
	var b []byte
	if s.format == SSE {
		b = fmt.Appendf(b, "retry: %d\n", 500+rand.IntN(1501))
	}
	b, err := s.appendControl(b, control{
		kind: models.Ready, cursor: s.cursor, hasID: true,
		data: models.ReadyData{Cursor: s.cursor, User: s.user, Resumed: s.resumed},
	})
	if err != nil {
		return err
	}
	if s.reset {
		if b, err = s.appendControl(b, s.resetFrame()); err != nil {
			return err
		}
	}
	if err := s.send(b); err != nil {
		return err
	}
	return s.flush()
}

// resetFrame tells that what lay before the cursor is lost to this client: it loads what it
// shows anew and goes on from the cursor.
func (s *Stream) resetFrame() control {
	return control{
		kind: models.Reset, cursor: s.cursor, hasID: true,
		data: models.ResetData{Oldest: s.oldest, Cursor: s.cursor},
	}
}

// writeControl writes one control frame.
func (s *Stream) writeControl(c control) error {
	b, err := s.appendControl(nil, c)
	if err != nil {
		return err
	}
	if err := s.send(b); err != nil {
		return err
	}
	return s.flush()
}

func (s *Stream) appendControl(b []byte, c control) ([]byte, error) {
	e := models.Event{At: models.At(s.broker.opt.Clock()), Type: c.kind}
	if err := e.Encode(c.data); err != nil {
		return nil, err
	}
	return s.appendFrame(b, &e, c.cursor, c.hasID), nil
}

func (s *Stream) appendFrame(b []byte, e *models.Event, cursor int64, hasID bool) []byte {
	if s.format == NDJSON {
		return append(append(b, e.JSON...), '\n')
	}
	return appendSSE(b, cursor, hasID, e.JSON)
}
