package broker

import (
	"context"
	"errors"
	"fmt"

	"parley/models"
)

// Sink is the client's end of a stream. Write sends p in one piece and flushes it; p is
// only borrowed, and shared with other streams: it must be neither kept nor changed. An error ends the
// stream; what p held then counts as not delivered.
type Sink interface {
	Write(p []byte) error
}

// Run is Open and Pump on one goroutine, until ctx ends at the latest.
func (s *Stream) Run(ctx context.Context, sink Sink) error {
	defer s.Close()
	bell := newBell()
	defer context.AfterFunc(ctx, func() { s.finish(&ending{err: ctx.Err()}) })()
	ended, err := s.Open(ctx, sink, bell)
	for !ended && err == nil {
		if s.rest() {
			<-bell
		}
		ended, err = s.turn(ctx)
	}
	return err
}

// Open writes the beginning to sink and, where that takes no reading of the log, what has come since. It is called
// once, before Rest and Pump. After an error or the end the caller closes the stream.
func (s *Stream) Open(ctx context.Context, sink Sink, host Host) (ended bool, err error) {
	s.out.sink, s.host = sink, host
	if err := s.open(); err != nil {
		return true, err
	}
	if s.behind {
		return false, nil // there is a nudge for it
	}
	return s.turn(ctx)
}

// Rest says, after Open, whether there is nothing to do: then the host is called when there is. Else Pump is to be
// run.
func (s *Stream) Rest() bool { return s.rest() }

// Pump writes what there is, until nothing is left or the stream ends. It answers ErrQuiet, and the host is called
// when there is something to do, perhaps before it returns; nil after session.ended, ErrClosed when the broker closes,
// ErrLeft after Leave, else the error of the sink or of the log, which is read with ctx. It holds no lock while it
// writes, and waits for nothing but the sink, unless it has told the host.
func (s *Stream) Pump(ctx context.Context) error {
	for {
		if ended, err := s.turn(ctx); ended || err != nil {
			s.host.Block()
			s.Close()
			return err
		}
		if s.rest() {
			return ErrQuiet
		}
	}
}

// Leave ends the stream from any goroutine: its reader has gone. What it is writing at this moment it goes on to
// write.
func (s *Stream) Leave() { s.finish(&ending{err: ErrLeft}) }

// turn does what there is to do after a wake. The end is looked at first: whatever was
// published before it has set its flag by then, and is delivered before the farewell.
// Events without an id are written between the two and the heartbeat.
func (s *Stream) turn(ctx context.Context) (ended bool, err error) {
	s.begin()
	end := s.end.Load()
	if end != nil && !errors.Is(end.err, ErrSessionEnded) {
		return true, end.err
	}
	if s.take() {
		if err := s.advance(ctx); err != nil {
			return true, err
		}
	}
	if end != nil {
		return true, s.writeControl(control{kind: models.SessionEnded, data: end.data})
	}
	if err := s.tellPresence(); err != nil {
		return true, err
	}
	if err := s.tellWhispers(); err != nil {
		return true, err
	}
	return false, s.heartbeat()
}

// advance delivers everything up to the head. The head is read after the flag was taken: an event
// published later sets the flag anew.
func (s *Stream) advance(ctx context.Context) error {
	h := s.broker.ring.head.Load()
	for s.behind || s.cursor < h {
		if !s.behind {
			if err := s.gather(h); err != nil {
				return err
			}
			continue
		}
		if err := s.catchUp(ctx); err != nil {
			return err
		}
		if s.behind { // cut short by the session's end
			return nil
		}
	}
	return nil
}

// gather writes what the ring holds for this stream up to h, in as few writes as may be.
func (s *Stream) gather(h int64) error {
	for e := s.next(h); e != nil; e = s.next(h) {
		if err := s.deliver(e); err != nil {
			return err
		}
	}
	return s.flush()
}

// deliver sends an event.
func (s *Stream) deliver(e *entry) error {
	if err := s.send(e.bytes(s.format)); err != nil {
		return err
	}
	s.out.events++
	return nil
}

func (s *Stream) send(frame []byte) error {
	if err := s.out.add(frame); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	return nil
}

// flush ends a run of sends; the stream is quiet from now on.
func (s *Stream) flush() error {
	if s.out.empty() {
		return nil
	}
	if err := s.out.flush(); err != nil {
		return fmt.Errorf("write events: %w", err)
	}
	s.wrote.Store(s.broker.ticks.Load())
	return nil
}
