package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"
)

// report is everything that was found, as JSON has it.
type report struct {
	Version   string    `json:"version"`
	Began     time.Time `json:"began"`
	System    string    `json:"system"`
	CPUs      int       `json:"cpus"`
	InMemory  bool      `json:"in_memory"` // the data were on no disk
	Postgres  bool      `json:"postgres"`
	Rounds    int       `json:"rounds"`
	Seconds   float64   `json:"seconds"`
	Bytes     int       `json:"bytes"` // of a text
	Workloads []section `json:"workloads"`
}

// section is one workload.
type section struct {
	Workload string      `json:"workload"`
	About    string      `json:"about"`
	Runs     []runReport `json:"runs"`
	Figures  []compared  `json:"figures"`
}

// runReport is one run.
type runReport struct {
	Peer       string `json:"peer"`
	Round      int    `json:"round"`
	Messages   int64  `json:"messages"`
	Deliveries int64  `json:"deliveries"`
	faults
	Figures map[string]float64 `json:"figures"`

	order []figure
}

func newRunReport(r result) runReport {
	found := runReport{
		Peer: r.peer, Round: r.round, Messages: r.messages, Deliveries: r.deliveries, faults: r.faults,
		Figures: map[string]float64{}, order: r.figures,
	}
	for _, f := range r.figures {
		found.Figures[f.Key] = f.Value
	}
	return found
}

// compared is one figure of all peers.
type compared struct {
	Key    string            `json:"key"`
	Label  string            `json:"label"`
	Better string            `json:"better"`
	Peers  map[string]spread `json:"peers"`
	// Ratios are Parley's value by that of each other peer in the same round.
	Ratios map[string]spread `json:"ratios"`
}

// compare works out medians and ratios.
func (s *section) compare() {
	s.Figures = nil
	for _, f := range s.kinds() {
		c := compared{Key: f.Key, Label: f.Label, Better: f.Better.String(), Peers: map[string]spread{}, Ratios: map[string]spread{}}
		for _, peer := range s.peers() {
			c.Peers[peer] = spreadOf(slices.Collect(maps.Values(s.values(peer, f.Key))))
			if peer != nameParley {
				if ratios := s.ratios(peer, f.Key); len(ratios) > 0 && f.Better != neither {
					c.Ratios[peer] = spreadOf(ratios)
				}
			}
		}
		s.Figures = append(s.Figures, c)
	}
}

// kinds gives the figures that any peer has, Parley's first.
func (s *section) kinds() (all []figure) {
	known := map[string]bool{}
	for _, peer := range s.peers() {
		for _, r := range s.Runs {
			for _, f := range r.order {
				if r.Peer == peer && !known[f.Key] {
					known[f.Key] = true
					all = append(all, f)
				}
			}
		}
	}
	return all
}

// peers gives those that were measured, in the order of the table.
func (s *section) peers() (names []string) {
	for _, name := range []string{nameParley, nameAgainst, nameFloor, nameHijacked, nameNchan} {
		if slices.ContainsFunc(s.Runs, func(r runReport) bool { return r.Peer == name }) {
			names = append(names, name)
		}
	}
	return names
}

// values gives a peer's figure by round.
func (s *section) values(peer, key string) map[int]float64 {
	byRound := map[int]float64{}
	for _, r := range s.Runs {
		if v, found := r.Figures[key]; found && r.Peer == peer {
			byRound[r.Round] = v
		}
	}
	return byRound
}

// ratios gives Parley's value by the peer's, for each round that has both.
func (s *section) ratios(peer, key string) (all []float64) {
	own := s.values(nameParley, key)
	for round, value := range s.values(peer, key) {
		if mine, found := own[round]; found && value != 0 {
			all = append(all, mine/value)
		}
	}
	return all
}

// faultsOf adds up what went wrong with a peer.
func (s *section) faultsOf(peer string) (f faults) {
	for _, r := range s.Runs {
		if r.Peer == peer {
			f.add(r.faults)
		}
	}
	return f
}

// fault is an error where any delivery was not as it must be.
func (r *report) fault() error {
	var all error
	for _, s := range r.Workloads {
		for _, peer := range s.peers() {
			if f := s.faultsOf(peer); f.sum() > 0 {
				all = errors.Join(all, fmt.Errorf("%s on %s: %d missing, %d doubled, %d out of order",
					s.Workload, peer, f.Missing, f.Doubled, f.OutOfOrder))
			}
		}
	}
	return all
}

// write keeps it as JSON, where a file is named.
func (r *report) write(path string) error {
	if path == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("the report as JSON: %w", err)
	}
	return os.WriteFile(path, append(text, '\n'), 0o600)
}

// String implements fmt.Stringer.
func (b better) String() string { return [...]string{"less", "more", "neither"}[b] }
