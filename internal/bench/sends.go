package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// sends is senders that nobody listens to, each with its next message when the last one is answered.
type sends struct{ accounts int }

func (s sends) run(ctx context.Context, r *run) error {
	c := cast{rooms: 1, accounts: s.accounts, size: r.args.Bytes}
	if err := r.target.prepare(ctx, c); err != nil {
		return err
	}
	before, err := syncRate(r.dir, min(warmUp, r.seconds())/2)
	if err != nil {
		return err
	}
	found, figures, err := r.sends(ctx, r.target, c)
	if err != nil {
		return err
	}
	after, err := syncRate(r.dir, min(warmUp, r.seconds())/2)
	if err != nil {
		return err
	}
	if _, durable := r.target.(*runningParley); durable {
		disk := (before + after) / 2
		figures = append(figures,
			figure{"disk_syncs_per_s", "fdatasync/s", disk, neither},
			figure{"answers_per_sync", "answers per sync", figures[0].Value / disk, more})
	}
	r.emit(found, figures...)
	return nil
}

// sends measures for a while, and looks afterwards whether what was answered is stored.
func (r *run) sends(ctx context.Context, t target, c cast) (result, []figure, error) {
	l := newLedger(c.accounts, make([]int32, c.rooms))
	before := int64(0)
	p, stores := t.(*runningParley)
	if stores {
		var err error
		if before, err = p.newest(ctx); err != nil {
			return result{}, nil, err
		}
	}
	o, err := openOffice(ctx, t, c, 1, l)
	if err != nil {
		return result{}, nil, err
	}
	defer o.close()
	sending := o.start(ctx, closedLoop)
	w, err := r.during(ctx, t, l, &crowd{ledger: l}, o.answered.Load)
	if err = errors.Join(sending.stop(), err); err != nil {
		return result{}, nil, err
	}
	found := result{messages: o.answered.Load()}
	if stores {
		if found.faults, err = p.stored(ctx, l, before); err != nil {
			return result{}, nil, err
		}
	}
	return found, slices.Concat([]figure{
		{"answers_per_s", "answers/s", w.rate(w.messages), more},
		{"cpu_us_per_send", "CPU µs a send", w.each(w.messages), less},
	}, percentiles("", o.took())), nil
}

// syncRate is how often a second the disk takes 4 KiB for good, one after the other.
func syncRate(dir string, d time.Duration) (perSecond float64, err error) {
	const page, pages = 4 << 10, 256
	file, err := os.Create(filepath.Join(dir, "disk"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if _, err := file.Write(make([]byte, page*pages)); err != nil {
		return 0, err
	}
	if err := syncData(file); err != nil {
		return 0, err
	}
	n, began := 0, time.Now()
	for time.Since(began) < d {
		if _, err := file.WriteAt(make([]byte, page), int64(n%pages)*page); err != nil {
			return 0, err
		}
		if err := syncData(file); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(began).Seconds(), nil
}
