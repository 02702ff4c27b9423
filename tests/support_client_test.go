package tests

import (
	"errors"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// A customer and an agent talk by the Go client's calls.
func TestSupportByClient(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	admin := s.User("root")
	eve, ann := s.Agent(admin, "eve"), s.Agent(admin, "ann")
	ctx := t.Context()
	as := func(u *harness.User) *client.Client {
		c, err := client.New(s.URL())
		if err != nil {
			t.Fatal(err)
		}
		if u != nil {
			c.SetToken(u.Token)
		}
		return c
	}
	visitor, agent, other := as(nil), as(eve), as(ann)
	if session, err := visitor.Visitor(ctx, client.CreateVisitorRequest{Name: new("Li")}); err != nil || session.User.Role != "visitor" {
		t.Fatalf("came as %+v, %v", session, err)
	}
	if _, err := visitor.OpenConversation(ctx, client.OpenConversationRequest{Wait: new(false)}); !errors.Is(err, client.ErrorCodeNoAgentAvailable) {
		t.Errorf("nobody is there: %v", err)
	}
	for _, c := range []*client.Client{agent, other} {
		if a, err := c.SetAvailability(ctx, client.SetAvailabilityRequest{Available: true}); err != nil || !a.Here || a.Capacity != 1 {
			t.Errorf("available: %+v, %v", a, err)
		}
	}
	c, err := visitor.OpenConversation(ctx, client.OpenConversationRequest{Subject: new("parcel"), Queue: client.Department("general")})
	if err != nil || c.State != "assigned" || c.Agent.Name != "eve" {
		t.Fatalf("opened %+v, %v", c, err)
	}
	if c, err = agent.TransferConversation(ctx, c.ID, client.TransferConversationRequest{}); err != nil || c.Agent.Name != "ann" {
		t.Errorf("transferred: %+v, %v", c, err)
	}
	if _, err := agent.AcceptConversation(ctx, c.ID); !errors.Is(err, client.ErrorCodeConflict) {
		t.Errorf("eve took what ann has: %v", err)
	}
	if c, err = as(admin).AcceptConversation(ctx, c.ID); err != nil || c.Agent.Name != "root" {
		t.Errorf("taken over: %+v, %v", c, err)
	}
	if c, err = visitor.CloseConversation(ctx, c.ID); err != nil || c.State != "closed" {
		t.Errorf("closed: %+v, %v", c, err)
	}
	if c, err = visitor.ReopenConversation(ctx, c.ID); err != nil || c.State != "assigned" {
		t.Errorf("reopened: %+v, %v", c, err)
	}
	if list, err := agent.Conversations(ctx, client.ListConversationsParams{Limit: new(1)}); err != nil || len(list) != 1 {
		t.Errorf("listed %+v, %v", list, err)
	}
	if got, err := visitor.Conversation(ctx, c.ID); err != nil || got.Subject == nil || *got.Subject != "parcel" {
		t.Errorf("read %+v, %v", got, err)
	}
}
