package linear

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
)

// actor is one client: it makes one operation after the other, each chosen by its own random numbers.
type actor struct {
	*stage
	number int // of the client
	who    int
	random *rand.Rand
	sent   int // texts and nonces made
	again  *pending
}

// pending is a send that nobody knows the outcome of. Its nonce makes it safe to repeat.
type pending struct {
	at *place
	in input
}

// memory is what a person knows of a place and nobody else does.
type memory struct {
	used []input // sends, to be repeated
	own  []int64 // what they made
	tags []tag
}

// tag stands for a message's text, as If-Match does.
type tag struct {
	id         int64
	text, etag string
}

// work makes operations until there are enough.
func (a *actor) work(ctx context.Context, enough int) error {
	for {
		if ops, _ := a.count(); ops >= enough {
			return nil
		}
		i := a.random.IntN(rooms + families)
		at := a.place(i)
		if at.take() {
			if err := a.replace(ctx, i, a.number); err != nil {
				return err
			}
		}
		if err := a.once(ctx, at); err != nil {
			return err
		}
	}
}

func (s *stage) place(i int) *place {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.places[i]
}

func (a *actor) once(ctx context.Context, at *place) error {
	in, etag := a.choose(at)
	if a.again != nil && a.random.IntN(2) == 0 { // the others are given up
		at, in, etag = a.again.at, a.again.in, ""
	}
	a.again = nil
	o, newTag, err := a.act(ctx, a.number, at, in, etag)
	if err != nil {
		return err
	}
	if in.kind == send && o.unknown && in.nonce != "" {
		a.again = &pending{at, in}
	}
	at.learn(in, o, newTag)
	return nil
}

// learn is for what comes after an answer.
func (p *place) learn(in input, o output, newTag string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := &p.memory[in.who]
	switch {
	case in.kind == send && o.status == http.StatusCreated:
		m.own = append(m.own, o.id)
	case newTag != "" && len(o.shown) == 1:
		m.tags = append(m.tags, tag{o.shown[0].id, o.shown[0].text, newTag})
	}
}

func (a *actor) choose(at *place) (in input, etag string) {
	at.mu.Lock()
	defer at.mu.Unlock()
	in = input{object: at.object, who: a.who, whom: a.random.IntN(people)}
	if at.family {
		in.kind = pick(a.random, odds{rename: 50, byName: 30, byID: 20})
		row := spellings[a.random.IntN(len(spellings))]
		in.name = at.object + row[a.random.IntN(len(row))]
		return in, ""
	}
	in.kind = pick(a.random, odds{
		send: 28, list: 24, get: 6, edit: 16, erase: 3, like: 6, unlike: 2, join: 6, leave: 1, put: 14,
		expel: 3, ban: 2, unban: 5, members: 4, look: 5,
	})
	in.id = at.some(a.random)
	switch in.kind {
	case send:
		return a.speech(in, &at.memory[a.who]), ""
	case list:
		in.window = a.window(in.id)
	case edit:
		return a.correction(in, &at.memory[a.who])
	case put:
		in.role = pick(a.random, map[role]int{outsider: 50, member: 15, moderator: 30, owner: 5})
	default:
	}
	return in, ""
}

// odds are weights of kinds.
type odds = map[kind]int

// pick takes one by weight, in the order of their numbers, so that a seed chooses the same again.
func pick[K ~uint8](random *rand.Rand, weights map[K]int) K {
	sum := 0
	for _, w := range weights {
		sum += w
	}
	n := random.IntN(sum)
	for k := range K(len(kinds)) {
		if n -= weights[k]; n < 0 {
			return k
		}
	}
	return 0
}

// some is a message that anybody has seen, one of the newest rather than of the others; before the first, one that no room
// can have. The place is locked.
func (p *place) some(random *rand.Rand) int64 {
	n := len(p.said)
	switch {
	case n == 0:
		return 1
	case random.IntN(3) > 0:
		return p.said[n-1-random.IntN(min(n, 5))]
	default:
		return p.said[random.IntN(n)]
	}
}

// speech is a new message, or now and then one that this person sends already or has sent, with another text under its
// nonce sometimes. Some have no nonce.
func (a *actor) speech(in input, m *memory) input {
	if len(m.used) > 0 && a.random.IntN(5) == 0 {
		before := m.used[len(m.used)-1-a.random.IntN(min(len(m.used), 3))]
		in.nonce, in.text = before.nonce, before.text
		if a.random.IntN(5) == 0 {
			in.text += "!"
		}
		return in
	}
	a.sent++
	in.nonce = fmt.Sprintf("%s/%d/%d", in.object, a.number, a.sent)
	in.text = "said " + in.nonce
	if a.random.IntN(6) == 0 {
		in.nonce = ""
		return in
	}
	m.used = append(m.used, in)
	return in
}

// correction is a new text, half of them only if the message is as it was read, where anybody read it.
func (a *actor) correction(in input, m *memory) (input, string) {
	a.sent++
	in.text = fmt.Sprintf("edit %s/%d/%d", in.object, a.number, a.sent)
	if own := m.own; len(own) > 0 && a.random.IntN(8) > 0 {
		in.id = own[len(own)-1-a.random.IntN(min(len(own), 3))]
	}
	if len(m.tags) == 0 || a.random.IntN(3) == 0 {
		return in, ""
	}
	t := m.tags[len(m.tags)-1-a.random.IntN(min(len(m.tags), 2))]
	in.id, in.onlyIf = t.id, t.text
	return in, t.etag
}

func (a *actor) window(near int64) window {
	w := window{limit: 1 + a.random.IntN(12)}
	switch a.random.IntN(6) {
	case 0:
		w.before = near
	case 1:
		w.after = near
	case 2:
		w.around = near
	}
	return w
}
