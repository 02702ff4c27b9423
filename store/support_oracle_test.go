package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

// supportWorld is support at work on a database, and what happens in it.
type supportWorld struct {
	t      *testing.T
	ctx    context.Context
	seed   uint64
	rand   *rand.Rand
	steps  []string
	store  *Store
	chat   *chat.Service
	desk   *chat.Tracker
	halt   func()       // ends what the service does beside
	at     atomic.Int64 // the clock, Unix ms
	m      *supportModel
	actors map[int64]chat.Actor
	tokens map[int64]string
	root   int64
	served map[int64]bool   // who ever was of staff
	names  map[int64]string // of the departments
	made   int

	mu        sync.Mutex
	published []models.Event // support.updated
	seen      int            // of them
	whispers  []string       // the places that were told
	places    map[int64]int  // conversation → its place after the last look
	came      map[int64]bool // who came since then
}

func (w *supportWorld) Typing(int64, models.EventUser) {}
func (w *supportWorld) ReadMoved(int64, int64, int64)  {}
func (w *supportWorld) Position(user, id int64, place int) {
	w.whispers = append(w.whispers, whisperLine(user, id, place))
}

func whisperLine(user, id int64, place int) string {
	return fmt.Sprintf("%d: %d has place %d", user, id, place)
}

func (w *supportWorld) now() time.Time { return time.UnixMilli(w.at.Load()) }

// fromSeed is the seed of this run, which PARLEY_TEST_SEED repeats.
func fromSeed(t *testing.T) uint64 {
	t.Helper()
	if s := os.Getenv("PARLEY_TEST_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("PARLEY_TEST_SEED: %v", err)
		}
		return seed
	}
	return uint64(time.Now().UnixNano())
}

func newSupportWorld(t *testing.T, o Options, seed uint64) *supportWorld {
	t.Helper()
	w := &supportWorld{
		t: t, ctx: t.Context(), seed: seed, rand: rand.New(rand.NewPCG(seed, 6)),
		actors: map[int64]chat.Actor{}, tokens: map[int64]string{}, served: map[int64]bool{}, places: map[int64]int{}, came: map[int64]bool{},
		names: map[int64]string{models.GeneralQueue: "general"},
	}
	w.at.Store(1_800_000_000_000)
	o.Clock = w.now
	o.OnCommit = func(events []models.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.chat.Observe(events)
		for _, e := range events {
			if e.Type == models.SupportUpdated {
				w.published = append(w.published, e)
			}
		}
	}
	w.store = mustOpen(t, o)
	w.m = &supportModel{people: map[int64]*modelPerson{}, agents: map[int64]*modelAgent{}, manual: map[int64]bool{}}
	w.run()
	t.Cleanup(func() { w.halt() })
	w.root = w.register()
	w.m.people[w.root].role = models.RoleAdmin
	for _, name := range []string{"billing", "complaints"} {
		assignment := models.AutoAssignment
		if name == "complaints" {
			assignment = models.ManualAssignment
		}
		d, err := w.chat.CreateDepartment(w.ctx, w.actors[w.root], chat.NewDepartment{Name: name, Assignment: assignment})
		w.must(err)
		w.names[d.ID], w.m.manual[d.ID] = name, assignment == models.ManualAssignment
	}
	return w
}

// run starts the service, as the program does after each start.
func (w *supportWorld) run() {
	ctx, stop := context.WithCancel(w.ctx)
	w.desk = chat.NewTracker(chat.TrackerOptions{Clock: w.now})
	service := chat.New(chat.Options{
		Store: w.store, Presence: w.desk, Whisper: w, Guests: true, Clock: w.now, SupportLeaveAfter: leaveAfter,
		Hasher: chat.NewHasher(chat.HashCost{MemoryKiB: 8, Passes: 1}),
	})
	w.mu.Lock()
	w.chat = service
	w.mu.Unlock()
	done := make(chan struct{})
	go func() { defer close(done); service.FinishDeletions(ctx) }()
	w.halt = func() { stop(); <-done }
	w.m.now, w.m.started = w.now(), w.now()
}

// failed ends the test with all that it takes to see why.
func (w *supportWorld) failed(format string, args ...any) {
	w.t.Helper()
	w.t.Fatalf("PARLEY_TEST_SEED=%d, after %d steps, the last ones:\n%s\n%s", w.seed, len(w.steps),
		strings.Join(w.steps[max(0, len(w.steps)-40):], "\n"), fmt.Sprintf(format, args...))
}

func (w *supportWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.failed("%v", err)
	}
}

func (w *supportWorld) enters(login chat.Login) int64 {
	u := login.Actor.User
	w.actors[u.ID], w.tokens[u.ID] = login.Actor, login.Token
	w.m.people[u.ID] = &modelPerson{id: u.ID, name: u.Name, role: u.Role}
	return u.ID
}

func (w *supportWorld) register() int64 {
	w.made++
	login, err := w.chat.Register(w.ctx, fmt.Sprint("user", w.made), readPassword, chat.Device{})
	w.must(err)
	return w.enters(login)
}

func pick[T any](w *supportWorld, list ...T) T { return list[w.rand.IntN(len(list))] }

func (w *supportWorld) odds(n int) bool { return w.rand.IntN(n) == 0 }

// someone is one of the accounts that fit, or any where none does.
func (w *supportWorld) someone(fits func(p *modelPerson) bool) *modelPerson {
	var all, list []*modelPerson
	for _, id := range slices.Sorted(maps.Keys(w.m.people)) {
		p := w.m.people[id]
		if all = append(all, p); fits != nil && fits(p) {
			list = append(list, p)
		}
	}
	if len(list) == 0 {
		list = all
	}
	return pick(w, list...)
}

func staff(p *modelPerson) bool { return p.role.Staff() }

func (w *supportWorld) staff() (n int) {
	for _, p := range w.m.people {
		if staff(p) {
			n++
		}
	}
	return n
}

// who is mostly whom the call is for, and now and then anybody.
func (w *supportWorld) who(fits func(p *modelPerson) bool) int64 {
	if w.odds(12) {
		fits = nil
	}
	return w.someone(fits).id
}

// some is one of the conversations, mostly one that is open or was closed lately.
func (w *supportWorld) some() *modelConversation {
	list := w.m.list
	if !w.odds(20) {
		list = nil
		for _, c := range w.m.list[max(0, len(w.m.list)-60):] {
			if c.open() || w.odds(25) {
				list = append(list, c)
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	return pick(w, list...)
}

func (w *supportWorld) department() int64 { return pick(w, slices.Sorted(maps.Keys(w.names))...) }

// step notes what is done next.
func (w *supportWorld) step(format string, args ...any) {
	w.steps = append(w.steps, w.now().UTC().Format("02 15:04:05.000 ")+fmt.Sprintf(format, args...))
}

// asks is a request: it is authenticated as the API does it.
func (w *supportWorld) asks(id int64) chat.Actor {
	a, _, err := w.chat.Authenticate(w.ctx, w.tokens[id])
	w.must(err)
	w.m.people[id].asked = w.m.now
	return a
}

// answered compares what was answered with what the model says.
func (w *supportWorld) answered(err error, want models.Code) {
	w.t.Helper()
	if err == nil && want == "" {
		return
	}
	if code := models.CodeOf(err); err == nil || code != want {
		w.failed("answered %q, want %q", fmt.Sprint(err), want)
	}
}

// supportSteps are what can happen, with how often it does.
var supportSteps = []struct {
	odds int
	do   func(w *supportWorld)
}{
	{14, func(w *supportWorld) { // open
		id, queue, wait := w.who(func(p *modelPerson) bool { return !staff(p) && w.m.openOf(p.id) == nil }), w.department(), !w.odds(4)
		w.step("%d opens in %s, waits: %v", id, w.names[queue], wait)
		name := w.names[queue]
		if queue == models.GeneralQueue && w.odds(2) {
			name = ""
		}
		c, err := w.chat.OpenConversation(w.ctx, w.asks(id), chat.NewConversation{Queue: name, Wait: wait})
		w.answered(err, w.m.opens(id, queue, wait, c.ID))
		if err == nil {
			w.answers(c)
		}
	}},
	{12, func(w *supportWorld) { // an agent comes, goes, takes more or fewer
		id, v := w.who(staff), chat.Availability{Available: !w.odds(3)}
		var queues []int64
		if w.odds(2) {
			n := 1 + w.rand.IntN(3)
			v.Capacity = &n
		}
		if w.odds(4) {
			names := []string{}
			for _, q := range slices.Sorted(maps.Keys(w.names)) {
				if w.odds(2) {
					queues, names = append(queues, q), append(names, w.names[q])
				}
			}
			v.Queues = &names
		}
		v.Release = !v.Available && w.odds(2)
		w.step("%d is available: %v, capacity %v, departments %v, release %v", id, v.Available, v.Capacity != nil, queues, v.Release)
		_, err := w.chat.SetAvailability(w.ctx, w.asks(id), v)
		w.answered(err, w.m.saysAvailable(id, v, queues))
	}},
	{5, func(w *supportWorld) { // accept by hand, take over
		if c := w.some(); c != nil {
			id := w.who(staff)
			w.step("%d accepts %s", id, c)
			got, err := w.chat.AcceptConversation(w.ctx, w.asks(id), c.id)
			w.answered(err, w.m.accepts(id, c))
			if err == nil {
				w.answers(got)
			}
		}
	}},
	{7, func(w *supportWorld) { // transfer
		c := w.some()
		if c == nil {
			return
		}
		id := w.who(func(p *modelPerson) bool { return staff(p) && w.m.mayMove(p.id, c) })
		var to chat.Transfer
		var agent, queue int64
		switch w.rand.IntN(3) {
		case 0:
			agent = w.who(staff)
			to.Agent = ref(agent)
		case 1:
			queue = w.department()
			to.Queue = w.names[queue]
		}
		w.step("%d transfers %s to %+v", id, c, to)
		got, err := w.chat.TransferConversation(w.ctx, w.asks(id), c.id, to)
		w.answered(err, w.m.transfers(id, c, agent, queue))
		if err == nil {
			w.answers(got)
		}
	}},
	{9, func(w *supportWorld) { // close
		if c := w.some(); c != nil {
			id := w.who(func(p *modelPerson) bool { return p.id == c.visitor || p.id == c.agent || p.id == w.root })
			w.step("%d closes %s", id, c)
			got, err := w.chat.CloseConversation(w.ctx, w.asks(id), c.id)
			w.answered(err, w.m.closes(id, c))
			if err == nil {
				w.answers(got)
			}
		}
	}},
	{4, func(w *supportWorld) { // reopen
		if len(w.m.list) > 0 {
			c := pick(w, w.m.list[max(0, len(w.m.list)-30):]...)
			id := w.who(func(p *modelPerson) bool { return p.id == c.visitor || p.id == w.root })
			w.step("%d reopens %s", id, c)
			got, err := w.chat.ReopenConversation(w.ctx, w.asks(id), c.id)
			w.answered(err, w.m.reopens(id, c))
			if err == nil {
				w.answers(got)
			}
		}
	}},
	{12, func(w *supportWorld) { // a stream or a poll comes
		id, poll := w.someone(nil).id, w.odds(4)
		if w.odds(2) {
			id = w.someone(staff).id
		}
		w.step("%d comes, poll %v", id, poll)
		w.asks(id)
		w.desk.Arrive(id, 1, poll)
		w.m.arrive(id, poll)
		w.came[id] = true
		if w.odds(2) {
			w.look() // as the server does when somebody comes
		}
	}},
	{12, func(w *supportWorld) { // and goes
		here := func(p *modelPerson) bool { return p.streams+p.polls > 0 }
		if p := w.someone(here); here(p) {
			poll := p.streams == 0 || p.polls > 0 && w.odds(2)
			w.step("%d goes, poll %v", p.id, poll)
			w.desk.Depart(p.id, 1, poll)
			w.m.depart(p.id, poll)
		}
	}},
	{4, func(w *supportWorld) { // a request
		id := w.someone(nil).id
		w.step("%d asks", id)
		w.asks(id)
	}},
	{12, func(w *supportWorld) { // time passes
		by := pick(w, time.Millisecond, 900*time.Millisecond, 3*time.Second, 3*time.Second, 10*time.Second, 31*time.Second, time.Minute, leaveAfter, 2*leaveAfter)
		if w.odds(40) {
			by = pick(w, comesBack-leaveAfter, comesBack)
		}
		w.at.Add(by.Milliseconds())
		w.m.now = w.now()
		w.step("%v passes", by)
	}},
	{14, (*supportWorld).look},
	{3, func(w *supportWorld) { // somebody new
		switch {
		case w.odds(3):
			w.step("%d registers", w.register())
		case len(w.m.people) < 40:
			login, err := w.chat.CreateVisitor(w.ctx, chat.NewVisitor{}, chat.Device{})
			if w.odds(4) {
				login, err = w.chat.Guest(w.ctx, "", chat.Device{})
			}
			w.must(err)
			w.step("%d is a new %s", w.enters(login), login.Actor.User.Role)
		}
	}},
	{2, func(w *supportWorld) { // another role
		p := w.someone(func(p *modelPerson) bool { return p.role == models.RoleMember || staff(p) })
		role := pick(w, models.RoleMember, models.RoleAgent, models.RoleAgent, models.RoleAdmin)
		if p.id == w.root || p.role == role || staff(p) != role.Staff() && staff(p) == (w.staff() < 6) {
			return
		}
		w.step("%d, %s, becomes %s", p.id, p.role, role)
		_, err := w.chat.SetUserRole(w.ctx, w.asks(w.root), ref(p.id), role)
		w.must(err)
		w.m.becomes(p.id, role)
		w.served[p.id] = true
	}},
	{1, func(w *supportWorld) { // an account is deleted
		p := w.someone(nil)
		if p.id == w.root || staff(p) && w.staff() < 4 {
			return
		}
		w.step("%d, %s, is deleted", p.id, p.role)
		password := ""
		if p.role == models.RoleMember || staff(p) {
			password = readPassword
		}
		w.must(w.chat.DeleteAccount(w.ctx, w.asks(p.id), password, w.odds(2)))
		w.m.vanishes(p.id)
	}},
	{1, func(w *supportWorld) { // the program is started anew
		if w.odds(3) {
			w.step("restart")
			w.halt()
			w.run()
			w.m.restart()
			clear(w.places)
			clear(w.came)
			w.look()
		}
	}},
}

// look has the server look around, and compares the places that visitors were told of.
func (w *supportWorld) look() {
	w.step("look")
	w.whispers = nil
	w.must(w.chat.LookAround(w.ctx))
	w.m.look()
	if s := w.m.starved(); s != "" {
		w.failed("%s", s)
	}
	places, want := map[int64]int{}, []string(nil)
	for _, c := range w.m.queued() {
		places[c.id] = w.m.position(c)
		if w.came[c.visitor] || w.places[c.id] != places[c.id] {
			want = append(want, whisperLine(c.visitor, c.id, places[c.id]))
		}
	}
	slices.Sort(want)
	slices.Sort(w.whispers)
	if !slices.Equal(w.whispers, want) {
		w.failed("the visitors are told %q, want %q", w.whispers, want)
	}
	w.places = places
	clear(w.came)
}

// compare holds what is against what should be.
func (w *supportWorld) compare() {
	w.t.Helper()
	told := w.m.told
	w.events()
	whole := len(w.steps)%50 == 0
	if len(told) > 0 || whole {
		w.rows(told, whole)
	}
	list, err := w.chat.SupportAgents(w.ctx, w.actors[w.root], 0, 1000)
	w.must(err)
	var lines []string
	for _, a := range list.Agents {
		lines = append(lines, agentLine(a.User.ID, a.Available, a.Capacity, a.Load, a.Queues, a.Here, a.IdleSince))
	}
	if got, want := strings.Join(lines, "\n"), w.m.agentsNow(w.names); got != want {
		w.failed("the agents are\n%s\nwant\n%s", got, want)
	}
}

// rows compares the conversations that are open, and who is in their rooms where something was told of them, or whole is set.
func (w *supportWorld) rows(changed []string, whole bool) {
	w.t.Helper()
	asked := map[int64]bool{}
	for _, line := range changed {
		var id int64
		_, err := fmt.Sscan(line, &id)
		w.must(err)
		asked[id] = true
	}
	var got, want []string
	view(w.t, w.store, func(r chat.Reader) error {
		for _, state := range []models.ConversationState{models.Queued, models.Assigned} {
			list, err := r.Conversations(models.ConversationPage{State: state, Limit: 1000})
			if err != nil {
				return err
			}
			for _, c := range list {
				line := fmt.Sprintf("%s, place %d", lineOf(c), c.Position)
				if whole || asked[c.ID] {
					members, err := r.Members(c.ID, 0, 10)
					if err != nil {
						return err
					}
					line += roomLine(members)
				}
				got = append(got, line)
			}
		}
		return nil
	})
	for _, c := range w.m.list {
		if !c.open() {
			continue
		}
		place, members := 0, []models.Member{{User: models.User{ID: c.visitor}, Role: models.RoomMember}}
		if c.state == models.Queued {
			place = w.m.position(c)
		} else {
			members = append(members, models.Member{User: models.User{ID: c.agent}, Role: models.RoomModerator})
		}
		line := fmt.Sprintf("%s, place %d", c, place)
		if whole || asked[c.id] {
			line += roomLine(members)
		}
		want = append(want, line)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.failed("open are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func roomLine(members []models.Member) string {
	var list []string
	for _, m := range members {
		list = append(list, fmt.Sprint(m.User.ID, m.Role))
	}
	slices.Sort(list)
	return fmt.Sprint(", in the room ", list)
}

// lineOf is a conversation as the model says one.
func lineOf(c models.Conversation) string {
	return modelConversation{id: c.ID, visitor: c.VisitorID, queue: c.QueueID, agent: c.AgentID, state: c.State, reason: c.Reason}.String()
}

// answers compares the conversation that a call gives.
func (w *supportWorld) answers(c models.Conversation) {
	w.t.Helper()
	m := w.m.conversation(c.ID)
	want, place := m.String(), 0
	if m.state == models.Queued {
		place = w.m.position(m)
	}
	if got := lineOf(c); got != want || c.Position != place {
		w.failed("answered %s, place %d, want %s, place %d", got, c.Position, want, place)
	}
}

// fresh gives the events since the last time.
func (w *supportWorld) fresh() []models.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.published[w.seen:]
	w.seen = len(w.published)
	return list
}

// events compares what is told: of each change once to the agents and once to the visitor.
func (w *supportWorld) events() {
	w.t.Helper()
	var agents, visitors []string
	for _, e := range w.fresh() {
		line := w.lineOfEvent(e)
		if e.Audience == models.Agents() {
			agents = append(agents, line)
		} else {
			visitors = append(visitors, line)
		}
	}
	if want := w.m.told; !slices.Equal(agents, want) || !slices.Equal(visitors, want) {
		w.failed("the agents are told\n%s\nthe visitors\n%s\nwant\n%s", strings.Join(agents, "\n"), strings.Join(visitors, "\n"), strings.Join(want, "\n"))
	}
	w.m.told = nil
}

// conversationOf is an event's conversation as the model has one. An event for a visitor must be for the conversation's own.
func (w *supportWorld) conversationOf(e models.Event) modelConversation {
	w.t.Helper()
	var body struct{ Data models.SupportData }
	w.must(json.Unmarshal(e.JSON, &body))
	c := body.Data.Conversation
	m := modelConversation{id: c.ID, visitor: c.Visitor.ID, state: c.State, reason: c.Reason}
	if c.Agent != nil {
		m.agent = c.Agent.ID
	}
	for id, name := range w.names {
		if name == c.Queue {
			m.queue = id
		}
	}
	if e.Audience != models.Agents() && e.Audience != models.ForUser(c.Visitor.ID) {
		w.failed("%s is told to %+v", e.JSON, e.Audience)
	}
	return m
}

func (w *supportWorld) lineOfEvent(e models.Event) string { return w.conversationOf(e).String() }

// replayed compares what a reader of the log is given with what was published to the audience. Names are of no account: those
// of who was deleted go from the log.
func (w *supportWorld) replayed(user int64, audience models.Audience) {
	w.t.Helper()
	var got, want []string
	for after := int64(0); ; {
		page, err := w.store.Page(w.ctx, user, after, 500)
		w.must(err)
		for _, e := range page.Events {
			if e.Type == models.SupportUpdated {
				got = append(got, fmt.Sprint(e.ID, " ", w.lineOfEvent(e)))
			}
		}
		if after = page.To; after >= page.Head {
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.published {
		if e.Audience == audience {
			want = append(want, fmt.Sprint(e.ID, " ", w.lineOfEvent(e)))
		}
	}
	if !slices.Equal(got, want) {
		w.failed("%d replays %d events, want the %d that were published", user, len(got), len(want))
	}
}

// Whatever happens in whatever order, support is as a plain model of it says: who has which conversation, who waits at which
// place, what is answered and what is told.
func TestSupportAgainstAModel(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		w := newSupportWorld(t, o, fromSeed(t))
		var all []int
		for i, s := range supportSteps {
			for range s.odds {
				all = append(all, i)
			}
		}
		for range 4 {
			id := w.register()
			_, err := w.chat.SetUserRole(w.ctx, w.actors[w.root], ref(id), models.RoleAgent)
			w.must(err)
			w.m.becomes(id, models.RoleAgent)
			w.served[id] = true
		}
		for range 8 {
			login, err := w.chat.CreateVisitor(w.ctx, chat.NewVisitor{}, chat.Device{})
			w.must(err)
			w.enters(login)
		}
		steps := 2000
		if o.URL != "" {
			steps = 200 // each takes longer
		}
		for range steps {
			supportSteps[pick(w, all...)].do(w)
			w.compare()
		}
		w.replayed(w.root, models.Agents())
		for _, id := range slices.Sorted(maps.Keys(w.m.people)) {
			if !staff(w.m.people[id]) && !w.served[id] {
				w.replayed(id, models.ForUser(id))
			}
		}
	})
}
