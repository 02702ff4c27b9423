package bench

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	openers = 256                    // streams that are being opened at once
	quiet   = 500 * time.Millisecond // without anything on any stream is quiet
	settle  = time.Minute            // the longest that quiet is waited for
	stuck   = 30 * time.Second       // without any progress, the rest does not come
)

// crowd is all streams of a run.
type crowd struct {
	streams []*stream
	ledger  *ledger
}

func newCrowd(all []listening, to *ledger) *crowd {
	c := &crowd{ledger: to}
	for _, l := range all {
		c.streams = append(c.streams, newStream(l, to))
	}
	return c
}

// owed counts the streams of each room.
func owed(all []listening, rooms int) []int32 {
	n := make([]int32, rooms)
	for _, l := range all {
		n[l.room]++
	}
	return n
}

// open opens all of them.
func (c *crowd) open(ctx context.Context) error {
	return each(ctx, openers, len(c.streams), func(ctx context.Context, i int) error { return c.streams[i].open(ctx) })
}

// begin opens all of them, makes sure that each hears what is sent, and waits until it is quiet. A server may answer before
// it has put the stream on its list: then what is not counted is sent until it has come.
func (c *crowd) begin(ctx context.Context, t target, with cast, silence time.Duration) error {
	if err := c.open(ctx); err != nil {
		return err
	}
	for end := time.Now().Add(settle); ; {
		deaf := map[int]bool{}
		for _, s := range c.streams {
			if !s.heeds.Load() {
				deaf[s.room] = true
			}
		}
		if len(deaf) == 0 {
			return c.quiet(ctx, silence)
		}
		if time.Now().After(end) {
			return fmt.Errorf("streams of %d rooms are open and hear nothing", len(deaf))
		}
		if err := callOut(ctx, t, with, deaf); err != nil {
			return err
		}
		if err := pause(ctx, silence/5); err != nil {
			return err
		}
	}
}

// callOut sends something without a number to some rooms.
func callOut(ctx context.Context, t target, with cast, rooms map[int]bool) error {
	s := &sender{addr: t.address()}
	if err := s.open(ctx); err != nil {
		return err
	}
	defer s.close()
	for room := range rooms {
		l := t.letter(room%with.accounts, room)
		copy(l.text, bytes.Repeat([]byte("x"), len(l.text)))
		status, _, err := s.call(l.request)
		if err == nil && status/100 != 2 {
			err = fmt.Errorf("answered %d", status)
		}
		if err != nil {
			return fmt.Errorf("call out to a room: %w", err)
		}
	}
	return nil
}

func (c *crowd) close() {
	for _, s := range c.streams {
		if s.conn != nil {
			_ = s.conn.Close()
		}
	}
	for _, s := range c.streams {
		s.close()
	}
}

// deliveries is how many messages have come.
func (c *crowd) deliveries() (n int64) {
	for _, s := range c.streams {
		n += s.count.Load()
	}
	return n
}

// quiet waits until nothing comes for a while: what the opening itself causes is over then.
func (c *crowd) quiet(ctx context.Context, silence time.Duration) error {
	for end := time.Now().Add(settle); time.Now().Before(end); {
		heard := int64(0)
		for _, s := range c.streams {
			heard = max(heard, s.heard.Load())
		}
		if time.Since(time.Unix(0, heard)) > silence {
			return nil
		}
		if err := pause(ctx, silence/5); err != nil {
			return err
		}
	}
	return nil
}

// drain waits until everybody has everything, or nothing comes any more.
func (c *crowd) drain(ctx context.Context, silence time.Duration) error {
	if err := c.caughtUp(ctx); err != nil {
		return err
	}
	return c.quiet(ctx, silence) // what comes twice comes now
}

// caughtUp waits until everybody has everything that was accepted up to now, or nothing comes any more.
func (c *crowd) caughtUp(ctx context.Context) error {
	upTo := c.ledger.count()
	had, moved := c.deliveries(), time.Now()
	for !c.ledger.deliveredTo(upTo) {
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return err
		}
		if now := c.deliveries(); now != had {
			had, moved = now, time.Now()
		}
		if time.Since(moved) > stuck {
			return nil // the check counts what is missing
		}
	}
	return nil
}

// check is called after close.
func (c *crowd) check() (f faults) {
	byRoom := make([][][]uint32, len(c.ledger.owed))
	for _, s := range c.streams {
		byRoom[s.room] = append(byRoom[s.room], s.got)
	}
	for room, streams := range byRoom {
		f.add(c.ledger.check(room, streams))
	}
	return f
}

// took is how long deliveries took. It is called after close.
func (c *crowd) took() *histogram {
	all := &histogram{}
	for _, s := range c.streams {
		all.merge(&s.took)
	}
	return all
}

// each does something for 0 to n-1, so many at once, and ends with the first error.
func each(ctx context.Context, atOnce, n int, do func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(atOnce, n) {
		workers.Go(func() {
			for i := range next {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := 0; i < n && ctx.Err() == nil; i++ {
		select {
		case next <- i:
		case <-ctx.Done():
		}
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// pause is a sleep that ends with ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("given up: %w", ctx.Err())
	}
}
