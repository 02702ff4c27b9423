package oracle

import (
	"cmp"
	"slices"
)

// movesOf gives the changes of one membership in the order in which they were asked for.
func (w *world) movesOf(key [2]int64) (list []Move) {
	for _, m := range w.run.Moves {
		if m.Room == key[0] && m.User == key[1] && m.Outcome == Answered {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b Move) int { return cmp.Compare(a.Start, b.Start) })
	return list
}

// moves holds the log's member events against what was asked for and answered, one by one.
func (w *world) moves() {
	keys := map[[2]int64]bool{}
	for _, m := range w.run.Moves {
		keys[[2]int64{m.Room, m.User}] = true
	}
	for key := range w.members {
		keys[key] = true
	}
	for key := range keys {
		w.matchMoves(key)
	}
}

func (w *world) matchMoves(key [2]int64) {
	ids, asked := w.members[key], w.movesOf(key)
	for i, id := range ids {
		e := w.events[w.byID[id]]
		in, revoked := e.Type == "member.joined", e.Data.Reason != ""
		if i >= len(asked) || asked[i].In != in || asked[i].Revoked != revoked {
			w.fault(Forged, id, "event %d (%s of user %d in room %d) was not asked for in this place", id, e.Type, key[1], key[0])
			return
		}
		if s := w.spellAt(key[0], key[1], id); s != nil && s.gone == id {
			s.revoked = asked[i].Start
		}
	}
	if len(asked) > len(ids) {
		w.fault(Lost, key[0], "%+v was answered and is not in the log", asked[len(ids)])
	}
}
