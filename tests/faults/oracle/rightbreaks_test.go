package oracle

import (
	"slices"
	"strings"
)

func replaced(s, old, by string) string { return strings.Replace(s, old, by, 1) }

func rightBreaks() map[string]broken {
	return map[string]broken{
		"a stranger gets a private event": {Leak, func(f *fake) {
			c, i := item(f.of(ann), f.message("alone"))
			to, at := item(f.of(eve), f.message("good night"))
			to.Items = slices.Insert(to.Items, at, c.Items[i])
		}},
		"who was removed gets what follows": {Leak, func(f *fake) {
			c, i := item(f.of(ann), f.message("behind his back"))
			to, at := item(f.of(bob), f.message("back again"))
			_ = at
			first := slices.IndexFunc(to.Items, func(it Item) bool { return it.Cursor > f.message("behind his back") })
			to.Items = slices.Insert(to.Items, first, c.Items[i])
		}},
		"who left gets what follows": {Leak, func(f *fake) {
			c, i := item(f.of(ann), f.message("alone"))
			to, at := item(f.of(bob), f.message("good night"))
			to.Items = slices.Insert(to.Items, at, c.Items[i])
		}},
		"a revoked spell is replayed": {Leak, func(f *fake) {
			r := f.stream(bob, "late", 0)
			for _, c := range f.of(bob).Conns {
				for _, it := range c.Items {
					if it.Kind == Event {
						f.give(r, it)
					}
				}
			}
			f.run.Readers = append(f.run.Readers, r)
		}},
		"a part of a live spell is missing": {Lost, func(f *fake) { drop(f.of(bob), f.message("here I am")) }},
		"a third gets a direct message": {Leak, func(f *fake) {
			c, i := item(f.of(eve), f.message("psst"))
			to := f.of(bob).Conns[1]
			to.Items = slices.Insert(to.Items, 1, c.Items[i])
		}},
		"a message of who was banned":   {Leak, func(f *fake) { f.say(bob, tea, "still here") }},
		"the log has another audience":  {Leak, func(f *fake) { f.run.Log[f.message("alone")-1].AudienceKind = toEveryone }},
		"a whisper of a room of others": {Leak, func(f *fake) { f.give(f.of(eve), Item{Kind: Whisper, Room: tea}) }},
		"a member is refused": {Denied, func(f *fake) {
			f.run.Sends = append(f.run.Sends, Send{Call: Call{By: ann, Start: f.now(), End: f.now(), Outcome: Refused}, Room: tea, Nonce: "y", Text: "y"})
		}},
		"a glimpse of a private text": {Leak, func(f *fake) {
			f.run.Seen = append(f.run.Seen, Glimpse{Call{By: eve, Start: f.now(), End: f.now()}, "n alone", "/v1/users"})
		}},
	}
}

func readBreaks() map[string]broken {
	read := func(f *fake, i int) *Read { return &f.run.Reads[i] }
	return map[string]broken{
		"history lacks one":            {Lost, func(f *fake) { r := read(f, 0); r.IDs = r.IDs[1:] }},
		"history has one twice":        {Twice, func(f *fake) { r := read(f, 0); r.IDs = append(r.IDs, r.IDs[len(r.IDs)-1]) }},
		"history is not in order":      {Order, func(f *fake) { slices.Reverse(read(f, 0).IDs) }},
		"history is of another moment": {Leak, func(f *fake) { r := read(f, 1); r.Cursor = f.message("behind his back") }},
		"history without the right":    {Leak, func(f *fake) { f.history(eve, tea) }},
		"history is stale": {Stale, func(f *fake) {
			f.history(ann, tea)
			r := read(f, 2)
			r.Cursor, r.IDs = f.message("hello"), r.IDs[:2]
		}},
		"history has another text": {Forged, func(f *fake) { r := read(f, 0); r.Texts[r.IDs[0]] = "forged" }},
		"a reader is refused": {Denied, func(f *fake) {
			f.run.Reads = append(f.run.Reads, Read{Call: Call{By: ann, Start: f.now(), End: f.now(), Outcome: Refused}, Room: tea})
		}},
		"a list with a room too many": {Leak, func(f *fake) {
			f.run.Reads = append(f.run.Reads, Read{
				Call: Call{By: bob, Start: f.now(), End: f.now(), Outcome: Answered}, Cursor: f.head(), IDs: []int64{lobby, tea},
				Texts: map[int64]string{f.message("good night"): "good night"},
			})
		}},
	}
}
