package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"parley/internal/config"
)

// Host is what the program knows of itself.
type Host struct {
	Version string
}

// bench is one call of `parley bench`.
type bench struct {
	args   config.BenchArgs
	host   Host
	out    io.Writer
	notes  io.Writer
	dir    string
	peers  []peer
	report report
}

// Run measures, prints the tables to out and what goes on to notes. It is an error where a delivery was missing, doubled or out
// of order, and where nothing could be measured. When ctx ends it ends its children, and takes away what they wrote.
func Run(ctx context.Context, args config.BenchArgs, host Host, out, notes io.Writer) (err error) {
	chosen, err := choose(args)
	if err != nil {
		return err
	}
	if args.List {
		return list(chosen, out)
	}
	if runtime.GOOS != "linux" {
		return errors.New("parley bench reads /proc, which only Linux has")
	}
	b := &bench{args: args, host: host, out: out, notes: notes}
	if b.peers, err = peersOf(args, b.note); err != nil {
		return err
	}
	if len(b.peers) == 0 {
		return errors.New("there is nothing to measure")
	}
	if args.Dir == "" {
		args.Dir = diskDir()
	}
	if b.dir, err = os.MkdirTemp(args.Dir, "parley-bench-"); err != nil {
		return fmt.Errorf("%w (flag --dir)", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	b.report = report{
		Version: host.Version, Began: time.Now().UTC().Truncate(time.Second), System: kernel(), CPUs: runtime.NumCPU(),
		InMemory: inMemory(b.dir), Postgres: args.Database != "", Rounds: args.Rounds, Seconds: args.Seconds, Bytes: args.Bytes,
	}
	err = errors.Join(b.report.printHead(out), b.all(ctx, chosen))
	return errors.Join(err, b.report.write(args.JSON), b.report.fault())
}

// all runs the workloads, and prints each table when it is whole.
func (b *bench) all(ctx context.Context, chosen []workload) error {
	for _, w := range chosen {
		part := section{Workload: w.name, About: w.about}
		err := b.one(ctx, w, &part)
		if len(part.Runs) > 0 {
			part.compare()
			err = errors.Join(err, part.print(b.out))
			b.report.Workloads = append(b.report.Workloads, part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// one runs a workload in rounds. Each round begins with another peer, so that none is always first.
func (b *bench) one(ctx context.Context, w workload, to *section) error {
	var able []peer
	for _, p := range b.peers {
		if reason := w.cannot(p); reason == "" {
			able = append(able, p)
		} else if p.name() == nameParley {
			b.note("%s: left out: %s", w.name, reason)
		}
	}
	rounds := b.args.Rounds
	if w.once {
		rounds = 1
	}
	for round := range rounds {
		for turn := range able {
			p := able[(turn+round)%len(able)]
			b.note("%s, round %d of %d: %s", w.name, round+1, rounds, p.name())
			r := &run{
				args: b.args, workload: w, peer: p, round: round + 1, note: b.note,
				dir: filepath.Join(b.dir, fmt.Sprintf("%s-%d-%s", w.name, round+1, p.name())),
			}
			err := r.do(ctx)
			for _, found := range r.results {
				to.Runs = append(to.Runs, newRunReport(found))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// note tells what goes on.
func (b *bench) note(format string, values ...any) {
	fmt.Fprintf(b.notes, "parley bench: "+format+"\n", values...)
}

// list says what there is.
func list(all []workload, out io.Writer) error {
	rows := make([][]string, len(all))
	for i, w := range all {
		rows[i] = []string{w.name, w.about}
	}
	return align(out, rows)
}
