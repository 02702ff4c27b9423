package oracle

import (
	"fmt"
	"slices"
	"strings"
)

// FaultKind says which promise was broken.
type FaultKind string

// The promises, by how they are broken.
const (
	Lost   FaultKind = "lost"   // answered or entitled to, and not there
	Twice  FaultKind = "twice"  // there more than once
	Order  FaultKind = "order"  // not in id order, or ids against the order of the answers
	Gap    FaultKind = "gap"    // an id that no entry has
	Leak   FaultKind = "leak"   // somebody got what is not theirs
	Nonce  FaultKind = "nonce"  // a nonce stood for another message, or for none
	Forged FaultKind = "forged" // other than it was sent, or sent by nobody
	Stale  FaultKind = "stale"  // a read of another moment than it says
	Skip   FaultKind = "skip"   // a reset without need, or none where there had to be one
	Denied FaultKind = "denied" // refused to who had the right
)

// Fault is one broken promise. ID is the log's entry that it is about, 0 for none.
type Fault struct {
	Kind FaultKind
	ID   int64
	Text string
}

func (f Fault) String() string { return string(f.Kind) + ": " + f.Text }

// Check holds a run against the promises. Nothing broken is an empty list.
func Check(run *Run) []Fault {
	w := newWorld(run)
	w.gapless()
	w.moves()
	w.times = timesOf(w)
	w.sends()
	w.nonces()
	w.order()
	for _, r := range run.Readers {
		w.reader(r)
	}
	w.reads()
	w.glimpses()
	return w.faults
}

// Explain tells what the run knows of a fault's entry: for whoever looks for the cause.
func Explain(run *Run, fault Fault) string {
	var b strings.Builder
	id := fault.ID
	i, found := slices.BinarySearchFunc(run.Log, id, func(e Entry, id int64) int { return int(e.ID - id) })
	if found {
		e := run.Log[i]
		fmt.Fprintf(&b, "  log: %d %s room %d for %d %d\n    %.500s\n", e.ID, e.Type, e.Room, e.AudienceKind, e.AudienceID, e.JSON)
		for _, s := range run.Sends {
			if s.ID == id || s.Nonce != "" && strings.Contains(e.JSON, `"nonce":"`+s.Nonce+`"`) {
				fmt.Fprintf(&b, "  send: %.500s\n", fmt.Sprintf("%+v", s))
			}
		}
		for _, m := range run.Moves {
			if m.Room == e.Room && strings.Contains(fault.Text, fmt.Sprintf("user %d", m.User)) {
				fmt.Fprintf(&b, "  move: %+v\n", m)
			}
		}
	}
	named := func(r *Reader) bool { return strings.Contains(fault.Text, r.Name) }
	known := slices.ContainsFunc(run.Readers, named)
	for _, r := range run.Readers {
		if named(r) || !known {
			explainReader(&b, r, id)
		}
	}
	return b.String()
}

// explainReader tells where a reader was when the entry came, or should have come.
func explainReader(b *strings.Builder, r *Reader, id int64) {
	last := int64(-1)
	for n, c := range r.Conns {
		for i, item := range c.Items {
			if item.Kind == Whisper || item.Kind == Ended {
				continue
			}
			if item.Cursor == id || last < id && item.Cursor > id {
				fmt.Fprintf(b, "  %s: connection %d (tick %d, after %d), item %d at tick %d: kind %d, cursor %d, before it %d\n",
					r.Name, n, c.Start, c.Asked, i, item.At, item.Kind, item.Cursor, last)
			}
			last = item.Cursor
		}
	}
}
