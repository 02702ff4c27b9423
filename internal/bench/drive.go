package bench

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// office is the connections that send in a run.
type office struct {
	senders  []*sender
	ledger   *ledger
	answered atomic.Int64
}

// openOffice connects the senders: each account has so many connections.
func openOffice(ctx context.Context, t target, c cast, connections int, to *ledger) (*office, error) {
	o := &office{ledger: to}
	for account := range c.accounts {
		for range connections {
			s := &sender{addr: t.address(), number: len(o.senders), ledger: to, rooms: c.writesTo(account)}
			for _, room := range s.rooms {
				s.letters = append(s.letters, t.letter(account, room))
			}
			o.senders = append(o.senders, s)
		}
	}
	if err := o.open(ctx); err != nil {
		o.close()
		return nil, err
	}
	return o, nil
}

func (o *office) open(ctx context.Context) error {
	return each(ctx, openers, len(o.senders), func(ctx context.Context, i int) error { return o.senders[i].open(ctx) })
}

func (o *office) close() {
	for _, s := range o.senders {
		s.close()
	}
}

// took is how long answers took. It is called when nobody sends any more.
func (o *office) took() *histogram {
	all := &histogram{}
	for _, s := range o.senders {
		all.merge(&s.took)
	}
	return all
}

// pace waits until a sender's next message may go, and gives when it was due; false ends the sender's work.
type pace func(ctx context.Context, s *sender) (due time.Time, again bool)

// work is what the senders do until they are stopped.
type work struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	mu     sync.Mutex
	err    error
}

// start lets all senders work until stop.
func (o *office) start(ctx context.Context, next pace) *work {
	ctx, cancel := context.WithCancel(ctx)
	w := &work{cancel: cancel}
	for _, s := range o.senders {
		w.done.Go(func() {
			for {
				due, again := next(ctx, s)
				if !again {
					return
				}
				if err := s.send(due); err != nil {
					w.fail(err)
					return
				}
				o.answered.Add(1)
			}
		})
	}
	return w
}

func (w *work) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	w.cancel()
}

// stop ends it, and waits for the answers to what is under way.
func (w *work) stop() error {
	w.cancel()
	w.done.Wait()
	return w.err
}

// wait is for work that ends by itself.
func (w *work) wait() error {
	w.done.Wait()
	w.cancel()
	return w.err
}

// openLoop sends so many messages a second whatever becomes of them: what is late counts from when it was due.
func openLoop(perSecond float64) pace {
	began, next := time.Now(), atomic.Int64{}
	return func(ctx context.Context, _ *sender) (time.Time, bool) {
		due := began.Add(time.Duration(float64(next.Add(1)) / perSecond * float64(time.Second)))
		return due, pause(ctx, time.Until(due)) == nil
	}
}

// closedLoop sends the next message when the last one is answered.
func closedLoop(ctx context.Context, _ *sender) (time.Time, bool) {
	return time.Now(), ctx.Err() == nil
}

// onceDelivered sends the next message when all streams have the last one.
func onceDelivered(ctx context.Context, s *sender) (time.Time, bool) {
	if s.turn > 0 {
		timer := time.NewTimer(stuck)
		defer timer.Stop()
		select {
		case <-s.ledger.all[s.number]:
		case <-ctx.Done():
		case <-timer.C: // somebody will never have it; the check tells who
			return time.Time{}, false
		}
	}
	return time.Now(), ctx.Err() == nil
}

// exactly sends so many messages in all, each when the one before is answered.
func exactly(n int) pace {
	left := atomic.Int64{}
	left.Store(int64(n))
	return func(ctx context.Context, _ *sender) (time.Time, bool) {
		return time.Now(), left.Add(-1) >= 0 && ctx.Err() == nil
	}
}

// fillers are the connections that store what is only to be there.
const fillers = 64

// fill sends so many messages, each connection in pieces of what a ledger can hold. Nothing of it is checked or measured.
func fill(ctx context.Context, t target, c cast, n int) error {
	connections := max(1, fillers/c.accounts)
	for n > 0 {
		part := min(n, most)
		o, err := openOffice(ctx, t, c, connections, newLedger(c.accounts*connections, make([]int32, c.rooms)))
		if err != nil {
			return err
		}
		err = o.start(ctx, exactly(part)).wait()
		o.close()
		if err != nil {
			return fmt.Errorf("store messages: %w", err)
		}
		n -= part
	}
	return ctx.Err()
}
