package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/tests/faults/oracle"
)

// longest is how long a scenario may take on a machine that does much else.
const longest = 10 * time.Minute

// scene is one server and all who use it.
type scene struct {
	t      *testing.T
	db     *database
	server *server
	rec    *record
	calls  *http.Transport // of the people

	admin    *person
	owners   []*person // with passwords: who opens channels
	guests   []*person
	outsider *person // is in no channel but the lobby
	rooms    []*channel
	young    load      // of the server before anybody came
	copy     *database // a backup
	streams  string    // where streams find the server; empty: where their people do

	ctx     context.Context
	over    context.CancelCauseFunc
	enough  chan struct{} // closed when people may stop
	acting  sync.WaitGroup
	reading sync.WaitGroup
	mu      sync.Mutex
	errs    []error
}

// channel is a room that its owner lets people into, and out of.
type channel struct {
	id     int64
	owner  *person
	public bool
	in     map[*person]bool // known to its conductor only
}

// newScene starts a server with an admin, three owners, some guests, and a public and two private channels.
func newScene(t *testing.T, db *database, guests int, flags ...string) *scene {
	t.Helper()
	s := &scene{t: t, db: db, rec: newRecord(), calls: transport(), enough: make(chan struct{})}
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	t.Cleanup(cancel)
	s.ctx, s.over = context.WithCancelCause(ctx)
	t.Cleanup(func() { s.over(errOver) })
	t.Cleanup(s.calls.CloseIdleConnections)
	s.server = newServer(t, db, flags...)
	s.young = s.load()
	s.admin = s.newcomer("root")
	for i := range 3 {
		s.owners = append(s.owners, s.newcomer(fmt.Sprintf("owner%d", i)))
	}
	for range guests {
		s.guests = append(s.guests, s.newcomer(""))
	}
	s.outsider = s.newcomer("")
	s.open("commons", s.owners[0], true)
	s.open("secret", s.owners[1], false)
	s.open("cabal", s.owners[2], false)
	return s
}

// newcomer makes an account: with a name one with a password, else a guest.
func (s *scene) newcomer(name string) *person {
	s.t.Helper()
	p := &person{rec: s.rec, url: s.server.url(), http: &http.Client{Transport: s.calls}}
	path := "/v1/guest"
	if name != "" {
		path = "/v1/register"
	}
	if err := p.enter(s.ctx, path, name); err != nil {
		s.t.Fatal(err)
	}
	p.dice = diceFor(s.t, p.name)
	return p
}

func (s *scene) open(name string, owner *person, public bool) {
	s.t.Helper()
	visibility := "private"
	if public {
		visibility = "public"
	}
	var room struct{ ID int64 }
	c := &channel{owner: owner, public: public, in: map[*person]bool{owner: true}}
	m := oracle.Move{Call: oracle.Call{By: owner.id, Start: s.rec.tick(), Outcome: oracle.Answered}, User: owner.id, In: true}
	if err := owner.want(s.ctx, http.MethodPost, "/v1/rooms", map[string]string{"name": name, "visibility": visibility}, &room, 201); err != nil {
		s.t.Fatal(err)
	}
	c.id, m.Room, m.End = room.ID, room.ID, s.rec.tick()
	s.rec.movedOne(m)
	s.rooms = append(s.rooms, c)
}

// people are all who talk.
func (s *scene) people() []*person { return append(append([]*person{}, s.owners...), s.guests...) }

// everyone includes who only listens.
func (s *scene) everyone() []*person { return append(s.people(), s.admin, s.outsider) }

func (s *scene) personOf(id int64) *person {
	for _, p := range s.everyone() {
		if p.id == id {
			return p
		}
	}
	return nil
}

// failure is the first one, if any.
func (s *scene) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.errs) > 0 {
		return s.errs[0]
	}
	return context.Cause(s.ctx)
}

// act runs what somebody does until there is enough. What it tells is a failure.
func (s *scene) act(do func(ctx context.Context) error) {
	s.acting.Go(func() { s.note(do(s.ctx)) })
}

// follow lets a follower read until the end.
func (s *scene) follow(f *follower) {
	s.reading.Go(func() { s.note(f.run(s.ctx)) })
}

// note takes an error for a failure of all.
func (s *scene) note(err error) {
	if err == nil || s.ctx.Err() != nil { // what follows from the first says nothing
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errs = append(s.errs, err)
	s.over(err)
}

// must ends the test where err is one, with all that is known.
func (s *scene) must(err error) {
	s.t.Helper()
	if err == nil {
		return
	}
	s.over(err)
	s.acting.Wait()
	s.reading.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.errs {
		if !errors.Is(err, e) {
			s.t.Error(e)
		}
	}
	for _, c := range s.rec.complaints() {
		s.t.Error(c)
	}
	s.t.Fatal(err)
}

// stopped says whether there is enough.
func (s *scene) stopped() bool {
	select {
	case <-s.enough:
		return true
	case <-s.ctx.Done():
		return true
	default:
		return false
	}
}

// opened waits until followers have their first connection.
func (s *scene) opened(all ...*follower) {
	s.t.Helper()
	for _, f := range all {
		select {
		case <-f.opened:
		case <-s.ctx.Done():
			s.must(context.Cause(s.ctx))
		}
	}
}

// halt has everybody stop. They can be set to work again.
func (s *scene) halt() {
	s.t.Helper()
	close(s.enough)
	s.rec.finish(true) // who waits for more to happen need not
	s.acting.Wait()
	s.must(context.Cause(s.ctx))
	s.enough = make(chan struct{})
	s.rec.finish(false)
}

// finish has everybody stop, says the last word, and waits for all who read.
func (s *scene) finish() (end int64) {
	s.t.Helper()
	s.halt()
	s.rec.finish(true)
	end, err := s.owners[0].say(s.ctx, roomTarget(lobby), theEnd)
	s.must(err)
	s.reading.Wait()
	s.must(context.Cause(s.ctx))
	for _, r := range s.rec.run.Readers {
		r.End = max(r.End, end)
	}
	return end
}

const lobby = 1

// words is a text that nobody else says. Its first word is its nonce.
func (p *person) words() string {
	p.said++
	return fmt.Sprintf("words-%d-%d%s", p.id, p.said, strings.Repeat(" la", p.dice.IntN(30)))
}
