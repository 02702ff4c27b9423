package bench

import (
	"context"
	"errors"
	"slices"
)

// fanout is messages from some senders to many streams.
type fanout struct {
	cast
	connections int // of each account
	pace        func() pace
}

func (f fanout) run(ctx context.Context, r *run) error {
	f.size = r.args.Bytes
	if err := r.target.prepare(ctx, f.cast); err != nil {
		return err
	}
	all := listeningAll(r.target, f.streams)
	l := newLedger(f.accounts*f.connections, owed(all, f.rooms))
	c := newCrowd(all, l)
	defer c.close()
	if err := c.begin(ctx, r.target, f.cast, r.silence()); err != nil {
		return err
	}
	o, err := openOffice(ctx, r.target, f.cast, f.connections, l)
	if err != nil {
		return err
	}
	defer o.close()
	sending := o.start(ctx, f.pace())
	w, err := r.during(ctx, r.target, l, c, o.answered.Load)
	if err = errors.Join(sending.stop(), err); err != nil {
		return err
	}
	if err := c.drain(ctx, r.silence()); err != nil {
		return err
	}
	c.close()
	r.emit(result{faults: c.check(), messages: o.answered.Load(), deliveries: c.deliveries()}, slices.Concat([]figure{
		{"cpu_s_per_million_deliveries", "CPU-s per 1M", w.each(w.deliveries), less},
		{"deliveries_per_s", "deliveries/s", w.rate(w.deliveries), more},
		{"cpu_us_per_send", "CPU µs a send", w.each(w.messages), less},
		{"messages_per_s", "messages/s", w.rate(w.messages), more},
	}, percentiles("", c.took()), []figure{
		{"load_cpu_s_per_million_deliveries", "load's CPU-s per 1M", micros(w.load) / float64(w.deliveries), neither},
	})...)
	return nil
}

func listeningAll(t target, n int) []listening {
	all := make([]listening, n)
	for i := range all {
		all[i] = t.listening(i)
	}
	return all
}
