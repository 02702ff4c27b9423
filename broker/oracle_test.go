package broker_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/broker"
	"parley/models"
)

// The oracle test: a publisher does everything that can happen, at random, while clients
// connect, stall, break off and resume at random. Then the oracle says from the
// published events alone, with code of its own, who had to get what.

const (
	oracleUsers   = 8
	oracleVisitor = 7
	oracleSteps   = 1500
)

func TestOracle(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		opt  broker.Options
		log  bool // the log must have been needed while live
		old  int  // steps before the broker started
	}{
		{"tiny ring", broker.Options{RingSize: 16, PageSize: 5}, true, 0},
		{"few bytes", broker.Options{RingSize: 64, RingBytes: 4000, PageSize: 20, LagReaders: 1}, true, 0},
		{"default ring", broker.Options{}, false, 0},
		{"restarted", broker.Options{}, false, oracleSteps},
		{"restarted, small ring", broker.Options{RingSize: 512, PageSize: 20}, false, oracleSteps},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.opt.Heartbeat = 3 * time.Millisecond
			runOracle(t, tc.opt, tc.log, tc.old)
		})
	}
}

func runOracle(t *testing.T, opt broker.Options, needsLog bool, old int) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	w := mustWorld(t, opt)
	w.log.setRole(oracleVisitor, models.RoleVisitor)
	p := &play{world: w, rng: rand.New(rand.NewPCG(seed, 0)), members: make(map[int64]map[int64]bool)}
	p.moved.L = &p.mu
	if old > 0 {
		for range old {
			p.log.append(p.batch()...)
		}
		w.restart(opt)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var all sync.WaitGroup
	var clients []*reader
	for i := range 4 * oracleUsers {
		c := &reader{
			play: p, user: int64(i%oracleUsers) + 1, session: int64(i), poll: i >= 3*oracleUsers,
			rng: rand.New(rand.NewPCG(seed, uint64(i)+1)), cursor: -1,
		}
		switch {
		case i%3 == 0:
			c.cursor = 0 // from the beginning
		case i%3 == 1 && old > 0:
			c.start = c.rng.Int64N(w.log.head())
			c.cursor = c.start
		}
		clients = append(clients, c)
		all.Go(func() { c.run(ctx) })
	}
	p.run()
	all.Wait()
	o := newOracle(w.log.events)
	total := 0
	for _, c := range clients {
		o.check(t, c)
		total += len(c.ids)
	}
	t.Logf("%d events, %d received, %d pages", len(w.log.events), total, w.log.pages.Load())
	if needsLog && w.log.pages.Load() < oracleSteps/10 {
		t.Errorf("only %d pages were read", w.log.pages.Load())
	}
}

// play publishes. Its goroutine alone knows who is where.
type play struct {
	*world
	rng     *rand.Rand
	members map[int64]map[int64]bool // room → users

	mu    sync.Mutex
	moved sync.Cond
	head  int64 // what was published
	final int64 // head when nothing more comes, else 0
}

func (p *play) run() {
	for range oracleSteps {
		p.commit(p.batch(), false)
		for range p.rng.IntN(20) {
			runtime.Gosched()
		}
		if p.rng.IntN(20) == 0 {
			time.Sleep(time.Duration(p.rng.IntN(5)) * time.Millisecond) // let some be quiet
		}
	}
	var end []models.Event
	for user := range int64(oracleUsers) {
		end = append(end, toUser(user+1))
	}
	p.commit(end, true)
}

func (p *play) batch() (batch []models.Event) {
	next := p.log.head() + 1
	for range 1 + p.rng.IntN(4) {
		batch = append(batch, p.step(next+int64(len(batch)))...)
	}
	return batch
}

func (p *play) commit(batch []models.Event, last bool) {
	if last { // known before it can be read: nothing wakes those who have it all
		p.mu.Lock()
		p.final = p.log.head() + int64(len(batch))
		p.mu.Unlock()
	}
	batch = p.log.append(batch...)
	if p.rng.IntN(3) == 0 {
		runtime.Gosched() // the log is ahead of the broker
	}
	p.b.Publish(batch)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.head = batch[len(batch)-1].ID
	p.moved.Broadcast()
}

// await waits until n more events were published, or all.
func (p *play) await(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for until := p.head + n; p.head < until && p.final == 0; {
		p.moved.Wait()
	}
}

func (p *play) finished(cursor int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.final > 0 && cursor >= p.final
}

// step makes one or a few events; the first gets the id next.
func (p *play) step(next int64) []models.Event {
	user := p.rng.Int64N(oracleUsers) + 1
	room, there := p.room()
	switch k := p.rng.IntN(40); {
	case k < 2 || !there:
		return p.newRoom(next, user)
	case k < 3:
		return p.newDirect(next, user, p.rng.Int64N(oracleUsers)+1)
	case k < 4 && len(p.members) > 3:
		delete(p.members, room)
		return []models.Event{roomDeleted(room)}
	case k < 14:
		return p.move(room, user)
	case k < 16:
		return []models.Event{toUser(user)}
	case k < 18:
		return []models.Event{toEveryone()}
	case k < 20:
		return []models.Event{toAgents()}
	case k < 21 && user != oracleVisitor:
		roles := []models.Role{models.RoleAgent, models.RoleMember}
		return []models.Event{roleChanged(user, roles[p.rng.IntN(2)])}
	case k < 22:
		return []models.Event{internal()}
	default:
		return []models.Event{message(room)}
	}
}

// room picks one.
func (p *play) room() (int64, bool) {
	if len(p.members) == 0 {
		return 0, false
	}
	rooms := slices.Sorted(maps.Keys(p.members))
	return rooms[p.rng.IntN(len(rooms))], true
}

func (p *play) newRoom(id, user int64) []models.Event {
	p.members[id] = map[int64]bool{user: true}
	created := toEveryone()
	created.Type, created.RoomID = models.RoomCreated, id
	return []models.Event{created, joined(id, user)}
}

func (p *play) newDirect(id, a, b int64) []models.Event {
	p.members[id] = map[int64]bool{a: true, b: true}
	if a == b {
		return []models.Event{direct(id, a)}
	}
	return []models.Event{direct(id, a), direct(id, b)}
}

// move brings the user in or out of the room, sometimes back at once.
func (p *play) move(room, user int64) []models.Event {
	var events []models.Event
	for range 1 + p.rng.IntN(3)/2 {
		switch {
		case !p.members[room][user]:
			p.members[room][user] = true
			events = append(events, joined(room, user))
		case p.rng.IntN(2) == 0:
			delete(p.members[room], user)
			events = append(events, removed(room, user))
		default:
			delete(p.members[room], user)
			events = append(events, left(room, user))
		}
	}
	return events
}

// reader is a client that never loses its cursor over its many connections.
type reader struct {
	*play
	user, session int64
	poll          bool // long-polls
	rng           *rand.Rand

	cursor int64 // -1: none yet
	start  int64 // where it began
	ids    []int64
	faults []string
}

var errCut = errors.New("connection cut")

func (r *reader) run(ctx context.Context) {
	for r.cursor < 0 || !r.finished(r.cursor) {
		var err error
		if r.poll {
			err = r.polls(ctx)
		} else {
			err = r.streams(ctx)
		}
		if err != nil && !errors.Is(err, errCut) {
			r.t.Errorf("user %d session %d: %v at cursor %d", r.user, r.session, err, r.cursor)
			return
		}
		if r.rng.IntN(2) == 0 {
			r.await(r.rng.Int64N(40)) // away for a while
		}
	}
}

// streams is one connection. It ends by a cut write, before or after the client got it.
func (r *reader) streams(ctx context.Context) error {
	sub := broker.Subscription{User: person(r.user), SessionID: r.session, Format: broker.Format(r.session % 2)}
	if r.cursor >= 0 {
		sub.Cursor = new(r.cursor)
	}
	s, err := r.b.Subscribe(ctx, sub)
	if err != nil {
		return err
	}
	sink := &flakySink{reader: r, parser: recorder{t: r.t, format: sub.Format}, left: r.rng.IntN(60)}
	if r.rng.IntN(2) == 0 {
		return lodge(s, sink).wait(ctx)
	}
	return s.Run(ctx, sink)
}

// polls is a long-poll after another, as package api does them.
func (r *reader) polls(ctx context.Context) error {
	waiter, err := r.b.Watch(r.user, r.session, broker.Filter{})
	if err != nil {
		return err
	}
	defer waiter.Close()
	for range 1 + r.rng.IntN(5) {
		page, err := r.log.Page(ctx, r.user, max(r.cursor, 0), 7)
		if err != nil {
			return err
		}
		for _, e := range page.Events {
			r.ids = append(r.ids, e.ID)
		}
		r.cursor = page.To
		if r.finished(r.cursor) {
			break
		}
		if len(page.Events) == 0 {
			if r.cursor, err = waiter.Wait(ctx, page); err != nil {
				return err
			}
		}
	}
	return nil
}

// take records one frame.
func (r *reader) take(f frame) {
	switch {
	case f.ID != 0:
		r.ids = append(r.ids, f.ID)
		r.cursor = f.ID
	case f.Type == models.Ready:
		if r.cursor < 0 {
			r.start = f.cursor()
		} else if f.cursor() != r.cursor {
			r.faults = append(r.faults, fmt.Sprintf("ready at %d after %d", f.cursor(), r.cursor))
		}
		r.cursor = f.cursor()
	case f.Type == models.Heartbeat && f.cursor() >= r.cursor:
		r.cursor = f.cursor()
	default:
		r.faults = append(r.faults, fmt.Sprintf("%s %s at %d", f.Type, f.Data, r.cursor))
	}
}

// flakySink is one connection of a reader.
type flakySink struct {
	*reader
	parser recorder
	left   int // writes until the cut
}

func (s *flakySink) Write(p []byte) error {
	if s.rng.IntN(10) == 0 {
		s.await(s.rng.Int64N(60)) // slow, and off the ring
	}
	s.left--
	if s.left < 0 && s.rng.IntN(2) == 0 {
		return errCut // it never got there
	}
	frames, err := s.parser.parse(p)
	if err != nil {
		return err
	}
	for _, f := range frames {
		s.take(f)
	}
	if s.left < 0 || s.finished(s.cursor) {
		return errCut
	}
	return nil
}

// oracle says who had to get what. It goes through the events once, in order, and shares no
// code with the broker or the log.
type oracle struct {
	due    map[int64]map[int64]bool // user → ids that must come
	hidden map[int64]map[int64]bool // user → ids that come live, and no more once a removal hid the spell
}

func newOracle(events []models.Event) *oracle {
	o := &oracle{due: make(map[int64]map[int64]bool), hidden: make(map[int64]map[int64]bool)}
	agent := make(map[int64]bool)
	spell := make(map[[2]int64][]int64) // user, room → ids of the spell; present: a member
	for user := range int64(oracleUsers) {
		o.due[user+1], o.hidden[user+1] = make(map[int64]bool), make(map[int64]bool)
	}
	for _, e := range events {
		for user := range o.due {
			key := [2]int64{user, e.Change.RoomID}
			if e.Change.Kind == models.MemberIn && e.Change.UserID == user {
				spell[key] = []int64{}
			}
			_, member := spell[[2]int64{user, e.Audience.ID}]
			switch e.Audience.Kind {
			case models.ToEveryone:
				o.due[user][e.ID] = user != oracleVisitor
			case models.ToUser:
				o.due[user][e.ID] = e.Audience.ID == user
			case models.ToAgents:
				o.due[user][e.ID] = agent[user]
			case models.ToRoom:
				o.due[user][e.ID] = member
				if member {
					spell[[2]int64{user, e.Audience.ID}] = append(spell[[2]int64{user, e.Audience.ID}], e.ID)
				}
			}
			gone := e.Change.Kind == models.MemberOut && e.Change.UserID == user
			ended := e.Change.Kind == models.RoomGone
			if _, in := spell[key]; !in || !(gone || ended) {
				continue
			}
			if ended || e.Change.Reason == "removed" {
				for _, id := range spell[key] {
					o.hidden[user][id] = id != e.ID
				}
			}
			delete(spell, key)
		}
		if e.Change.Kind == models.UserAltered {
			agent[e.Change.UserID] = e.Change.Reason == string(models.RoleAgent)
		}
	}
	return o
}

func (o *oracle) check(t *testing.T, r *reader) {
	t.Helper()
	for _, fault := range r.faults {
		t.Errorf("user %d session %d: %s", r.user, r.session, fault)
	}
	got := make(map[int64]bool)
	last := r.start
	for _, id := range r.ids {
		if id <= last {
			t.Errorf("user %d session %d: %d after %d", r.user, r.session, id, last)
		}
		if !o.due[r.user][id] {
			t.Errorf("user %d session %d: %d is not theirs", r.user, r.session, id)
		}
		last, got[id] = id, true
	}
	for id, due := range o.due[r.user] {
		if due && id > r.start && !got[id] && !o.hidden[r.user][id] {
			t.Errorf("user %d session %d: %d is missing", r.user, r.session, id)
		}
	}
}
