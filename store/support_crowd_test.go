package store

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"parley/chat"
	"parley/models"
)

// watched follows what the agents are told and says what may never be. It is called in the order of the log.
type watched struct {
	capacity map[int64]int // of those who take over nothing
	state    map[int64]modelConversation
	wrong    []string
}

func (v *watched) hears(c modelConversation) {
	was, known := v.state[c.id]
	var allowed bool
	switch {
	case !known:
		allowed = c.state == models.Queued
	case was.state == models.Queued:
		allowed = c.state != models.Queued || c.queue != was.queue
	case was.state == models.Assigned:
		allowed = c.state != models.Assigned || c.agent != was.agent
	default:
		allowed = c.state == models.Queued
	}
	if !allowed || (c.agent == 0) != (c.state == models.Queued || c.state == models.Closed && was.state != models.Assigned) {
		v.wrong = append(v.wrong, fmt.Sprintf("%s becomes %s", was, c))
	}
	v.state[c.id] = c
	load := 0
	for _, other := range v.state {
		if other.state == models.Assigned && other.agent == c.agent {
			load++
		}
	}
	if most, bound := v.capacity[c.agent]; bound && c.state == models.Assigned && load > most {
		v.wrong = append(v.wrong, fmt.Sprintf("agent %d has %d, at most %d", c.agent, load, most))
	}
}

// crowd is what somebody in TestSupportByManyAtOnce does, one thing of it after the other.
func (w *supportWorld) crowd(id int64, rng *rand.Rand, agents []int64) {
	a := w.actors[id]
	conversation := func() int64 {
		list, _, err := w.chat.Conversations(w.ctx, w.actors[w.root], chat.ConversationFilter{State: models.ConversationState([]string{"", "queued", "assigned"}[rng.IntN(3)])}, 0, 20)
		if err != nil || len(list) == 0 {
			return 1
		}
		return list[rng.IntN(len(list))].ID
	}
	var err error
	switch rng.IntN(9) {
	case 0:
		w.desk.Arrive(id, 1, false)
		runtime.Gosched()
		w.desk.Depart(id, 1, false)
	case 1, 2:
		if slices.Contains(agents, id) {
			_, err = w.chat.SetAvailability(w.ctx, a, chat.Availability{Available: rng.IntN(3) > 0})
		} else {
			_, err = w.chat.OpenConversation(w.ctx, a, chat.NewConversation{Wait: rng.IntN(4) > 0})
		}
	case 3:
		_, err = w.chat.SetAvailability(w.ctx, a, chat.Availability{Release: true})
	case 4:
		_, err = w.chat.AcceptConversation(w.ctx, a, conversation())
	case 5:
		to := chat.Transfer{}
		if rng.IntN(2) == 0 {
			to.Agent = ref(agents[rng.IntN(len(agents))])
		}
		_, err = w.chat.TransferConversation(w.ctx, a, conversation(), to)
	case 6:
		_, err = w.chat.TransferConversation(w.ctx, a, conversation(), chat.Transfer{Queue: []string{"general", "billing"}[rng.IntN(2)]})
	case 7:
		_, err = w.chat.CloseConversation(w.ctx, a, conversation())
	case 8:
		_, err = w.chat.ReopenConversation(w.ctx, a, conversation())
	}
	if code := models.CodeOf(err); err != nil && !slices.Contains([]models.Code{
		models.CodeConflict, models.CodeForbidden, models.CodeNotFound, models.CodeNoAgentAvailable, models.CodeValidationFailed,
	}, code) {
		w.t.Errorf("PARLEY_TEST_SEED=%d: %v", w.seed, err)
	}
}

// Whatever many do at the same time, nobody is given more than they take, a conversation has one agent, what is told is each
// change once, and when all is quiet nobody waits beside a free agent.
func TestSupportByManyAtOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		w := newSupportWorld(t, o, fromSeed(t))
		v := &watched{capacity: map[int64]int{}, state: map[int64]modelConversation{}}
		var agents, all []int64
		for n := range 3 {
			id := w.register()
			_, err := w.chat.SetUserRole(w.ctx, w.actors[w.root], ref(id), models.RoleAgent)
			w.must(err)
			capacity := 1 + n/2
			v.capacity[id] = capacity
			_, err = w.chat.SetAvailability(w.ctx, w.actors[id], chat.Availability{Available: true, Capacity: &capacity})
			w.must(err)
			w.desk.Arrive(id, 1, false)
			agents, all = append(agents, id), append(all, id)
		}
		for range 14 {
			login, err := w.chat.CreateVisitor(w.ctx, chat.NewVisitor{}, chat.Device{})
			w.must(err)
			all = append(all, w.enters(login))
			w.desk.Arrive(all[len(all)-1], 1, false)
		}
		rounds := 60
		if o.URL != "" {
			rounds = 20
		}
		var running, looking sync.WaitGroup
		quiet := make(chan struct{})
		looking.Go(func() {
			for {
				select {
				case <-quiet:
					return
				default:
					if err := w.chat.LookAround(w.ctx); err != nil {
						t.Errorf("look around: %v", err)
					}
				}
			}
		})
		for i, id := range all {
			running.Go(func() {
				rng := rand.New(rand.NewPCG(w.seed, uint64(i)+7))
				for range rounds {
					w.crowd(id, rng, agents)
				}
			})
		}
		running.Wait()
		close(quiet)
		looking.Wait()
		for _, id := range agents {
			_, err := w.chat.SetAvailability(w.ctx, w.actors[id], chat.Availability{Available: true})
			w.must(err)
		}
		w.must(w.chat.LookAround(w.ctx))
		w.quiet(v, agents)
		w.replayed(w.root, models.Agents())
		for _, id := range all[len(agents):] {
			w.replayed(id, models.ForUser(id))
		}
	})
}

// quiet looks at what was told and at what is, after all.
func (w *supportWorld) quiet(v *watched, agents []int64) {
	w.t.Helper()
	var told [2][]string // to agents and to visitors, who are told in the same order
	for _, e := range w.fresh() {
		line := w.lineOfEvent(e)
		if e.Audience == models.Agents() {
			told[0] = append(told[0], line)
			v.hears(w.conversationOf(e))
		} else {
			told[1] = append(told[1], line)
		}
	}
	if len(v.wrong) > 0 {
		w.failed("%s", strings.Join(v.wrong, "\n"))
	}
	if !slices.Equal(told[0], told[1]) {
		w.failed("agents are told %d changes, visitors %d", len(told[0]), len(told[1]))
	}
	load, waiting := map[int64]int{}, 0
	list, _, err := w.chat.Conversations(w.ctx, w.actors[w.root], chat.ConversationFilter{}, 0, 10_000)
	w.must(err)
	for _, c := range list {
		if got, want := lineOf(c), v.state[c.ID].String(); got != want {
			w.failed("there is %s, the last that was told is %s", got, want)
		}
		switch c.State {
		case models.Assigned:
			load[c.AgentID]++
		case models.Queued:
			waiting++
		}
		if c.Open() {
			w.alone(c)
		}
	}
	for _, id := range agents {
		if load[id] < v.capacity[id] && waiting > 0 {
			w.failed("%d wait, and agent %d has %d of %d", waiting, id, load[id], v.capacity[id])
		}
	}
	w.t.Logf("%d conversations, %d changes, %d wait", len(list), len(told[0]), waiting)
}

// alone demands that nobody is in the conversation's room but the visitor and the agent.
func (w *supportWorld) alone(c models.Conversation) {
	w.t.Helper()
	want := []models.Member{{User: models.User{ID: c.VisitorID}, Role: models.RoomMember}}
	if c.State == models.Assigned {
		want = append(want, models.Member{User: models.User{ID: c.AgentID}, Role: models.RoomModerator})
	}
	var got []models.Member
	view(w.t, w.store, func(r chat.Reader) (err error) {
		got, err = r.Members(c.ID, 0, 10)
		return err
	})
	if got, want := roomLine(got), roomLine(want); got != want {
		w.failed("%s%s, want%s", lineOf(c), got, want)
	}
}
