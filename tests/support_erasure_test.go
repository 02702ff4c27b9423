package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// patron is a visitor of whom everything that can be is marked, and the conversation that eve had with them.
func patron(t *testing.T, s *harness.Server, eve *harness.User) (*harness.User, client.Conversation) {
	t.Helper()
	body := map[string]any{"name": "Vic " + marker, "email": marker + "@example.com", "page": "https://example.com/" + marker, "language": "x-" + marker}
	login := s.Do("POST", "/v1/support/visitors", harness.JSON(body)).Want(201)
	made := harness.Into[client.Session](login)
	vic := s.With(made.User.ID, made.User.Name, made.Token)
	c := vic.Open(map[string]any{"subject": "about " + marker, "text": "where is " + marker + "?"})
	if c.State != "assigned" || c.Agent.ID != eve.ID {
		t.Fatalf("opened: %+v", c)
	}
	eve.Send(id(c.ID), "it is here")
	vic.Send(id(c.ID), "thank you, says "+marker)
	act(eve, c.ID, "close").Want(200)
	act(vic, c.ID, "reopen").Want(200)
	return vic, conversation(eve, c.ID)
}

// supportLog is what the log has of conversations for somebody: ids, states, agents.
func supportLog(u *harness.User) (lines []string, all string) {
	for _, e := range u.Events(0) {
		all += string(e.Data) + "\n"
		if e.Type == "support.updated" {
			c := harness.DataOf[client.SupportData](e).Conversation
			line := fmt.Sprintf("%d: %d %s of %d", e.ID, c.ID, c.State, c.Visitor.ID)
			if c.Agent != nil {
				line += " with " + c.Agent.Name
			}
			lines = append(lines, line)
		}
	}
	return lines, all
}

// A visitor who is erased leaves conversations that say when there was one, and with whom; one who only goes leaves
// what was said, but not how to reach them.
func TestDeleteVisitor(t *testing.T) {
	t.Parallel()
	for name, erase := range map[string]bool{"erased": true, "deleted": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, s *harness.Server) {
				admin := s.User("admin")
				eve := s.Agent(admin, "eve")
				eve.Serve(9)
				vic, c := patron(t, s, eve)
				bo := s.Visitor("Bo " + strings.ToLower(marker))
				other := bo.Open(map[string]any{"subject": "the other"})
				act(bo, other.ID, "close").Want(200)
				before, _ := supportLog(admin)
				if n := len(before); n < 8 || *c.Email != marker+"@example.com" {
					t.Fatalf("before: %q", before)
				}
				leave(vic, erase).Want(204)
				after, all := supportLog(admin)
				if len(after) <= len(before) || !slices.Equal(after[:len(before)], before) {
					t.Errorf("the log has\n%s, before\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
				}
				now := conversation(eve, c.ID)
				if now.State != "closed" || *now.Reason != "visitor_deleted" || now.Visitor.Name != deletedName(vic) || now.Visitor.DisplayName != deletedName(vic) ||
					now.Email != nil || now.Page != nil || now.Language != nil || (now.Subject == nil) != erase {
					t.Errorf("the conversation is %+v", now)
				}
				said := 0
				for _, m := range eve.History(id(c.ID)) {
					if strings.Contains(m.Text, marker) {
						said++
					}
				}
				if said != 2 && !erase || said != 0 && erase {
					t.Errorf("%d of what they said is left", said)
				}
				for word, left := range map[string]bool{
					marker + "@example.com": false, "https://example.com/" + marker: false, "x-" + marker: false,
					marker: !erase, "about " + marker: !erase, "Vic " + marker: !erase,
					"the other": true, "Bo " + strings.ToLower(marker): true,
				} {
					if strings.Contains(all, word) != left {
						t.Errorf("%q is in the log: %v", word, !left)
					}
				}
				list := harness.Into[client.ConversationList](admin.Get("/v1/support/conversations").Want(200))
				if len(list.Conversations) != 2 || *list.Conversations[0].Subject != "the other" {
					t.Errorf("listed are %+v", list)
				}
			})
		})
	}
}

// What a visitor said and told is not in the database's files, from the answer to the erasure on.
func TestErasedVisitorFromFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := harness.Start(t, harness.Flags("--data", dir))
	admin := s.User("admin")
	eve := s.Agent(admin, "eve")
	eve.Serve(9)
	vic, _ := patron(t, s, eve)
	if len(inFiles(t, dir, marker)) == 0 {
		t.Fatal("the test looks at the wrong files")
	}
	leave(vic, true).Want(204)
	for _, found := range inFiles(t, dir, marker) {
		t.Error(found)
	}
	s.Restart()
	for _, found := range inFiles(t, dir, marker) {
		t.Error("after a restart:", found)
	}
	s.Stop()
	must(t, "check", "--data", dir)
}

// An agent who goes is nobody's agent any more, in no list and in no conversation that goes on; what they said stays.
func TestDeleteAgent(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("admin")
		eve := s.Agent(admin, "eve")
		eve.Serve(9)
		bo := s.Visitor("Bo")
		closed := bo.Open(nil)
		eve.Send(id(closed.ID), "hello")
		act(eve, closed.ID, "close").Want(200)
		c := bo.Open(nil)
		leave(eve, true).Want(204)
		if list := harness.Into[client.SupportAgentList](admin.Get("/v1/support/agents").Want(200)); len(list.Agents) != 0 {
			t.Errorf("agents %+v", list.Agents)
		}
		if got := conversation(bo, c.ID); got.State != "queued" || got.Agent != nil {
			t.Errorf("the open conversation is %+v", got)
		}
		if got := conversation(bo, closed.ID); got.State != "closed" || got.Agent == nil || got.Agent.Name != deletedName(eve) {
			t.Errorf("the closed conversation is %+v", got)
		}
		for _, u := range []*harness.User{admin, bo} {
			if lines, all := supportLog(u); strings.Contains(all, `"eve"`) || !strings.Contains(strings.Join(lines, "\n"), "with "+deletedName(eve)) {
				t.Errorf("the log has %s", all)
			}
		}
	})
}

// An export has what somebody asked support and what both said, but not what the agents noted, nor what they have to do with others.
func TestExportOfConversations(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("admin")
		eve := s.Agent(admin, "eve")
		eve.Serve(9)
		vic, c := patron(t, s, eve)
		ann := s.User("ann")
		hers := ann.Open(map[string]any{"subject": "SECRET of ann", "text": "SECRET"})
		act(vic, c.ID, "close").Want(200)
		second := vic.Open(nil)

		files := unzip(t, vic.Get("/v1/me/export").Want(200))
		for name, file := range files {
			if strings.Contains(string(file), "SECRET") || strings.Contains(string(file), "notes_room_id") {
				t.Errorf("%s holds %s", name, file)
			}
		}
		for _, word := range []string{marker + "@example.com", "https://example.com/" + marker, "x-" + marker, "Vic " + marker} {
			if !strings.Contains(string(files["account.json"]), word) {
				t.Errorf("account.json has no %q: %s", word, files["account.json"])
			}
		}
		got := ndjson[client.Conversation](t, files["conversations.ndjson"])
		if len(got) != 2 || got[0].ID != second.ID || got[1].ID != c.ID || *got[1].Subject != "about "+marker || *got[1].Reason != "visitor" {
			t.Errorf("conversations.ndjson: %s", files["conversations.ndjson"])
		}
		var said []string
		for _, m := range ndjson[client.Message](t, files["support.ndjson"]) {
			said = append(said, m.Sender.Name+": "+m.Text)
		}
		if want := []string{vic.Name + ": where is " + marker + "?", "eve: it is here", vic.Name + ": thank you, says " + marker}; !slices.Equal(said, want) {
			t.Errorf("support.ndjson: %q", said)
		}
		if spells := ndjson[spellLine](t, files["rooms.ndjson"]); len(spells) != 2 || spells[0].RoomID != c.RoomID || spells[0].Kind != "support" || spells[0].ToID != 0 {
			t.Errorf("rooms.ndjson: %s", files["rooms.ndjson"])
		}

		files = unzip(t, eve.Get("/v1/me/export").Want(200))
		if len(files["conversations.ndjson"])+len(files["support.ndjson"]) != 0 || strings.Contains(string(files["account.json"]), "email") {
			t.Errorf("the agent's: %s%s%s", files["conversations.ndjson"], files["support.ndjson"], files["account.json"])
		}
		if spells := ndjson[spellLine](t, files["rooms.ndjson"]); len(spells) < 3 || spells[0].Role != "moderator" {
			t.Errorf("the agent's rooms.ndjson: %s", files["rooms.ndjson"])
		}
		files = unzip(t, ann.Get("/v1/me/export").Want(200))
		if got := ndjson[client.Conversation](t, files["conversations.ndjson"]); len(got) != 1 || got[0].ID != hers.ID {
			t.Errorf("ann's: %s", files["conversations.ndjson"])
		}
	})
}
