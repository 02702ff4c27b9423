package tests

import (
	"strings"
	"testing"
	"time"

	"parley/tests/harness"
)

// Bad input is refused by its field, and what cannot be done as things are is a conflict; nothing is done.
func TestSupportErrors(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("root")
		eve := s.Agent(admin, "eve")
		visitor := s.Visitor("Li")
		for _, list := range []string{"conversations", "agents", "queues"} {
			admin.Get("/v1/support/"+list+"?limit=201").Refused("validation_failed", "limit")
			admin.Get("/v1/support/"+list+"?page=~").Refused("validation_failed", "page")
		}
		admin.Get("/v1/support/conversations?state=lost").Refused("validation_failed", "state")
		admin.Get("/v1/support/conversations?queue=nowhere").Refused("validation_failed", "queue")
		admin.Get("/v1/support/conversations?agent=@nobody").Refused("validation_failed", "agent")
		for _, name := range []string{"@root", "@nobody"} { // who is there is not to be learnt so
			visitor.Get("/v1/support/conversations?agent=" + name).Refused("forbidden")
		}
		head := admin.Head()
		for _, bad := range []struct {
			field string
			body  map[string]any
		}{
			{"subject", map[string]any{"subject": strings.Repeat("x", 201)}},
			{"subject", map[string]any{"subject": "two\nlines"}},
			{"text", map[string]any{"text": ""}},
			{"text", map[string]any{"text": strings.Repeat("x", 16385)}},
			{"text", map[string]any{"text": "a\x00b"}},
			{"queue", map[string]any{"queue": "nowhere"}},
			{"queue", map[string]any{"queue": 7}},
			{"wait", map[string]any{"wait": "perhaps"}},
		} {
			visitor.Post("/v1/support/conversations", bad.body).Refused("validation_failed", bad.field)
		}
		for field, value := range map[string]string{
			"email": "nobody", "page": "two words", "language": "zh\nen", "name": strings.Repeat("x", 65),
		} {
			s.Do("POST", "/v1/support/visitors", harness.JSON(map[string]any{field: value})).Refused("validation_failed", field)
		}
		for field, body := range map[string]map[string]any{
			"capacity": {"available": true, "capacity": 0}, "available": {}, "release": {"available": true, "release": true},
			"queues/0": {"available": true, "queues": []string{"nowhere"}},
		} {
			eve.Put("/v1/support/availability", body).Refused("validation_failed", field)
		}
		if after := admin.Head(); after != head {
			t.Errorf("the log went from %d to %d", head, after)
		}
		// A name of any characters stays on its line.
		odd := s.Visitor("Li\n\u202eWei\t")
		if got := odd.Now().DisplayName; got != "Li Wei" {
			t.Errorf("called %q", got)
		}
		c := visitor.Open(nil)
		for field, body := range map[string]map[string]any{
			"agent": {"agent": "@nobody"}, "queue": {"agent": "@eve", "queue": "general"},
		} {
			eve.Post(ofTalk(c.ID, "transfer"), body).Refused("validation_failed", field)
		}
		admin.Post(ofTalk(c.ID, "transfer"), map[string]any{"agent": visitor.Ref()}).Refused("validation_failed", "agent")
		eve.Post(ofTalk(c.ID, "transfer"), map[string]any{"queue": "general"}).Refused("conflict")
		eve.Post(ofTalk(c.ID, "transfer"), map[string]any{"agent": "@eve"}).Refused("no_agent_available")
		visitor.Post("/v1/support/conversations", map[string]any{}).Refused("conflict")
		eve.Post("/v1/support/conversations/0/accept", nil).Refused("not_found")
		eve.Post("/v1/support/conversations/x/accept", nil).Refused("not_found")
	})
}

// A closed conversation is gone on with within a day, and only where no other is open.
func TestReopenHasAnEnd(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	s.User("root")
	visitor := s.Visitor("Li")
	first := visitor.Open(nil)
	visitor.Post(ofTalk(first.ID, "close"), nil).Want(200)
	second := visitor.Open(nil)
	visitor.Post(ofTalk(first.ID, "reopen"), nil).Refused("conflict")
	visitor.Post(ofTalk(second.ID, "close"), nil).Want(200)
	s.Advance(23 * time.Hour)
	visitor.Post(ofTalk(first.ID, "reopen"), nil).Want(200)
	visitor.Post(ofTalk(first.ID, "close"), nil).Want(200)
	s.Advance(25 * time.Hour)
	visitor.Post(ofTalk(first.ID, "reopen"), nil).Refused("conflict")
	visitor.Open(nil)
}
