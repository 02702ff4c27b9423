package oracle

import (
	"cmp"
	"slices"
)

// moment is an id that was known, or asked for, at a tick.
type moment struct {
	at Tick
	id int64
}

// times knows how far the log was at each tick, as far as that can be told from outside.
type times struct {
	known  []moment // by tick: the highest id that anybody had been told of by then
	coming []moment // by tick: the lowest id of what was asked for from then on
}

func timesOf(w *world) times {
	var t times
	told := func(at Tick, id int64) { t.known = append(t.known, moment{at, id}) }
	for _, s := range w.run.Sends {
		if s.Outcome == Answered {
			told(s.End, s.ID)
			if !s.Replay {
				t.coming = append(t.coming, moment{s.Start, s.ID})
			}
		}
	}
	for key, ids := range w.members {
		for i, m := range w.movesOf(key) {
			if i < len(ids) {
				told(m.End, ids[i])
				t.coming = append(t.coming, moment{m.Start, ids[i]})
			}
		}
	}
	for _, r := range w.run.Readers {
		for _, c := range r.Conns {
			for _, item := range c.Items {
				told(item.At, item.Cursor)
			}
		}
	}
	for _, r := range w.run.Reads {
		told(r.End, r.Cursor)
	}
	byTick := func(a, b moment) int { return cmp.Compare(a.at, b.at) }
	slices.SortFunc(t.known, byTick)
	for i := 1; i < len(t.known); i++ {
		t.known[i].id = max(t.known[i].id, t.known[i-1].id)
	}
	slices.SortFunc(t.coming, byTick)
	for i := len(t.coming) - 2; i >= 0; i-- {
		t.coming[i].id = min(t.coming[i].id, t.coming[i+1].id)
	}
	return t
}

// low is an id that the log had reached before the tick.
func (t times) low(at Tick) int64 {
	i, _ := slices.BinarySearchFunc(t.known, at, func(m moment, at Tick) int { return cmp.Compare(m.at, at) })
	if i == 0 {
		return 0
	}
	return t.known[i-1].id
}

// high is an id that the log had not passed at the tick: what was asked for later has a higher one.
func (t times) high(at Tick, head int64) int64 {
	i, _ := slices.BinarySearchFunc(t.coming, at+1, func(m moment, at Tick) int { return cmp.Compare(m.at, at) })
	if i == len(t.coming) {
		return head
	}
	return t.coming[i].id - 1
}

// order demands that ids rise with time: what was asked for after an answer has a higher id than the answer.
func (w *world) order() {
	for _, s := range w.run.Sends {
		if s.Outcome == Answered && !s.Replay && s.ID <= w.times.low(s.Start) {
			w.fault(Order, s.ID, "message %d was asked for when the log was at %d already", s.ID, w.times.low(s.Start))
		}
	}
	for key, ids := range w.members {
		for i, m := range w.movesOf(key) {
			if i < len(ids) && ids[i] <= w.times.low(m.Start) {
				w.fault(Order, ids[i], "event %d was asked for when the log was at %d already: %+v", ids[i], w.times.low(m.Start), m)
			}
		}
	}
}
