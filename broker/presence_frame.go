package broker

import (
	"sync"

	"parley/models"
)

// presenceFrame is what a stream needs to write a frame of presence, and for no longer: when everybody comes back, all
// streams write such frames.
type presenceFrame struct {
	found []posted
	frame []byte
}

var presenceFrames = sync.Pool{New: func() any { return new(presenceFrame) }}

// The longest frame, in bytes, and the most notices whose memory is kept for the next one: 64 KiB each.
const (
	presenceFrameMost   = 64 << 10
	presenceNoticesMost = 4 << 10
)

func (c *presenceFrame) putBack() {
	clear(c.found)
	if cap(c.frame) <= presenceFrameMost && cap(c.found) <= presenceNoticesMost {
		presenceFrames.Put(c)
	}
}

// draw makes the frame of what the stream was not told yet, none where that is nothing.
func (c *presenceFrame) draw(s *Stream) (seen int64, more bool) {
	c.frame = c.frame[:0]
	if s.format == SSE {
		c.frame = append(c.frame, "data: "...)
	}
	e := models.Event{At: models.At(s.broker.opt.Clock()), Type: models.PresenceChanged}
	c.frame = append(e.Begin(c.frame), `{"users":[`...)
	n, seen, more := s.broker.board.tell(c, s.ownRooms(), s.seen.Load(), cryUsers)
	if n == 0 {
		c.frame = c.frame[:0]
		return seen, more
	}
	c.frame = append(c.frame, "]}}\n"...)
	if s.format == SSE {
		c.frame = append(c.frame, '\n')
	}
	return seen, more
}
