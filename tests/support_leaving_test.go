package tests

import (
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// hall is a server of support after its first half minute, with an admin who hears of every conversation.
type hall struct {
	*harness.Server
	admin *harness.User
	tap   *harness.Stream
}

func newHall(t *testing.T, with ...harness.Option) *hall {
	t.Helper()
	usual := []harness.Option{harness.OwnClock(), harness.Flags("--support-leave-after", "2m")}
	s := harness.Start(t, append(usual, with...)...)
	later(s)
	h := &hall{Server: s, admin: s.User("admin")}
	h.tap = h.admin.Stream()
	return h
}

// pair has an agent take one more, and a visitor open a conversation that the agent gets.
func (h *hall) pair(t *testing.T, agent *harness.User, visitor string) (*harness.User, int64) {
	t.Helper()
	agent.Serve(1)
	v := h.Visitor(visitor)
	c := v.Open(nil)
	heardStates(t, h.tap, c.ID, "queued", "assigned")
	h.has(t, agent, c.ID)
	return v, c.ID
}

// has demands that the agent has the conversation.
func (h *hall) has(t *testing.T, agent *harness.User, id int64) {
	t.Helper()
	if c := conversation(h.admin, id); c.State != "assigned" || c.Agent.ID != agent.ID {
		t.Errorf("conversation %d is %s, want it with %s: %+v", id, c.State, agent.Name, c.Agent)
	}
}

// placed waits for what a stream is told of the place in the queue.
func placed(t *testing.T, st *harness.Stream, want int) {
	t.Helper()
	e := st.Until("support.position")
	if p := harness.DataOf[client.SupportPositionData](e[len(e)-1]); p.Position != want {
		t.Errorf("told of place %d, want %d", p.Position, want)
	}
}

// Of an agent's streams only the last one's end counts. Zed's, which ends after Eve's first, says when both were seen.
func TestSupportAgentWithTwoStreams(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	eve, zed := h.Agent(h.admin, "eve"), h.Agent(h.admin, "zed")
	one, two, his := eve.Stream(), eve.Stream(), zed.Stream()
	bo, first := h.pair(t, eve, "Bo")
	_, second := h.pair(t, zed, "Cy")
	mine := bo.Stream()
	one.Close()
	his.Close()
	heardStates(t, h.tap, second, "queued")
	h.has(t, eve, first)
	two.Close()
	heardStates(t, h.tap, first, "queued")
	heardStates(t, mine, first, "queued")
	third := h.Visitor("Di").Open(nil)
	heardStates(t, h.tap, third.ID, "queued")
	if a, b := conversation(bo, first), conversation(h.admin, second); *a.Position != 1 || *b.Position != 2 {
		t.Errorf("the older is at %d, the younger at %d: want both before who came later, the older first", *a.Position, *b.Position)
	}
	ann := h.Agent(h.admin, "ann")
	ann.Serve(2)
	heardStates(t, h.tap, first, "assigned")
	heardStates(t, h.tap, second, "assigned")
	heardStates(t, mine, first, "assigned")
	h.has(t, ann, first)
	eve.Stream() // who is back is available still
	heardStates(t, h.tap, third.ID, "assigned")
	h.has(t, eve, third.ID)
}

// Who goes with release gives back what they have; who goes without it keeps it.
func TestSupportRelease(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	eve, ann := h.Agent(h.admin, "eve"), h.Agent(h.admin, "ann")
	bo, id := h.pair(t, eve, "Bo")
	mine := bo.Stream()
	eve.Put("/v1/support/availability", map[string]any{"available": false}).Want(200)
	h.has(t, eve, id)
	ann.Serve(1)
	h.has(t, eve, id)
	eve.Put("/v1/support/availability", map[string]any{"available": false, "release": true}).Want(200)
	heardStates(t, h.tap, id, "queued", "assigned")
	heardStates(t, mine, id, "queued", "assigned")
	h.has(t, ann, id)
	if c := conversation(bo, id); c.Agent.ID != ann.ID {
		t.Errorf("the visitor is shown %+v", c.Agent)
	}
}

// A visitor's leaving frees the agent for the next; the flag says when. Who comes back within a day goes on.
func TestSupportVisitorLeaves(t *testing.T) {
	t.Parallel()
	h := newHall(t, harness.Flags("--support-leave-after", "10m"))
	eve := h.Agent(h.admin, "eve")
	eve.Stream()
	bo, first := h.pair(t, eve, "Bo")
	cy, di := h.Visitor("Cy"), h.Visitor("Di")
	next := cy.Open(nil)
	heardStates(t, h.tap, next.ID, "queued")
	here := cy.Stream()
	placed(t, here, 1)
	h.Advance(5 * time.Minute) // more than the usual
	zed := di.Open(nil)
	heardStates(t, h.tap, zed.ID, "queued")
	waits := di.Stream()
	placed(t, waits, 2) // who tells that has looked around
	h.has(t, eve, first)
	h.Advance(6 * time.Minute)
	heardStates(t, h.tap, first, "closed")
	heardStates(t, h.tap, next.ID, "assigned")
	heardStates(t, here, next.ID, "assigned")
	if c := conversation(bo, first); *c.Reason != "visitor_left" {
		t.Errorf("closed: %+v", c)
	}
	bo.Stream()
	heardStates(t, h.tap, first, "queued")
	if c := conversation(bo, first); *c.Position != 2 {
		t.Errorf("who is back is at place %d, behind one who waited", *c.Position)
	}
}

// After a day, what a visitor left stays closed.
func TestSupportVisitorReturnsTooLate(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	bo, cy := h.Visitor("Bo"), h.Visitor("Cy")
	first := bo.Open(nil)
	heardStates(t, h.tap, first.ID, "queued")
	h.Advance(3 * time.Minute)
	heardStates(t, h.tap, first.ID, "closed")
	h.Advance(23 * time.Hour)
	second := cy.Open(nil)
	heardStates(t, h.tap, second.ID, "queued")
	h.Advance(3 * time.Minute)
	heardStates(t, h.tap, second.ID, "closed")
	h.Advance(time.Hour)
	bo.Stream()
	cy.Stream()
	heardStates(t, h.tap, second.ID, "queued")
	act(bo, first.ID, "reopen").Refused("conflict")
	if c := conversation(bo, first.ID); c.State != "closed" {
		t.Errorf("what was left a day ago is %s", c.State)
	}
}

// A restart takes nothing from who comes back within half a minute, and leaves all conversations as they were.
func TestSupportOutlivesARestart(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	eve, zed := h.Agent(h.admin, "eve"), h.Agent(h.admin, "zed")
	eve.Stream()
	zed.Stream()
	_, first := h.pair(t, eve, "Bo")
	_, second := h.pair(t, zed, "Cy")
	di := h.Visitor("Di")
	third := di.Open(nil)
	heardStates(t, h.tap, third.ID, "queued")
	h.Restart()
	h.tap = h.admin.Stream()
	placed(t, di.Stream(), 1) // who tells that has looked around
	h.has(t, eve, first)
	h.has(t, zed, second)
	eve.Stream()
	h.Advance(time.Minute)
	heardStates(t, h.tap, second, "queued")
	h.has(t, eve, first)
	zed.Stream()
	heardStates(t, h.tap, second, "assigned")
	h.has(t, zed, second)
	if c := conversation(di, third.ID); c.State != "queued" {
		t.Errorf("who waited is %s", c.State)
	}
}

// An agent without a stream is here for two minutes after each request.
func TestSupportAgentByRequests(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	eve, zed := h.Agent(h.admin, "eve"), h.Agent(h.admin, "zed")
	bo, first := h.pair(t, eve, "Bo")
	cy, second := h.pair(t, zed, "Cy")
	bo.Stream()
	cy.Stream()
	h.Advance(110 * time.Second)
	eve.Get("/v1/me").Want(200)
	h.Advance(15 * time.Second)
	heardStates(t, h.tap, second, "queued")
	h.has(t, eve, first)
	h.Advance(2 * time.Minute)
	heardStates(t, h.tap, first, "queued")
	zed.Get("/v1/me").Want(200)
	heardStates(t, h.tap, first, "assigned")
	h.has(t, zed, first)
}

// Who is kicked may come back for what they had; who is banned has it no more.
func TestSupportAgentKickedAndBanned(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	eve, zed := h.Agent(h.admin, "eve"), h.Agent(h.admin, "zed")
	eve.Stream()
	bo, first := h.pair(t, eve, "Bo")
	_, second := h.pair(t, zed, "Cy")
	mine := bo.Stream()
	h.admin.Put("/v1/users/"+zed.Ref()+"/ban", map[string]any{}).Want(200)
	heardStates(t, h.tap, second, "queued")
	h.admin.Post("/v1/users/"+eve.Ref()+"/kick", nil).Want(204)
	heardStates(t, h.tap, first, "queued")
	heardStates(t, mine, first, "queued")
	eve.Other().Stream()
	heardStates(t, h.tap, first, "assigned")
	if c := conversation(bo, first); c.Agent.ID != eve.ID {
		t.Errorf("the visitor is shown %+v", c.Agent)
	}
}

// Whoever waits is told their place again when they come back, and more capacity takes effect in the same call.
func TestSupportPlaceAndCapacity(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	eve := h.Agent(h.admin, "eve")
	_, first := h.pair(t, eve, "Bo")
	cy, di := h.Visitor("Cy"), h.Visitor("Di")
	second, third := cy.Open(nil), di.Open(nil)
	st := di.Stream()
	placed(t, st, 2)
	st.Close()
	st = di.Stream()
	placed(t, st, 2)
	eve.Serve(2)
	h.has(t, eve, first)
	h.has(t, eve, second.ID)
	placed(t, st, 1)
	eve.Serve(1) // takes nothing away
	h.has(t, eve, second.ID)
	eve.Serve(3)
	h.has(t, eve, third.ID)
}
