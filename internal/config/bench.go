package config

import (
	"fmt"
	"slices"
	"strings"
)

// BenchArgs is what `parley bench` is told. None of it has a variable: what configures a server must not reach the
// servers that are measured.
type BenchArgs struct {
	List      bool     `typed:"only" help:"List the workloads and what each measures, and end."`
	Rounds    int      `typed:"only" default:"3" placeholder:"N" help:"How often each workload is run on each peer, in turn."`
	Seconds   float64  `typed:"only" default:"5" placeholder:"N" help:"How long each run measures, once the work has gone on for a second, or for as long."`
	Peers     []string `typed:"only" default:"parley,floor,nchan" placeholder:"NAME" help:"Whom to measure: parley, floor (a bare net/http fan-out), hijacked (the floor without net/http's buffers), nchan (nginx)."`
	Streams   int      `typed:"only" default:"1000" placeholder:"N" help:"Streams that everything is sent to."`
	Rooms     int      `typed:"only" default:"1000" placeholder:"N" help:"Rooms of two streams each."`
	Senders   int      `typed:"only" default:"64" placeholder:"N" help:"Senders at once where many send."`
	Idle      []int    `typed:"only" default:"5000,10000" placeholder:"N" help:"Streams that are only open."`
	Back      int      `typed:"only" default:"10000" placeholder:"N" help:"Streams that come back at once."`
	Stored    []int    `typed:"only" default:"10000,1000000" placeholder:"N" help:"Messages stored before growth is measured: few, many."`
	Bytes     int      `typed:"only" default:"200" placeholder:"N" help:"Size of a message's text."`
	Dir       string   `typed:"only" placeholder:"DIR" help:"Where the data of the servers go while they run. Without it: a directory for temporary files that is on a disk."`
	Database  Secret   `typed:"only" placeholder:"URL" help:"postgres:// URL of an empty database for Parley, which is left full. Without it: SQLite."`
	Against   string   `typed:"only" placeholder:"PROGRAM" help:"Another build of Parley to measure beside this one."`
	Profiles  string   `typed:"only" placeholder:"DIR" help:"Keep a CPU profile of Parley for each workload here; it costs a little."`
	JSON      string   `typed:"only" name:"json" placeholder:"FILE" help:"Write each run's figures here as JSON."`
	Workloads []string `arg:"" optional:"" placeholder:"WORKLOAD" help:"What to run, such as steady bursts; see --list. Without it: everything, about half an hour."`
}

// FloorArgs is what the hidden `parley bench-floor` is told: the peer that is built in, as a process of its own.
type FloorArgs struct {
	Hijack bool `typed:"only" help:"Take the connections from net/http."`
}

// benchPeers are the names that --peers takes.
var benchPeers = []string{"parley", "floor", "hijacked", "nchan"}

// Check says what is wrong with the arguments, as a UsageError. It bounds all that takes time or room.
func (a BenchArgs) Check() error {
	for _, r := range []reason{
		{"rounds", checkRange(a.Rounds, 1, 100)},
		{"seconds", onlyIf(a.Seconds >= 0.05 && a.Seconds <= 600, "must be from 0.05 to 600")},
		{"peers", checkPeers(a.Peers)},
		{"streams", checkRange(a.Streams, 1, 100_000)},
		{"rooms", checkRange(a.Rooms, 1, 10_000)},
		{"senders", checkRange(a.Senders, 1, 1000)},
		{"idle", checkEach(a.Idle, 1, 100_000)},
		{"back", checkRange(a.Back, 1, 100_000)},
		{"stored", checkEach(a.Stored, 1, 20_000_000)},
		{"stored", onlyIf(len(a.Stored) == 2 && a.Stored[0] < a.Stored[1], "must be two numbers, the smaller first")},
		{"bytes", checkRange(a.Bytes, 32, 16_384)},
		{"database", checkDatabase(a.Database)},
	} {
		if r.text != "" {
			return &UsageError{Flag: r.flag, Reason: r.text}
		}
	}
	return nil
}

func checkPeers(peers []string) (reason string) {
	for i, name := range peers {
		switch {
		case !slices.Contains(benchPeers, name):
			return fmt.Sprintf("must be of %s, not %q", strings.Join(benchPeers, ", "), name)
		case slices.Contains(peers[:i], name):
			return name + " is named twice"
		}
	}
	return onlyIf(len(peers) > 0, "must name one at least")
}

func checkEach(numbers []int, least, most int) (reason string) {
	for _, n := range numbers {
		if reason := checkRange(n, least, most); reason != "" {
			return reason
		}
	}
	return onlyIf(len(numbers) > 0, "must name one number at least")
}
