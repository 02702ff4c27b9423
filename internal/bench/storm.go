package bench

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	behind    = 100              // messages that each stream has missed
	stormRate = 50               // messages a second meanwhile
	longest   = 10 * time.Minute // for all to be back

	stormConnections = 8 // of each sender
)

// storm is streams that all come back at once, each some messages behind, while others send.
type storm struct {
	streams int
	restart bool // of the server in between, which only Parley survives
}

func (s storm) run(ctx context.Context, r *run) error {
	rooms := max(1, s.streams/roomSize)
	c := cast{streams: s.streams, rooms: rooms, accounts: min(4, rooms), size: r.args.Bytes}
	if err := r.target.prepare(ctx, c); err != nil {
		return err
	}
	all := listeningAll(r.target, c.streams)
	l := newLedger(c.accounts*stormConnections, owed(all, c.rooms))
	crowd := newCrowd(all, l)
	defer crowd.close()
	if err := crowd.begin(ctx, r.target, c, r.silence()); err != nil {
		return err
	}
	calm, err := openOffice(ctx, r.target, c, stormConnections, l)
	if err != nil {
		return err
	}
	defer calm.close()
	sending := calm.start(ctx, openLoop(stormRate))
	if err := errors.Join(pause(ctx, r.seconds()), sending.stop(), crowd.drain(ctx, r.silence())); err != nil {
		return err
	}
	crowd.close()
	calm.close()
	if p, ok := r.target.(*runningParley); ok && s.restart {
		if err := p.startAgain(ctx); err != nil {
			return err
		}
	}
	return s.back(ctx, r, c, crowd, calm)
}

// back is the storm itself, after streams and senders have gone.
func (s storm) back(ctx context.Context, r *run, c cast, crowd *crowd, calm *office) error {
	if err := fillAll(ctx, r.target, c, crowd.ledger); err != nil {
		return err
	}
	meanwhile, err := openOffice(ctx, r.target, c, stormConnections, crowd.ledger)
	if err != nil {
		return err
	}
	defer meanwhile.close()
	pid := r.target.pid()
	resident, err := forgetPeak(pid)
	if err != nil {
		return err
	}
	before, err := cpuOf(pid)
	if err != nil {
		return err
	}
	r.profile(ctx, r.target)
	began, had := time.Now(), crowd.deliveries()
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	sending := meanwhile.start(ctx, openLoop(stormRate))
	err = crowd.open(ctx)
	if err == nil {
		err = crowd.caughtUp(ctx)
	}
	took := time.Since(began)
	if err = errors.Join(sending.stop(), err); err != nil {
		return fmt.Errorf("come back: %w", err)
	}
	if err := crowd.drain(ctx, r.silence()); err != nil {
		return err
	}
	after, err := cpuOf(pid)
	if err != nil {
		return err
	}
	peak, err := peakOf(pid)
	if err != nil {
		return err
	}
	crowd.close()
	n := float64(c.streams)
	quietly, storming := calm.took(), meanwhile.took()
	r.emit(result{faults: crowd.check(), messages: int64(crowd.ledger.count()), deliveries: crowd.deliveries()},
		figure{"back_s", "all back, s", took.Seconds(), less},
		figure{"cpu_ms_per_stream", "CPU ms a stream", ms(after-before) / n, less},
		figure{"replayed_per_s", "deliveries/s", float64(crowd.deliveries()-had) / took.Seconds(), more},
		figure{"peak_mb", "memory's growth, MB", float64(peak-resident) / (1 << 20), less},
		figure{"calm_p99_ms", "answer p99 ms before", ms(quietly.at(0.99)), less},
		figure{"storm_p50_ms", "answer p50 ms in it", ms(storming.at(0.5)), less},
		figure{"storm_p99_ms", "answer p99 ms in it", ms(storming.at(0.99)), less})
	return nil
}

// fillAll sends what the streams miss: so many messages to each room.
func fillAll(ctx context.Context, t target, c cast, l *ledger) error {
	o, err := openOffice(ctx, t, c, stormConnections, l)
	if err != nil {
		return err
	}
	defer o.close()
	return o.start(ctx, evenly(stormConnections, behind)).wait()
}

// evenly gives each room so many messages. The connections of an account share its rooms' messages.
func evenly(connections, each int) pace {
	return func(ctx context.Context, s *sender) (time.Time, bool) {
		share := each / connections
		if s.number%connections < each%connections {
			share++
		}
		return time.Now(), ctx.Err() == nil && s.turn < share*len(s.rooms)
	}
}
