package linear

import (
	"context"
	"net/http"
)

// prologue are the first operations of a place, one after the other: they let everybody in, and make sure that each history has the
// moments that planted_test.go breaks.
func (s *stage) prologue(ctx context.Context, client, maker int, p *place) error {
	other := (maker + 1) % people
	ops := []input{
		{kind: rename, who: maker, name: p.object + "Ann"},
		{kind: byName, who: other, name: p.object + "ANN"},
		{kind: rename, who: other, name: p.object + "ann"},
		{kind: byName, who: other, name: p.object + "ann"},
	}
	if !p.family {
		ops = opening(maker, p.object)
	}
	var said output
	for _, in := range ops {
		in.object = p.object
		o, _, err := s.act(ctx, client, p, in, "")
		if err != nil {
			return err
		}
		if in.kind == send && o.status == http.StatusCreated && in.who == other {
			said = o
		}
	}
	if said.id == 0 { // nobody knows
		return nil
	}
	return s.twoEdits(ctx, client, p, input{kind: edit, object: p.object, who: other, id: said.id})
}

// twoEdits edits a message, and then once more if it is still as it was before.
func (s *stage) twoEdits(ctx context.Context, client int, p *place, in input) error {
	read := in
	read.kind = get
	o, etag, err := s.act(ctx, client, p, read, "")
	if err != nil || len(o.shown) == 0 {
		return err
	}
	in.text = "first " + p.object
	if _, _, err = s.act(ctx, client, p, in, ""); err != nil {
		return err
	}
	in.text, in.onlyIf = "second "+p.object, o.shown[0].text
	_, _, err = s.act(ctx, client, p, in, etag)
	return err
}

// opening lets most people into a room, and takes one of them out for a while.
func opening(maker int, object string) (ops []input) {
	other, third := (maker+1)%people, (maker+2)%people
	for whom := range people {
		as := outsider
		if whom == other {
			as = moderator
		}
		if whom != maker && (whom%4 != 3 || as == moderator || whom == third) {
			ops = append(ops, input{kind: put, who: maker, whom: whom, role: as})
		}
	}
	say := func(who int, text string) input {
		return input{kind: send, who: who, nonce: object + "/" + text, text: text + " " + object}
	}
	read := input{kind: list, who: maker, window: window{limit: 10}}
	return append(ops,
		say(other, "said"), read, say(maker, "heard"), say(other, "said"), read,
		input{kind: expel, who: other, whom: third}, say(third, "refused"), input{kind: put, who: maker, whom: third},
	)
}

// epilogue reads everything once more, in places given up long ago too: what was acknowledged and is lost is missed here.
func (s *stage) epilogue(ctx context.Context) error {
	for _, p := range s.all {
		last := s.lastOfRoom
		if p.family {
			last = s.lastOfFamily
		}
		if err := last(ctx, p); err != nil {
			return err
		}
	}
	return nil
}

// lastOfRoom reads as each one until somebody may.
func (s *stage) lastOfRoom(ctx context.Context, p *place) error {
	for who := range people {
		in := input{kind: members, object: p.object, who: who}
		o, _, err := s.act(ctx, who, p, in, "")
		if err != nil {
			return err
		}
		if o.status != http.StatusOK {
			continue
		}
		in.kind, in.window = list, window{after: 1, limit: 200}
		for more := true; more; {
			if o, _, err = s.act(ctx, who, p, in, ""); err != nil {
				return err
			}
			if more = o.more && len(o.shown) > 0; more {
				in.window.after = o.shown[len(o.shown)-1].id
			}
		}
		return nil
	}
	return nil
}

func (s *stage) lastOfFamily(ctx context.Context, p *place) error {
	for whom := range people {
		if _, _, err := s.act(ctx, 0, p, input{kind: byID, object: p.object, whom: whom}, ""); err != nil {
			return err
		}
	}
	for _, row := range spellings {
		if _, _, err := s.act(ctx, 0, p, input{kind: byName, object: p.object, name: p.object + row[0]}, ""); err != nil {
			return err
		}
	}
	return nil
}
