package tests

import (
	"fmt"
	"slices"

	"parley/client"
)

// reader is one way in which one user followed the log, over any number of connections, and what
// came of it.
type reader struct {
	name   string
	user   int64
	filter func(entry) bool // what it asked for; nil is all
	// steady is one connection that was live all the time: even what was revoked later must be there.
	steady bool
	start  int64 // the position it began behind
	end    int64 // it has seen everything up to here
	conns  []opening
	got    []arrival
	beats  []beat
}

// opening is one connection: the position it asked for, an id that the log had reached before, and how many deletions had been
// acknowledged by then.
type opening struct {
	after, mark int64
	deletions   int
}

// arrival is a durable event with the number of the connection that it came on.
type arrival struct {
	id   int64
	conn int
	tomb bool // without the text
}

// beat is a cursor without an event: all up to it had been given when so many events had come.
type beat struct {
	cursor int64
	after  int
}

// check holds what a reader got against what was its user's.
func (b *books) check(r *reader) (faults []string) {
	fault := func(format string, args ...any) {
		if len(faults) < 5 {
			faults = append(faults, r.name+": "+fmt.Sprintf(format, args...))
		}
	}
	dues := map[int64]due{}
	var order []due
	for _, d := range b.dues(r.user) {
		if r.filter == nil || r.filter(d.entry) {
			dues[d.id] = d
			order = append(order, d)
		}
	}
	place := map[int64]int{}
	last := r.start
	for i, a := range r.got {
		d, mine := dues[a.id]
		switch {
		case a.id <= last:
			fault("event %d came after %d, on connections %+v", a.id, last, r.conns[max(a.conn-1, 0):a.conn+1])
		case !mine:
			fault("event %d is not its user's: %s", a.id, b.byID[a.id].raw)
		case d.hidden() && r.conns[a.conn].mark >= d.spell.gone:
			fault("event %d came although its spell %+v was revoked before the connection %+v", a.id, *d.spell, r.conns[a.conn])
		}
		last = a.id
		place[a.id] = i
	}
	b.complete(r, order, place, fault)
	b.buried(r, fault)
	return faults
}

// buried looks for text that came on a connection which was made after its deletion.
func (b *books) buried(r *reader, fault func(string, ...any)) {
	for _, a := range r.got {
		message := b.carries(a.id)
		n := b.ledger.deletes[message]
		if message != 0 && n != 0 && n <= r.conns[a.conn].deletions && !a.tomb {
			fault("event %d has the text of message %d, whose deletion was the %d., on the connection %+v", a.id, message, n, r.conns[a.conn])
		}
	}
}

// carries gives the message that an event has the text of, 0 for none.
func (b *books) carries(id int64) int64 {
	switch e := b.byID[id]; e.kind {
	case client.EventTypeMessageCreated, client.EventTypeMessageUpdated:
		return e.data.Message.ID
	default:
		return 0
	}
}

// complete looks for what did not come, or not before a cursor said that it had.
func (b *books) complete(r *reader, order []due, place map[int64]int, fault func(string, ...any)) {
	cut := map[*spell]int64{} // revoked spells from which something is missing
	for _, d := range order {
		if d.id <= r.start || d.id > r.end {
			continue
		}
		at, came := place[d.id]
		switch {
		case !came && d.hidden() && !r.steady:
			if cut[d.spell] == 0 {
				cut[d.spell] = d.id
			}
		case !came:
			fault("event %d did not come: %s (spell %+v)", d.id, d.raw, d.spell)
			continue
		case d.hidden() && cut[d.spell] != 0:
			fault("event %d came although %d of the same revoked spell did not", d.id, cut[d.spell])
		}
		if d.hidden() && !came {
			continue
		}
		i := slices.IndexFunc(r.beats, func(p beat) bool { return p.cursor >= d.id && p.after <= at })
		if i >= 0 {
			fault("event %d came after a cursor that was past it: %+v", d.id, r.beats[i])
		}
	}
}

// difference tells two lists of ids apart, for people.
func difference(got, want []int64) string {
	var missing, foreign []int64
	for _, id := range want {
		if !slices.Contains(got, id) {
			missing = append(missing, id)
		}
	}
	for _, id := range got {
		if !slices.Contains(want, id) {
			foreign = append(foreign, id)
		}
	}
	if missing == nil && foreign == nil && !slices.Equal(got, want) {
		return fmt.Sprintf("the same ids, but not each once and in order: %v", got)
	}
	return fmt.Sprintf("missing %v, foreign %v", missing, foreign)
}
