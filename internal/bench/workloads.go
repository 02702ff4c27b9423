package bench

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"parley/internal/config"
)

// workload is one kind of work.
type workload struct {
	name, about string
	without     []string // peers that cannot do it
	fresh       bool     // it needs a database of its own
	once        bool     // it has all rounds in one run
	streams     int      // that are open at once
	run         func(ctx context.Context, r *run) error
}

// onlyParley leaves out who has no storage.
func onlyParley() []string { return []string{nameFloor, nameHijacked, nameNchan} }

// workloads gives all, in the order of the report.
func workloads(args config.BenchArgs) []workload {
	one := cast{streams: args.Streams, rooms: 1, accounts: 1}
	streams := thousands(float64(args.Streams)) + " streams of one room"
	open := func(perSecond float64) func() pace { return func() pace { return openLoop(perSecond) } }
	all := []workload{
		{
			name: "steady", about: streams + ", 50 messages a second", streams: args.Streams,
			run: fanout{cast: one, connections: 16, pace: open(50)}.run,
		},
		{
			name: "open", about: streams + ", 300 messages a second, late or not", streams: args.Streams,
			run: fanout{cast: one, connections: 64, pace: open(300)}.run,
		},
		{
			name: "bursts", about: streams + ", 4 senders with 32 messages under way each", streams: args.Streams,
			run: fanout{
				cast: cast{streams: args.Streams, rooms: 1, accounts: 4}, connections: 32,
				pace: func() pace { return onceDelivered },
			}.run,
		},
		{
			name: "closed", about: streams + ", the next message when all have the last", streams: args.Streams,
			run: fanout{cast: one, connections: 1, pace: func() pace { return onceDelivered }}.run,
		},
		{
			name: "rooms", about: thousands(float64(args.Rooms)) + " rooms of 2 streams, 500 messages a second in all", streams: 2 * args.Rooms,
			run: fanout{
				cast: cast{streams: 2 * args.Rooms, rooms: args.Rooms, accounts: min(4, args.Rooms)}, connections: 16, pace: open(500),
			}.run,
		},
		{name: "sends", about: fmt.Sprintf("%d senders, nobody listens", args.Senders), run: sends{args.Senders}.run},
		{name: "one", about: "one sender, nobody listens", run: sends{1}.run},
	}
	for _, n := range args.Idle {
		all = append(all, workload{
			name: fmt.Sprintf("%s-%d", allIdle, n), about: thousands(float64(n)) + " streams that are only open", streams: n, run: idle{n}.run,
		})
	}
	back := fmt.Sprintf("%s streams come back at once, each %d messages behind", thousands(float64(args.Back)), behind)
	return append(all,
		workload{
			name: "storm", about: back, streams: args.Back, run: storm{streams: args.Back}.run,
			without: []string{nameFloor, nameHijacked},
		},
		workload{
			name: "restart", about: "storm, with the server started anew", streams: args.Back,
			run: storm{streams: args.Back, restart: true}.run, without: onlyParley(),
		},
		workload{
			name: "history", streams: args.Streams / 10, run: history, without: onlyParley(),
			about: fmt.Sprintf("%d readers of old pages, beside %d messages a second", historyReaders, historyRate),
		},
		workload{
			name: "growth", run: growth, without: onlyParley(), once: true, fresh: true,
			about: fmt.Sprintf("sends, with %s and with %s messages stored", thousands(float64(args.Stored[0])), thousands(float64(args.Stored[1]))),
		},
	)
}

// allIdle stands for the idle streams of any number.
const allIdle = "idle"

// choose gives the workloads that the arguments name.
func choose(args config.BenchArgs) ([]workload, error) {
	all := workloads(args)
	if len(args.Workloads) == 0 {
		return all, nil
	}
	var chosen []workload
	for _, name := range args.Workloads {
		before := len(chosen)
		for _, w := range all {
			if w.name == name || name == allIdle && strings.HasPrefix(w.name, name) {
				chosen = append(chosen, w)
			}
		}
		if len(chosen) == before {
			return nil, &config.UsageError{Reason: fmt.Sprintf("there is no workload %q; see parley bench --list", name)}
		}
	}
	return chosen, nil
}

// cannot says why a workload is not run on a peer, if so.
func (w workload) cannot(p peer) (reason string) {
	parley, isParley := p.(*parley)
	switch {
	case slices.Contains(w.without, p.name()):
		return "it has no storage"
	case w.streams+reserved > fileLimit():
		return fmt.Sprintf("%d streams are more than the limit of open files (%d) lets be", w.streams, fileLimit())
	case w.fresh && isParley && parley.database != "":
		return "it needs two servers, each with a database of its own"
	default:
		return ""
	}
}

// reserved is how many files are kept for anything but streams.
const reserved = 1000
