package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

const (
	historyReaders = 8
	historyRate    = 50 // messages a second meanwhile
	historyPage    = 50
)

// history is members that read pages anywhere in a room's past, while others send and listen there.
func history(ctx context.Context, r *run) error {
	p, ok := r.target.(*runningParley)
	if !ok {
		return errors.New("only Parley has a history")
	}
	c := cast{streams: max(1, r.args.Streams/10), rooms: 1, accounts: 2, size: r.args.Bytes}
	if err := p.prepare(ctx, c); err != nil {
		return err
	}
	if err := fill(ctx, p, c, r.args.Stored[0]); err != nil {
		return err
	}
	newest, err := p.newest(ctx)
	if err != nil {
		return err
	}
	all := listeningAll(p, c.streams)
	l := newLedger(c.accounts*4, owed(all, c.rooms))
	crowd := newCrowd(all, l)
	defer crowd.close()
	if err := crowd.begin(ctx, p, c, r.silence()); err != nil {
		return err
	}
	o, err := openOffice(ctx, p, c, 4, l)
	if err != nil {
		return err
	}
	defer o.close()
	sending := o.start(ctx, openLoop(historyRate))
	reading := startReaders(ctx, p, newest)
	w, err := r.during(ctx, p, l, crowd, o.answered.Load)
	if err = errors.Join(reading.stop(), sending.stop(), err); err != nil {
		return err
	}
	if err := crowd.drain(ctx, r.silence()); err != nil {
		return err
	}
	crowd.close()
	r.emit(result{faults: crowd.check(), messages: o.answered.Load(), deliveries: crowd.deliveries()}, slices.Concat([]figure{
		{"pages_per_s", "pages/s", float64(reading.took.total) / reading.time.Seconds(), more},
	}, percentiles("page", &reading.took), []figure{
		{"messages_per_s", "messages/s", w.rate(w.messages), more},
		{"cpu_cores", "CPU cores", w.cpu.Seconds() / w.took.Seconds(), neither},
	}, percentiles("delivery", crowd.took()))...)
	return nil
}

// readers read pages of a history until they are stopped.
type readers struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
	began  time.Time

	mu   sync.Mutex
	took histogram
	time time.Duration
	err  error
}

func startReaders(ctx context.Context, p *runningParley, newest int64) *readers {
	ctx, cancel := context.WithCancel(ctx)
	r := &readers{cancel: cancel, began: time.Now()}
	for range historyReaders {
		r.done.Go(func() {
			took, err := readPages(ctx, p, newest)
			r.mu.Lock()
			defer r.mu.Unlock()
			r.took.merge(took)
			r.err = errors.Join(r.err, err)
		})
	}
	return r
}

func (r *readers) stop() error {
	r.cancel()
	r.done.Wait()
	r.time = time.Since(r.began)
	return r.err
}

// readPages reads one page after the other, each anywhere.
func readPages(ctx context.Context, p *runningParley, newest int64) (*histogram, error) {
	took := &histogram{}
	s := &sender{addr: p.addr}
	if err := s.open(ctx); err != nil {
		return took, err
	}
	defer s.close()
	for ctx.Err() == nil {
		request := fmt.Sprintf("GET /v1/rooms/%d/messages?limit=%d&before=%d HTTP/1.1\r\nHost: %s\r\n%s\r\n",
			p.rooms[0], historyPage, 1+rand.Int64N(newest), p.addr, bearer(p.say[1]))
		began := time.Now()
		status, _, err := s.call([]byte(request))
		if err != nil {
			return took, fmt.Errorf("read a page: %w", err)
		}
		if status != 200 {
			return took, fmt.Errorf("a page is answered %d", status)
		}
		took.add(time.Since(began))
	}
	return took, nil
}
