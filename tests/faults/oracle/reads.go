package oracle

import (
	"maps"
	"slices"
)

// reads holds answers about rooms and history against the log as it was at their cursor.
func (w *world) reads() {
	for _, r := range w.run.Reads {
		switch {
		case r.Outcome == Refused:
			if !w.mayRefuse(r.Call, r.Room, w.readable) {
				w.fault(Denied, 0, "user %d could read room %d all the time and was refused: %+v", r.By, r.Room, r.Call)
			}
			continue
		case r.Cursor < w.times.low(r.Start):
			w.fault(Stale, r.Cursor, "a read of user %d is of %d, the log was at %d before it was asked for", r.By, r.Cursor, w.times.low(r.Start))
		case r.Cursor > w.times.high(r.End, w.head()):
			w.fault(Stale, r.Cursor, "a read of user %d is of %d, which was not there yet", r.By, r.Cursor)
		}
		if r.Room == 0 {
			w.roomList(r)
		} else {
			w.history(r)
		}
		for id, text := range r.Texts {
			if i, ok := w.byID[id]; !ok || w.events[i].Data.Message.Text != text {
				w.fault(Forged, id, "user %d read message %d as %q", r.By, id, text)
			}
		}
	}
}

// roomList must be the rooms of that moment, each with its newest message.
func (w *world) roomList(r Read) {
	var want []int64
	newest := map[int64]bool{}
	for id, room := range w.rooms {
		if id > r.Cursor || !w.present(id, r.By, r.Cursor) {
			continue
		}
		want = append(want, id)
		if n, _ := slices.BinarySearch(room.messages, r.Cursor+1); n > 0 {
			newest[room.messages[n-1]] = true
		}
	}
	slices.Sort(want)
	got := slices.Sorted(slices.Values(r.IDs))
	if !slices.Equal(got, want) {
		w.fault(kindOf(got, want), r.Cursor, "user %d is in the rooms %v at %d, and was told %v", r.By, want, r.Cursor, got)
	}
	for id := range newest {
		if _, ok := r.Texts[id]; !ok {
			w.fault(Lost, id, "user %d was not told of the newest message %d at %d, only of %v", r.By, id, r.Cursor,
				slices.Sorted(maps.Keys(r.Texts)))
		}
	}
}

// history must be that part of the room's messages of that moment.
func (w *world) history(r Read) {
	if !w.readable(r.Room, r.By, r.Cursor) {
		w.fault(Leak, r.Cursor, "user %d read room %d at %d without the right: %v", r.By, r.Room, r.Cursor, r.IDs)
		return
	}
	n, _ := slices.BinarySearch(w.rooms[r.Room].messages, r.Cursor+1)
	all := w.rooms[r.Room].messages[:n]
	from, to := 0, len(all)
	if r.After != 0 {
		from, _ = slices.BinarySearch(all, r.After+1)
	}
	if r.Before != 0 {
		to, _ = slices.BinarySearch(all, r.Before)
	}
	from = min(from, to)
	if to-from > r.Limit {
		if r.After != 0 {
			to = from + r.Limit
		} else {
			from = to - r.Limit
		}
	}
	want := all[from:to]
	if !slices.Equal(r.IDs, want) {
		w.fault(kindOf(r.IDs, want), r.Cursor, "user %d read room %d at %d (before %d, after %d, limit %d): missing %v, foreign %v, in all %v", r.By,
			r.Room, r.Cursor, r.Before, r.After, r.Limit, minus(want, r.IDs), minus(r.IDs, want), r.IDs)
		return
	}
	if less, more := from > 0, to < len(all); len(want) > 0 && (less != r.Less || more != r.More) {
		w.fault(Stale, r.Cursor, "user %d read room %d at %d: has_before %v, has_after %v", r.By, r.Room, r.Cursor, r.Less, r.More)
	}
}

// kindOf says what is wrong with a list of ids.
func kindOf(got, want []int64) FaultKind {
	switch sorted := slices.Sorted(slices.Values(got)); {
	case len(minus(want, got)) > 0:
		return Lost
	case len(minus(got, want)) > 0:
		return Leak
	case len(slices.Compact(sorted)) < len(got):
		return Twice
	default:
		return Order
	}
}

// minus gives the ids of a that are not in b.
func minus(a, b []int64) (rest []int64) {
	in := map[int64]bool{}
	for _, id := range b {
		in[id] = true
	}
	for _, id := range a {
		if !in[id] {
			rest = append(rest, id)
		}
	}
	return rest
}

// glimpses looks for messages that were told to who could not read their room at any moment of the call.
func (w *world) glimpses() {
	nonces := map[string]int64{}
	for _, e := range w.events {
		nonces[e.Data.Message.Nonce] = e.ID
	}
	for _, g := range w.run.Seen {
		id, ok := nonces[g.Nonce]
		if !ok {
			w.fault(Forged, 0, "user %d saw %q in %s, which is in no room", g.By, g.Nonce, g.Where)
			continue
		}
		room := w.events[w.byID[id]].RoomID
		low, high := w.times.low(g.Start), w.times.high(g.End, w.head())
		readable := w.readable(room, g.By, low)
		for _, at := range w.members[[2]int64{room, g.By}] {
			readable = readable || at > low && at <= high && w.readable(room, g.By, at)
		}
		if r := w.rooms[room]; r.kind == "direct" {
			readable = r.shown[g.By]
		}
		if !readable {
			w.fault(Leak, id, "user %d saw message %d of room %d in %s without the right", g.By, id, room, g.Where)
		}
	}
}
