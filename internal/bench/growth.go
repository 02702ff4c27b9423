package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// growth is the same sends on a server that stores few messages and on one that stores many, in turn. It has all rounds in one
// run, since to store so many takes minutes.
func growth(ctx context.Context, r *run) (err error) {
	dir := filepath.Join(r.dir, "grown")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	grown, err := r.peer.start(ctx, dir)
	if err != nil {
		return err
	}
	defer func() {
		if ending := grown.stop(); ctx.Err() == nil {
			err = errors.Join(err, ending)
		}
	}()
	c := cast{rooms: 1, accounts: r.args.Senders, size: r.args.Bytes}
	targets := []target{r.target, grown}
	for i, t := range targets {
		if err := t.prepare(ctx, c); err != nil {
			return err
		}
		r.note("growth: storing %s messages", thousands(float64(r.args.Stored[i])))
		if err := fill(ctx, t, c, r.args.Stored[i]); err != nil {
			return err
		}
	}
	for round := range r.args.Rounds {
		var found [2]result
		var figures [2][]figure
		for turn := range targets {
			i := (turn + round) % len(targets)
			if found[i], figures[i], err = r.sends(ctx, targets[i], c); err != nil {
				return err
			}
		}
		found[0].add(found[1].faults)
		found[0].messages += found[1].messages
		r.emit(found[0], sideBySide(figures[0], figures[1], r.args.Stored)...)
	}
	return nil
}

// sideBySide gives the rate, the cost and the p99 of both, and how they stand to each other.
func sideBySide(few, many []figure, stored []int) (all []figure) {
	for i, f := range few {
		if f.Key != "answers_per_s" && f.Key != "cpu_us_per_send" && f.Key != "p99_ms" {
			continue
		}
		for j, g := range []figure{f, many[i]} {
			g.Key = fmt.Sprintf("%s_at_%d", f.Key, stored[j])
			g.Label = f.Label + ", " + short(stored[j])
			all = append(all, g)
		}
		all = append(all, figure{f.Key + "_grown", f.Label + ", grown ×", many[i].Value / f.Value, f.Better})
	}
	return all
}
