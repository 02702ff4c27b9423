package faults

import (
	"context"
	"fmt"
	"net/http"
	"regexp"

	"parley/tests/faults/oracle"
)

// crowd has everybody talk and read, each room change its members, and each person followed by several streams. It
// returns when the streams are open.
func (s *scene) crowd() {
	s.t.Helper()
	s.listen()
	s.bustle()
}

// bustle has everybody act.
func (s *scene) bustle() {
	s.talkAll()
	for _, c := range s.rooms {
		s.act(func(ctx context.Context) error { return s.conduct(ctx, c) })
	}
	s.act(s.snoop)
}

// listen opens streams of all kinds for everybody: one that stays, one that comes and goes, and polls.
func (s *scene) listen() {
	s.t.Helper()
	var all []*follower
	for i, p := range s.everyone() {
		stays := p.follower("sse", "steady", diceFor(s.t, fmt.Sprint("steady ", p.id)))
		hops := p.follower([]string{"sse", "ndjson"}[i%2], "hopping", diceFor(s.t, fmt.Sprint("hopping ", p.id)))
		hops.hop, hops.rest = 60, 40
		polls := p.follower("poll", "polling", diceFor(s.t, fmt.Sprint("polling ", p.id)))
		late := p.follower("ndjson", "from the beginning", diceFor(s.t, fmt.Sprint("late ", p.id)))
		late.pos = 0
		all = append(all, stays, hops, polls, late)
	}
	for _, f := range all {
		if s.streams != "" {
			f.url = s.streams
		}
		s.follow(f)
	}
	s.opened(all...)
}

// talkAll has everybody send, one message after the other, and look around in between.
func (s *scene) talkAll() {
	for _, p := range s.people() {
		s.act(func(ctx context.Context) error {
			for !s.stopped() {
				if err := s.talk(ctx, p); err != nil {
					return err
				}
			}
			return nil
		})
	}
}

// talk says one thing somewhere, whether or not one is in there, and now and then reads.
func (s *scene) talk(ctx context.Context, p *person) error {
	if p.dice.IntN(10) == 0 {
		if err := s.look(ctx, p); err != nil {
			return err
		}
	}
	to := roomTarget(lobby)
	switch p.dice.IntN(6) {
	case 0:
		people := s.people()
		other := people[p.dice.IntN(len(people))]
		if other == p {
			return nil
		}
		to = directTarget(other)
	case 1, 2, 3:
		to = roomTarget(s.rooms[p.dice.IntN(len(s.rooms))].id)
	}
	_, err := p.say(ctx, to, p.words())
	return err
}

// look reads one's rooms, or a part of the history of one of them.
func (s *scene) look(ctx context.Context, p *person) error {
	if p.dice.IntN(2) == 0 {
		return p.readRooms(ctx)
	}
	room, limit := s.rooms[p.dice.IntN(len(s.rooms))].id, 1+p.dice.IntN(100)
	var before, after int64
	if p.dice.IntN(2) == 0 {
		before = p.dice.Int64N(p.rec.highest() + 2)
	} else if p.dice.IntN(2) == 0 {
		after = p.dice.Int64N(p.rec.highest() + 2)
	}
	_, err := p.readHistory(ctx, room, before, after, limit)
	return err
}

// conduct lets people in and out of one channel. It alone does, so that the order of what happens to each is known.
func (s *scene) conduct(ctx context.Context, c *channel) error {
	dice, people := diceFor(s.t, fmt.Sprint("conductor of ", c.id)), s.people()
	for !s.stopped() {
		p := people[dice.IntN(len(people))]
		if p == c.owner {
			continue
		}
		var err error
		switch how := dice.IntN(3); {
		case !c.in[p] && c.public && how == 0:
			err = s.change(ctx, c, p, p, http.MethodPost, "/join", true, false)
		case !c.in[p]:
			err = s.change(ctx, c, c.owner, p, http.MethodPut, fmt.Sprintf("/members/%d", p.id), true, false)
		case how == 0:
			err = s.change(ctx, c, p, p, http.MethodPost, "/leave", false, false)
		case how == 1 && !c.public: // whoever may read a public channel is another question
			err = s.banAndLift(ctx, c, p)
		default:
			err = s.change(ctx, c, c.owner, p, http.MethodDelete, fmt.Sprintf("/members/%d", p.id), false, true)
		}
		if err != nil {
			return err
		}
		if err := s.rec.grow(ctx, dice.Int64N(12)); err != nil {
			return err
		}
		if s.stopped() {
			return nil
		}
	}
	return nil
}

// change makes one change of a membership for certain. Where a try was lost, "there is nothing to change" says that it was done.
func (s *scene) change(ctx context.Context, c *channel, by, p *person, method, path string, in, revoked bool) error {
	m := oracle.Move{Call: oracle.Call{By: by.id, Start: s.rec.tick()}, Room: c.id, User: p.id, In: in, Revoked: revoked}
	var body any
	if method != http.MethodDelete {
		body = map[string]string{}
	}
	t, err := by.insist(ctx, method, fmt.Sprintf("/v1/rooms/%d%s", c.id, path), body)
	if err != nil {
		return err
	}
	done := t.status < 300 || t.unsure && !in && (t.status == http.StatusNotFound || t.status == http.StatusForbidden || t.status == http.StatusConflict)
	if !done {
		return fmt.Errorf("%s of user %d in room %d: %d %s", path, p.id, c.id, t.status, t.body)
	}
	m.Outcome, m.End = oracle.Answered, s.rec.tick()
	s.rec.movedOne(m)
	c.in[p] = in
	s.rec.count("members moved")
	return nil
}

func (s *scene) banAndLift(ctx context.Context, c *channel, p *person) error {
	path := fmt.Sprintf("/bans/%d", p.id)
	if err := s.change(ctx, c, c.owner, p, http.MethodPut, path, false, true); err != nil {
		return err
	}
	return c.owner.want(ctx, http.MethodDelete, fmt.Sprintf("/v1/rooms/%d%s", c.id, path), nil, nil, http.StatusNoContent, http.StatusNotFound)
}

// wordsInside finds the nonces that words have.
var wordsInside = regexp.MustCompile(`words-\d+-\d+`)

// snoop has the outsider try whatever could tell of rooms that they are not in.
func (s *scene) snoop(ctx context.Context) error {
	p := s.outsider
	for !s.stopped() {
		c := s.rooms[p.dice.IntN(len(s.rooms))]
		paths := []string{
			"/v1/users?limit=200", "/v1/who?limit=200", "/v1/rooms?scope=public", "/v1/rooms?limit=200", "/v1/me/export",
			fmt.Sprintf("/v1/messages/%d", 1+p.dice.Int64N(p.rec.highest())), fmt.Sprintf("/v1/rooms/%d/members", c.id),
			fmt.Sprintf("/v1/rooms/%d", c.id), fmt.Sprintf("/v1/messages/%d/replies", 1+p.dice.Int64N(p.rec.highest())),
		}
		g := oracle.Glimpse{Call: oracle.Call{By: p.id, Start: s.rec.tick()}, Where: paths[p.dice.IntN(len(paths))]}
		t, err := p.insist(ctx, http.MethodGet, g.Where, nil)
		if err != nil {
			return err
		}
		g.End = s.rec.tick()
		for _, text := range wordsInside.FindAllString(string(t.body), -1) {
			g.Nonce = text
			s.rec.saw(g)
		}
		if _, err := p.readHistory(ctx, c.id, 0, 0, 10); err != nil {
			return err
		}
		if err := s.rec.grow(ctx, 10); err != nil || s.stopped() {
			return err
		}
	}
	return nil
}
