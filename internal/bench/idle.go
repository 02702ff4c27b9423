package bench

import (
	"context"
	"errors"
	"time"
)

// roomSize is how many streams share a room where nothing is said of it.
const roomSize = 100

// idle is streams that are only open.
type idle struct{ streams int }

func (i idle) run(ctx context.Context, r *run) error {
	fresh, err := r.memory(ctx)
	if err != nil {
		return err
	}
	c := cast{streams: i.streams, rooms: max(1, i.streams/roomSize), accounts: 1, size: r.args.Bytes}
	if err := r.target.prepare(ctx, c); err != nil {
		return err
	}
	known, err := r.memory(ctx)
	if err != nil {
		return err
	}
	all := listeningAll(r.target, c.streams)
	crowd := newCrowd(all, newLedger(0, owed(all, c.rooms)))
	defer crowd.close()
	if err := errors.Join(crowd.open(ctx), crowd.quiet(ctx, r.silence())); err != nil { // no message ever came
		return err
	}
	before, err := cpuOf(r.target.pid())
	if err != nil {
		return err
	}
	began := time.Now()
	open, err := r.memory(ctx)
	if err != nil {
		return err
	}
	after, err := cpuOf(r.target.pid())
	if err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	n := float64(c.streams)
	r.emit(result{},
		figure{"bytes_each", "bytes each", float64(open-fresh) / n, less},
		figure{"bytes_stream_alone", "… without session", float64(open-known) / n, less},
		figure{"cpu_ms_per_s", "CPU ms a second", ms(after-before) / took, less})
	return nil
}

// memory is the least of what the peer holds over the time that is measured.
func (r *run) memory(ctx context.Context) (least int64, err error) {
	const samples = 5
	for range samples {
		if err := pause(ctx, r.seconds()/samples); err != nil {
			return 0, err
		}
		bytes, err := memoryOf(r.target.pid())
		if err != nil {
			return 0, err
		}
		if least == 0 || bytes < least {
			least = bytes
		}
	}
	return least, nil
}
