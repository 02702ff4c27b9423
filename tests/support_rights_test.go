package tests

import (
	"fmt"
	"strings"
	"testing"

	"parley/tests/harness"
)

// Who may do what in and with a conversation: the status of each call by each of its people. `-` stands for 404.
func TestSupportRights(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("root")
		eve, ann := s.Agent(admin, "eve"), s.Agent(admin, "ann")
		bob := s.User("bob")
		people := []*harness.User{s.Visitor("customer"), eve, ann, admin, bob, s.Guest("guest"), s.Visitor("another")}
		customer := people[0]
		eve.Serve(100)
		begin := func() (room string, message int64) {
			c := customer.Open(map[string]any{"text": "hello"})
			if c.State != "assigned" || c.Agent.ID != eve.ID {
				t.Fatalf("opened %+v", c)
			}
			return id(c.RoomID), customer.History(id(c.RoomID))[0].ID
		}
		room, message := begin()
		// The customer, their agent, another agent, the admin, a member, a guest, another visitor.
		for _, row := range []struct{ call, want string }{
			{"GET /v1/rooms/{room}", "200 200 200 200 - - 403"},
			{"GET /v1/rooms/{room}/messages", "200 200 200 200 - - 403"},
			{"GET /v1/rooms/{room}/members", "200 200 200 200 - - 403"},
			{"GET /v1/messages/{message}", "200 200 200 200 - - 403"},
			{"GET /v1/messages/{message}/edits", "200 200 200 200 - - 403"},
			{"POST /v1/send to={room} text=hi", "201 201 403 403 - - 403"},
			{"PUT /v1/messages/{message}/reactions/%F0%9F%91%8D", "204 204 403 403 - - 403"},
			{"POST /v1/rooms/{room}/typing", "204 204 403 403 - - 403"},
			{"PUT /v1/messages/{message}/pin", "403 403 403 403 - - 403"},
			{"PATCH /v1/rooms/{room} topic=x", "403 403 403 403 - - 403"},
			{"PATCH /v1/rooms/{room} archived=true", "403 403 403 403 - - 403"},
			{"PATCH /v1/rooms/{room} visibility=public", "403 403 403 403 - - 403"},
			{"DELETE /v1/rooms/{room}", "403 403 403 403 - - 403"},
			{"POST /v1/rooms/{room}/join", "403 403 403 403 - - 403"},
			{"POST /v1/rooms/{room}/leave", "403 403 403 403 - - 403"},
			{"PUT /v1/rooms/{room}/members/@bob", "403 403 403 403 - - 403"},
			{"DELETE /v1/rooms/{room}/members/@eve", "403 403 403 403 - - 403"},
			{"PUT /v1/rooms/{room}/mutes/@eve", "403 403 403 403 - - 403"},
			{"PUT /v1/rooms/{room}/bans/@eve", "403 403 403 403 - - 403"},
			{"POST /v1/rooms/{room}/invites", "403 403 403 403 - - 403"},
			{"GET /v1/support/conversations/{room}", "200 200 200 200 - - 403"},
			{"GET /v1/support/agents", "403 200 200 200 403 403 403"},
			{"POST /v1/support/conversations/{room}/transfer agent=@ann", "403 409 403 409 403 403 403"}, // ann is not free
			{"POST /v1/support/conversations/{room}/reopen", "200 403 403 403 - - 403"},                  // it is open
			{"PUT /v1/support/availability available=false", "403 200 200 200 403 403 403"},
			{"PATCH /v1/messages/{message} text=hello!", "200 403 403 403 - - 403"},
			{"POST /v1/support/conversations/{room}/accept", "403 200 409 200 403 403 403"}, // the admin has it now
			{"POST /v1/support/conversations/{room}/accept", "403 409 409 200 403 403 403"},
			{"DELETE /v1/messages/{message}", "204 403 403 204 - - 403"},
			{"POST /v1/support/conversations/{room}/close", "200 200 200 200 - - 403"}, // by the customer; it stays so
			{"POST /v1/send to={room} text=hi", "409 403 403 403 - - 403"},
			{"POST /v1/support/conversations/{room}/accept", "403 409 409 409 403 403 403"},
		} {
			for i, want := range strings.Fields(row.want) {
				if want == "-" {
					want = "404"
				}
				a := calls(people[i], strings.NewReplacer("{room}", room, "{message}", id(message)).Replace(row.call))
				if got := fmt.Sprint(a.Status); got != want {
					t.Errorf("%s by %s: %s, want %s: %s", row.call, people[i].Name, got, want, a.Body)
				}
			}
		}
		// What others close.
		for i, want := range strings.Fields("- 200 403 200 - - 403") {
			if i == 0 {
				continue
			}
			if want == "-" {
				want = "404"
			}
			eve.Serve(100)
			room, _ := begin()
			if a := calls(people[i], "POST /v1/support/conversations/"+room+"/close"); fmt.Sprint(a.Status) != want {
				t.Errorf("close by %s: %d, want %s: %s", people[i].Name, a.Status, want, a.Body)
			}
			calls(admin, "POST /v1/support/conversations/"+room+"/close").Want(200)
		}
		for _, u := range []*harness.User{bob, people[5]} { // members and guests seek support as well
			c := u.Open(map[string]any{"text": "hi"})
			u.Send(id(c.RoomID), "hello?")
			if got := u.History(id(c.RoomID)); len(got) != 2 {
				t.Errorf("%s reads %+v", u.Name, got)
			}
			calls(u, "POST /v1/support/conversations/"+id(c.ID)+"/close").Want(200)
		}
		for _, u := range []*harness.User{eve, admin} {
			u.Post("/v1/support/conversations", map[string]any{"text": "hi"}).Refused("forbidden")
		}
	})
}

// calls makes a call that is written as a method, a path, and fields of a form.
func calls(u *harness.User, call string) *harness.Answer {
	words := strings.Fields(call)
	var form []string
	for _, field := range words[2:] {
		name, value, _ := strings.Cut(field, "=")
		form = append(form, name, value)
	}
	if form == nil {
		return u.Do(words[0], words[1])
	}
	return u.Do(words[0], words[1], harness.Form(form...))
}
