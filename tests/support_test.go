package tests

import (
	"fmt"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

func conversation(u *harness.User, id int64) client.Conversation {
	return harness.Into[client.Conversation](u.Get(fmt.Sprintf("/v1/support/conversations/%d", id)).Want(200))
}

func act(u *harness.User, id int64, what string) *harness.Answer {
	return u.Post(fmt.Sprintf("/v1/support/conversations/%d/%s", id, what), nil)
}

// supportStates are the states that a stream tells of the conversation until it is in the last one wanted.
func heardStates(t *testing.T, st *harness.Stream, id int64, want ...string) {
	t.Helper()
	for _, w := range want {
		e := st.Until("support.updated")
		c := harness.DataOf[client.SupportData](e[len(e)-1]).Conversation
		if c.ID != id || string(c.State) != w {
			t.Fatalf("heard of %d, %s, want %d, %s", c.ID, c.State, id, w)
		}
	}
}

// A visitor is paired with a free agent, both talk, and the end frees the agent for the next.
func TestSupportPairs(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("admin")
		eve := s.Agent(admin, "eve")
		agent := eve.Stream()
		li, bo := s.Visitor("李伟"), s.Visitor("Bo")
		li.Post("/v1/support/conversations", map[string]any{"queue": false}).Refused("no_agent_available")
		mine := li.Stream()
		c := li.Open(map[string]any{"subject": "包裹", "text": "在吗？"})
		if c.State != "queued" || *c.Position != 1 || c.RoomID != c.ID || c.Visitor.DisplayName != "李伟" {
			t.Errorf("opened: %+v", c)
		}
		li.Post("/v1/support/conversations", nil).Refused("conflict")
		heardStates(t, mine, c.ID, "queued")
		next := bo.Open(nil)
		if *next.Position != 2 {
			t.Errorf("the second is %+v", next)
		}
		second := bo.Stream()
		e := second.Until("support.position")
		if p := harness.DataOf[client.SupportPositionData](e[len(e)-1]); p.Position != 2 {
			t.Errorf("told of %+v", p)
		}
		eve.Serve(1)
		heardStates(t, mine, c.ID, "assigned")
		heardStates(t, agent, c.ID, "queued")
		e = second.Until("support.position")
		if p := harness.DataOf[client.SupportPositionData](e[len(e)-1]); p.Position != 1 || p.ConversationID != next.ID {
			t.Errorf("told of %+v", p)
		}
		eve.Send(fmt.Sprint(c.RoomID), "您好")
		li.Send(fmt.Sprint(c.RoomID), "我的包裹呢？")
		if h := eve.History(fmt.Sprint(c.RoomID)); len(h) != 3 || h[0].Text != "在吗？" {
			t.Errorf("history %+v", h)
		}
		if got := harness.Into[client.Conversation](act(eve, c.ID, "close").Want(200)); got.State != "closed" || *got.Reason != "agent" {
			t.Errorf("closed: %+v", got)
		}
		heardStates(t, mine, c.ID, "closed")
		li.Post("/v1/send", map[string]any{"to": fmt.Sprint(c.RoomID), "text": "noch was"}).Refused("conflict")
		if got := conversation(eve, next.ID); got.State != "assigned" || got.Agent.ID != eve.ID {
			t.Errorf("the next: %+v", got)
		}
		act(li, c.ID, "reopen").Want(200)
		heardStates(t, mine, c.ID, "queued")
		act(bo, next.ID, "close").Want(200)
		heardStates(t, mine, c.ID, "assigned")
	})
}

// An agent whose stream goes loses what they have to the head of the queue; a visitor who stays away is closed, and comes back.
func TestSupportLeaving(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock(), harness.Flags("--support-leave-after", "2m"))
	later(s)
	admin := s.User("admin")
	eve, ann := s.Agent(admin, "eve"), s.Agent(admin, "ann")
	tap := admin.Stream()
	agent := eve.Stream()
	eve.Serve(2)
	bo := s.Visitor("Bo")
	mine := bo.Stream()
	c := bo.Open(nil)
	heardStates(t, tap, c.ID, "queued", "assigned")
	agent.Close() // the grace passes by itself
	heardStates(t, tap, c.ID, "queued")
	heardStates(t, mine, c.ID, "queued", "assigned", "queued")
	ann.Serve(1)
	heardStates(t, tap, c.ID, "assigned")
	other := ann.Stream(harness.Query("types", "presence.changed"))
	mine.Close()
	for presence(t, other) != bo.Name+" offline" {
	}
	s.Advance(3 * time.Minute)
	heardStates(t, tap, c.ID, "closed")
	if got := conversation(ann, c.ID); *got.Reason != "visitor_left" {
		t.Errorf("closed: %+v", got)
	}
	bo.Stream()
	heardStates(t, tap, c.ID, "queued", "assigned")
}
