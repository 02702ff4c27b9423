package bench

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"sync"
	"time"

	"parley/internal/config"
)

// figure is one number that a run found.
type figure struct {
	Key    string // in JSON
	Label  string // in the table
	Value  float64
	Better better
}

// better says which way a figure should go.
type better int

const (
	less better = iota
	more
	neither // it is there to judge others by
)

// result is what one run of a workload on a peer found.
type result struct {
	workload, peer string
	round          int
	figures        []figure
	faults
	messages, deliveries int64
}

// run is a workload on a peer in one round.
type run struct {
	args     config.BenchArgs
	workload workload
	peer     peer
	round    int
	dir      string // the run's own
	target   target
	results  []result
	profiles sync.WaitGroup // that are being taken
	note     func(format string, values ...any)
}

// warmUp is the longest that the work runs before it is measured.
const warmUp = time.Second

func (r *run) seconds() time.Duration {
	return time.Duration(r.args.Seconds * float64(time.Second))
}

// silence is the time without anything coming that counts as quiet.
func (r *run) silence() time.Duration { return min(quiet, r.seconds()) }

// do starts the peer, runs the workload and ends the peer.
func (r *run) do(ctx context.Context) (err error) {
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.dir)) }()
	if r.target, err = r.peer.start(ctx, r.dir); err != nil {
		return err
	}
	err = r.workload.run(ctx, r)
	r.profiles.Wait()
	if ending := r.target.stop(); ctx.Err() == nil {
		err = errors.Join(err, ending)
	}
	if err != nil {
		return fmt.Errorf("%s on %s: %w", r.workload.name, r.peer.name(), err)
	}
	return nil
}

// emit keeps what a run, or one of several measurements in it, found.
func (r *run) emit(found result, figures ...figure) {
	found.workload, found.peer, found.round = r.workload.name, r.peer.name(), r.round+len(r.results)
	for _, f := range figures {
		if math.IsNaN(f.Value) || math.IsInf(f.Value, 0) {
			f.Value = 0 // too little was done to tell
		}
		found.figures = append(found.figures, f)
	}
	r.results = append(r.results, found)
}

// window is a time that is measured.
type window struct {
	took       time.Duration
	cpu        time.Duration // of the peer
	load       time.Duration // CPU of this process
	deliveries int64
	messages   int64 // that were answered
}

// during measures while something else goes on, after it has warmed up.
func (r *run) during(ctx context.Context, t target, l *ledger, c *crowd, answered func() int64) (window, error) {
	if err := pause(ctx, min(warmUp, r.seconds())); err != nil {
		return window{}, err
	}
	r.profile(ctx, t)
	l.measure()
	before, err := cpuOf(t.pid())
	if err != nil {
		return window{}, err
	}
	loadBefore, err := cpuAlone(os.Getpid())
	if err != nil {
		return window{}, err
	}
	w := window{deliveries: -c.deliveries(), messages: -answered()}
	began := time.Now()
	if err := pause(ctx, r.seconds()); err != nil {
		return window{}, err
	}
	after, err := cpuOf(t.pid())
	if err != nil {
		return window{}, err
	}
	loadAfter, err := cpuAlone(os.Getpid())
	w.took, w.cpu, w.load = time.Since(began), after-before, loadAfter-loadBefore
	w.deliveries += c.deliveries()
	w.messages += answered()
	return w, err
}

// profile takes one of Parley in the background, while it is measured.
func (r *run) profile(ctx context.Context, t target) {
	p, ok := t.(*runningParley)
	if !ok || p.pprof == "" || r.round > 1 {
		return
	}
	r.profiles.Go(func() {
		if err := p.profile(ctx, max(int(r.args.Seconds)-1, 1), r.workload.name); err != nil && ctx.Err() == nil {
			r.note("no profile: %v", err)
		}
	})
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// percentiles are the usual ones of some times.
func percentiles(of string, h *histogram) []figure {
	key, label := "", ""
	if of != "" {
		key, label = of+"_", of+" "
	}
	return []figure{
		{key + "p50_ms", label + "p50 ms", ms(h.at(0.5)), less},
		{key + "p95_ms", label + "p95 ms", ms(h.at(0.95)), less},
		{key + "p99_ms", label + "p99 ms", ms(h.at(0.99)), less},
		{key + "max_ms", label + "max ms", ms(h.longest), less},
	}
}

func (w window) rate(n int64) float64 { return float64(n) / w.took.Seconds() }

// each is the CPU time that one of n took, in µs.
func (w window) each(n int64) float64 { return micros(w.cpu) / float64(n) }

func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
