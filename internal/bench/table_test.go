package bench

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// twoRounds is a workload on two peers.
func twoRounds() section {
	s := section{Workload: "steady", About: "a test"}
	add := func(peer string, round int, cost, rate float64, f faults) {
		s.Runs = append(s.Runs, newRunReport(result{peer: peer, round: round, faults: f, figures: []figure{
			{"cost", "CPU-s per 1M", cost, less}, {"rate", "deliveries/s", rate, more}, {"load", "load", 3, neither},
		}}))
	}
	add(nameFloor, 1, 10, 50_000, faults{})
	add(nameParley, 1, 5, 49_000, faults{})
	add(nameParley, 2, 8, 51_000, faults{Missing: 1})
	add(nameFloor, 2, 10, 50_500, faults{})
	add(nameNchan, 1, 0, 50_000, faults{}) // it has no second round, and nothing to divide by
	s.compare()
	return s
}

// Ratios are those of one round, not of the medians.
func TestTable(t *testing.T) {
	t.Parallel()
	s := twoRounds()
	var out strings.Builder
	if err := s.print(&out); err != nil {
		t.Fatal(err)
	}
	const want = `
steady: a test
                parley   floor   nchan        by floor  by nchan
CPU-s per 1M ↓    6.50    10.0    0.00  0.65 0.50–0.80         –
deliveries/s ↑  50,000  50,250  50,000  0.99 0.98–1.01      0.98
load              3.00    3.00    3.00               –         –
faults           1/0/0   0/0/0   0/0/0
`
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{
		0: "0.00", 0.004: "0.00", 1.005: "1.00", 9.994: "9.99", 9.996: "10.0", 99.9: "99.9", 99.96: "100", 999.6: "1,000",
		1_234_567.8: "1,234,568", -12_345: "-12,345", -0.2: "-0.20",
	} {
		if got := number(v); got != want {
			t.Errorf("%g is %s, want %s", v, got, want)
		}
	}
	for v, want := range map[float64]string{0.004: "0.00", 1.5: "1.50", 9.99: "9.99", 9.996: "10.0", 250.4: "250"} {
		if got := ratio(v); got != want {
			t.Errorf("%g is the ratio %s, want %s", v, got, want)
		}
	}
	for n, want := range map[int]string{1: "1", 1500: "1500", 10_000: "10k", 1_000_000: "1M", 1_500_000: "1500k"} {
		if got := short(n); got != want {
			t.Errorf("%d is %s, want %s", n, got, want)
		}
	}
}

// What is printed before fits a terminal, whatever the kernel's name.
func TestHeadFits(t *testing.T) {
	t.Parallel()
	r := report{Version: "v1.23.4-567-gabcdef0", System: "Linux 6.18.44-a-long-name", CPUs: 128, Seconds: 12.5, Rounds: 10, Bytes: 16384, InMemory: true}
	var out strings.Builder
	if err := r.printHead(&out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSpace(line)); n > 80 {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	if !strings.Contains(out.String(), "in MEMORY") {
		t.Error("nothing says that the data are on no disk")
	}
}

// A fault is an error that names it, and JSON has the runs with it.
func TestReport(t *testing.T) {
	t.Parallel()
	r := report{Version: "v1", Workloads: []section{twoRounds()}}
	err := r.fault()
	if err == nil || err.Error() != "steady on parley: 1 missing, 0 doubled, 0 out of order" {
		t.Errorf("the fault: %v", err)
	}
	path := filepath.Join(t.TempDir(), "report.json")
	if err := r.write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Workloads []struct {
			Runs []struct {
				Peer    string
				Missing int
				Figures map[string]float64
			}
			Figures []compared
		}
	}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	w := back.Workloads[0]
	if len(w.Runs) != 5 || w.Runs[2].Missing != 1 || w.Runs[2].Figures["cost"] != 8 || w.Figures[0].Ratios["floor"] != (spread{0.65, 0.5, 0.8}) {
		t.Errorf("%s", text)
	}
	if r = (report{}); r.fault() != nil {
		t.Errorf("nothing at all: %v", r.fault())
	}
}
