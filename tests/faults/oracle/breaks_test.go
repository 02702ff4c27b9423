package oracle

import (
	"maps"
	"slices"
)

// broken is a way to spoil a good run, and what the oracle must find.
type broken struct {
	want FaultKind
	do   func(f *fake)
}

// breaks are the ways to spoil a good run, each of them one that a server could have.
func breaks() map[string]broken {
	all := map[string]broken{}
	for _, some := range []map[string]broken{streamBreaks(), logBreaks(), rightBreaks(), readBreaks()} {
		maps.Copy(all, some)
	}
	return all
}

// drop takes an event off a stream.
func drop(r *Reader, id int64) Item {
	c, i := item(r, id)
	it := c.Items[i]
	c.Items = slices.Delete(c.Items, i, i+1)
	return it
}

func streamBreaks() map[string]broken {
	return map[string]broken{
		"a frame is dropped":        {Lost, func(f *fake) { drop(f.of(ann), f.message("welcome")) }},
		"the last frame is dropped": {Lost, func(f *fake) { drop(f.of(eve), f.message("good night")) }},
		"a frame is lost in a reconnect": {Lost, func(f *fake) {
			r := f.of(ann)
			it := drop(r, f.message("welcome"))
			r.Conns[1].Asked, r.Conns[1].Items[0].Cursor = it.Cursor, it.Cursor
			c := r.Conns[0]
			c.Items = append(c.Items, Item{At: c.Items[len(c.Items)-1].At, Kind: Beat, Cursor: it.Cursor})
		}},
		"a frame comes twice": {Twice, func(f *fake) {
			c, i := item(f.of(ann), f.message("welcome"))
			c.Items = slices.Insert(c.Items, i, c.Items[i])
		}},
		"a frame comes again after a reconnect": {Twice, func(f *fake) {
			r := f.of(bob)
			c := r.Conns[0]
			r.Conns[1].Items = slices.Insert(r.Conns[1].Items, 1, c.Items[len(c.Items)-1])
		}},
		"two frames are swapped": {Order, func(f *fake) {
			c, i := item(f.of(ann), f.message("alone"))
			c.Items[i], c.Items[i-1] = c.Items[i-1], c.Items[i]
		}},
		"a frame has another text": {Forged, func(f *fake) {
			c, i := item(f.of(ann), f.message("welcome"))
			c.Items[i].JSON += " "
		}},
		"a frame of no entry": {Forged, func(f *fake) { f.give(f.of(ann), Item{Kind: Event, Cursor: 1000, JSON: "{}"}) }},
		"a heartbeat is ahead of its stream": {Lost, func(f *fake) {
			c, i := item(f.of(ann), f.message("welcome"))
			c.Items = slices.Insert(c.Items, i, Item{At: c.Items[i].At, Kind: Beat, Cursor: f.message("welcome")})
		}},
		"a heartbeat goes back": {Order, func(f *fake) { f.give(f.of(ann), Item{Kind: Beat, Cursor: 3}) }},
		"a reset without need":  {Skip, func(f *fake) { f.give(f.of(ann), Item{Kind: Reset, Cursor: f.head()}) }},
		"a lost position is resumed from": {Skip, func(f *fake) {
			f.run.Holes = []Hole{{After: f.message("hello") - 1, Before: f.message("welcome")}}
			r := f.stream(eve, "from the future", f.message("hello"))
			f.give(r, Item{Kind: Event, Cursor: f.message("good night"), JSON: f.run.Log[f.message("good night")-1].JSON})
			f.run.Readers = append(f.run.Readers, r)
		}},
		"a start elsewhere without a reset": {Skip, func(f *fake) {
			r := f.of(ann)
			f.again(r)
			c := r.Conns[len(r.Conns)-1]
			c.Asked--
			c.Items[0].Cursor += 5
			f.give(r, Item{Kind: Beat, Cursor: f.head()})
		}},
		"from now is from before": {Lost, func(f *fake) {
			r := &Reader{Name: "late", User: eve, Conns: []*Conn{{Start: f.now(), Asked: -1}}}
			f.give(r, Item{Kind: Ready, Cursor: 3})
			f.run.Readers = append(f.run.Readers, r)
		}},
	}
}

func logBreaks() map[string]broken {
	return map[string]broken{
		"an answered message is not there": {Lost, func(f *fake) {
			f.run.Sends = append(f.run.Sends, Send{Call: Call{By: ann, Outcome: Answered}, Room: tea, Nonce: "x", Text: "x", ID: 1000})
		}},
		"an entry is gone": {Gap, func(f *fake) {
			i := int(f.message("hello")) - 1
			f.run.Log = slices.Delete(f.run.Log, i, i+1)
		}},
		"a message is there twice": {Twice, func(f *fake) {
			f.say(ann, tea, "alone")
			f.run.Sends = f.run.Sends[:len(f.run.Sends)-1]
		}},
		"a nonce is forgotten": {Nonce, func(f *fake) {
			f.say(ann, tea, "once more")
			s := f.run.Sends[len(f.run.Sends)-1]
			s.Start, s.End, s.Replay = f.now(), f.now(), true
			f.run.Sends = append(f.run.Sends, s)
		}},
		"a nonce stands for two": {Nonce, func(f *fake) {
			s := f.run.Sends[0]
			s.Start, s.End, s.Replay, s.Again, s.ID = f.now(), f.now(), true, true, f.message("welcome")
			f.run.Sends = append(f.run.Sends, s)
		}},
		"a nonce is in the log twice": {Nonce, func(f *fake) {
			f.say(ann, tea, "the same")
			f.run.Log[f.head()-1].JSON = replaced(f.run.Log[f.head()-1].JSON, `"n the same"`, `"n alone"`)
		}},
		"nobody sent it": {Forged, func(f *fake) {
			f.say(ann, tea, "not mine")
			f.run.Sends = f.run.Sends[:len(f.run.Sends)-1]
		}},
		"a refused message is there": {Forged, func(f *fake) { f.run.Sends[0].Outcome = Refused }},
		"answers against the order of the ids": {Order, func(f *fake) {
			f.say(ann, tea, "late")
			last := &f.run.Sends[len(f.run.Sends)-1]
			last.ID, f.run.Sends[0].ID = f.run.Sends[0].ID, last.ID
			last.Text, f.run.Sends[0].Text = f.run.Sends[0].Text, last.Text
		}},
		"a removal is answered and not there": {Lost, func(f *fake) {
			f.run.Moves = append(f.run.Moves, Move{Call: Call{By: ann, Start: f.now(), End: f.now(), Outcome: Answered}, Room: tea, User: ann})
		}},
		"somebody leaves unasked": {Forged, func(f *fake) {
			f.leave(tea, ann, "")
			f.run.Moves = f.run.Moves[:len(f.run.Moves)-1]
		}},
	}
}
