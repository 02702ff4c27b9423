package broker

import (
	"time"

	"parley/models"
)

// beats is how many ticks make Options.Heartbeat. A write falls between two ticks, so that one more
// must pass before the stream was quiet for all of it: never early, and late by a tick at most.
const beats = 16

// heartLoop is the pacemaker: one ticker for all streams.
func (b *Broker) heartLoop() {
	ticker := time.NewTicker(max(b.opt.Heartbeat/beats, 1))
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			b.index.beat(b.ticks.Add(1))
			b.sweepBoard()
			b.whispers.sweep(b.opt.Clock())
		case <-b.stop:
			return
		}
	}
}

// beat asks all quiet streams for a heartbeat.
func (x *index) beat(tick int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, subs := range x.sessions {
		for _, s := range subs {
			if !s.waiter && s.quiet(tick) && !s.beat.Swap(true) {
				s.nudge()
			}
		}
	}
}

func (s *subscriber) quiet(tick int64) bool { return tick-s.wrote.Load() > beats }

// heartbeat writes one if it was asked for and the stream is still quiet. The turn began with
// take, so that the cursor is past what concerned others too.
func (s *Stream) heartbeat() error {
	if !s.beat.Swap(false) || !s.quiet(s.broker.ticks.Load()) {
		return nil
	}
	return s.writeControl(control{
		kind: models.Heartbeat, cursor: s.cursor, hasID: true,
		data: models.HeartbeatData{Cursor: s.cursor},
	})
}
