package bench

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// printHead says how it is measured, before anything is.
func (r *report) printHead(w io.Writer) error {
	storage := "SQLite on a disk"
	switch {
	case r.Postgres:
		storage = "PostgreSQL"
	case r.InMemory:
		storage = "SQLite in MEMORY, which is no durability"
	}
	_, err := fmt.Fprintf(w, `Parley %s, %d CPUs, %s
Storage: %s. Texts of %d bytes.
Each run measures %g s of a server just started; of %d rounds the median.
Parley does all that it always does (sessions, membership, validation, durable
before it answers), but for --rate-limit off. Each stream and each sender is a
guest of its own with a session and a membership, made before and not measured.
HTTP/1.1 on loopback, no TLS. The load takes its share of the same CPUs.
p50 to max: until a stream has a message; where nobody listens, until an answer.
“by floor”: Parley's value by the floor's of the same round, lowest–highest.
↓ less is better, ↑ more is better. Faults: missing/doubled/out of order.
`, r.Version, r.CPUs, r.System, storage, r.Bytes, r.Seconds, r.Rounds)
	return err
}

// against are the peers that have a column of ratios.
var against = []string{nameAgainst, nameFloor, nameNchan}

// print draws the table: a line for each figure.
func (s *section) print(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "\n%s: %s\n", s.Workload, s.About); err != nil {
		return err
	}
	peers := s.peers()
	rows := [][]string{append([]string{""}, peers...)}
	var ratios []string
	for _, name := range against {
		for _, peer := range peers {
			if peer == name && len(s.valuesOf(nameParley)) > 0 {
				ratios = append(ratios, name)
				rows[0] = append(rows[0], "by "+name)
			}
		}
	}
	for _, f := range s.Figures {
		row := []string{f.Label + arrow(f.Better)}
		for _, peer := range peers {
			row = append(row, cell(f.Peers[peer], len(s.values(peer, f.Key)) > 0))
		}
		for _, name := range ratios {
			ratio, found := f.Ratios[name]
			row = append(row, ratioCell(ratio, found))
		}
		rows = append(rows, row)
	}
	row := []string{"faults"}
	for _, peer := range peers {
		f := s.faultsOf(peer)
		row = append(row, fmt.Sprintf("%d/%d/%d", f.Missing, f.Doubled, f.OutOfOrder))
	}
	return align(w, append(rows, row))
}

func (s *section) valuesOf(peer string) (runs []runReport) {
	for _, r := range s.Runs {
		if r.Peer == peer {
			runs = append(runs, r)
		}
	}
	return runs
}

func arrow(better string) string {
	return map[string]string{"less": " ↓", "more": " ↑"}[better]
}

func cell(v spread, found bool) string {
	if !found {
		return "–"
	}
	return number(v.Median)
}

func ratioCell(v spread, found bool) string {
	if !found {
		return "–"
	}
	if v.Lowest == v.Highest {
		return ratio(v.Median)
	}
	return fmt.Sprintf("%s %s–%s", ratio(v.Median), ratio(v.Lowest), ratio(v.Highest))
}

// ratio has two digits behind the point, or three that count.
func ratio(v float64) string {
	if v < 9.995 {
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return number(v)
}

// number has three digits that count, and those above.
func number(v float64) string {
	switch a := math.Abs(v); {
	case a >= 99.95:
		return thousands(v)
	case a >= 9.995:
		return strconv.FormatFloat(v, 'f', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// thousands writes a whole number with commas.
func thousands(v float64) string {
	digits := strconv.FormatInt(int64(math.Round(math.Abs(v))), 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if v <= -0.5 {
		return "-" + digits
	}
	return digits
}

// short writes a round number in a few characters.
func short(n int) string {
	switch {
	case n >= 1_000_000 && n%1_000_000 == 0:
		return strconv.Itoa(n/1_000_000) + "M"
	case n >= 1000 && n%1000 == 0:
		return strconv.Itoa(n/1000) + "k"
	default:
		return strconv.Itoa(n)
	}
}

// align prints rows: the first column and those of words to the left, numbers to the right.
func align(w io.Writer, rows [][]string) error {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	var all strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, text := range row {
			fill := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(text))
			if i == 0 || len(row) == 2 && strings.Contains(text, " ") {
				line.WriteString(text + fill + "  ")
			} else {
				line.WriteString(fill + text + "  ")
			}
		}
		all.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	_, err := io.WriteString(w, all.String())
	return err
}
