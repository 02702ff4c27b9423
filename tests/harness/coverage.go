package harness

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// record is what this process has seen of the API.
type record struct {
	mu     sync.Mutex
	pairs  map[Pair]int
	faults []string
}

var seen = record{pairs: map[Pair]int{}}

func (r *record) saw(p Pair) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pairs[p]++
}

// fault keeps what was wrong and gives it as an error.
func (r *record) fault(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	r.mu.Lock()
	defer r.mu.Unlock()
	if text := err.Error(); len(r.faults) < 100 && !slices.Contains(r.faults, text) {
		r.faults = append(r.faults, text)
	}
	return err
}

// Seen says how often each pair was answered to Client so far.
func Seen() map[Pair]int {
	seen.mu.Lock()
	defer seen.mu.Unlock()
	return maps.Clone(seen.pairs)
}

// Faults are the answers that were not as the spec says, whatever became of their tests.
func Faults() []string {
	seen.mu.Lock()
	defer seen.mu.Unlock()
	return slices.Clone(seen.faults)
}

// Uncovered are the pairs of the spec that were never seen, but for those in except. Stale are the
// exceptions that were seen, or that the spec does not list: they are to be taken out.
func Uncovered(except map[Pair]string) (uncovered, stale []string) {
	have := Seen()
	listed := map[Pair]bool{}
	for _, p := range TheSpec().Pairs() {
		listed[p] = true
		if _, excused := except[p]; !excused && have[p] == 0 {
			uncovered = append(uncovered, p.String())
		}
	}
	for p := range except {
		if !listed[p] || have[p] > 0 {
			stale = append(stale, p.String())
		}
	}
	slices.SortFunc(uncovered, strings.Compare)
	slices.SortFunc(stale, strings.Compare)
	return uncovered, stale
}

// String is the pair as a person writes it.
func (p Pair) String() string { return fmt.Sprintf("%s %d", p.Operation, p.Status) }
