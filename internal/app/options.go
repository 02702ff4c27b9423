package app

import (
	"log/slog"
	"time"

	"parley/chat"
)

// Options are what no operator sets: the logger, and what tests make smaller, faster or
// faulty. Zero values are the program's own.
type Options struct {
	Log      *slog.Logger     // nil: discarded
	Clock    func() time.Time // nil: time.Now
	HashCost chat.HashCost    // of a password

	BatchSize int // commands in one transaction at most
	QueueSize int // commands that may wait for the writer
	RingSize  int // events that the broker keeps in memory
	PageSize  int // events read from the log at once

	Heartbeat time.Duration // quiet after which a stream gets one
	Ping      time.Duration // how often a WebSocket's client is asked whether it is there
	Stall     time.Duration // time after which a reader that takes no byte is cut off
	Slide     time.Duration // how often it is looked which sessions are used by open streams
	BodyTime  time.Duration // time for a request's body, which grows with what of it has come
	// SlowCommit is from when on a transaction is a warning in the log; 0 is a second.
	SlowCommit time.Duration
	Spread     time.Duration // time over which a stop ends the streams; negative: at once
	Tidy       time.Duration // time between two rounds of the janitor; negative: none

	Connections int // at once; the open-file limit leaves room for so many

	// PlainStreams leaves streams in their handlers, also where their connection could be taken.
	PlainStreams bool

	// Fault makes the database fail; see store.Options.
	Fault func(op string) error
}

// defaultSpread is how long the streams of a stopping server take to end, so that
// their clients do not come to the next one all at once.
const defaultSpread = 2 * time.Second

// defaultSlide is far below the hour after which the use by an open stream is written down again.
const defaultSlide = time.Minute

// defaultTidy is the time between two rounds of the janitor.
const defaultTidy = time.Minute

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Stall == 0 {
		o.Stall = defaultStall
	}
	if o.Slide == 0 {
		o.Slide = defaultSlide
	}
	if o.BodyTime == 0 {
		o.BodyTime = defaultBodyTime
	}
	if o.Connections == 0 {
		o.Connections = mostConnections(openFileLimit())
	}
	if o.Tidy == 0 {
		o.Tidy = defaultTidy
	}
	switch {
	case o.Spread == 0:
		o.Spread = defaultSpread
	case o.Spread < 0:
		o.Spread = 0
	}
	return o
}
