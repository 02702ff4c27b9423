package tests

import (
	"testing"

	"parley/tests/harness"
)

// endings are all ways in which a session ends, as session.ended tells them: one line each.
var endings = []struct {
	reason string
	detail string
	// end does it to the user, whose streams are open. admin is the server's.
	end func(admin, user *harness.User)
	// then says what a login is refused for afterwards; empty: it is not.
	then string
}{
	{reason: "logout", end: func(_, user *harness.User) { user.Post("/v1/logout", nil).Want(204) }},
	{reason: "revoked", end: func(_, user *harness.User) {
		user.Delete("/v1/sessions/" + id(currentSession(user).ID)).Want(204)
	}},
	{reason: "password", end: func(_, user *harness.User) {
		user.Other().Put("/v1/me/password", map[string]any{"current": harness.Password, "new": harness.Password}).Want(204)
	}},
	{reason: "kicked", detail: "be kind", end: func(admin, user *harness.User) {
		admin.Post("/v1/users/"+user.Ref()+"/kick", map[string]any{"reason": "be \x07kind"}).Want(204)
	}},
	{reason: "kicked", end: func(admin, user *harness.User) {
		admin.Post("/v1/users/@"+user.Name+"/kick", nil).Want(204)
	}},
	{reason: "banned", detail: "spam", then: "banned", end: func(admin, user *harness.User) {
		admin.Put("/v1/users/"+user.Ref()+"/ban", map[string]any{"reason": "spam"}).Want(200)
	}},
	{reason: "banned", then: "banned", end: func(admin, user *harness.User) {
		admin.Put("/v1/users/"+user.Ref()+"/ban", nil).Want(200)
	}},
}

// Whatever ends a session, its open streams are told and closed at once, a long poll is answered, and
// the next request finds no session; who else is there notices nothing.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("root")
		for i, e := range endings {
			user := s.User("user" + id(int64(i)))
			ticket := harness.Query("ticket", newTicket(user).Ticket)
			mine := []*harness.Stream{user.Stream(), user.NDJSON(), s.Stream(ticket)}
			others := admin.Stream()
			poll := make(chan *harness.Answer, 1)
			go func() {
				a, err := s.Try(t.Context(), "GET", "/v1/events?wait=60", user.Bearer())
				if err != nil {
					t.Errorf("%s: poll: %v", e.reason, err)
				}
				poll <- a
			}()
			e.end(admin, user)
			for _, stream := range mine {
				events := stream.End()
				if len(events) == 0 {
					t.Fatalf("%s: a stream closed without a word", e.reason)
				}
				last := events[len(events)-1]
				type ended struct{ Reason, Detail string }
				if got := harness.DataOf[ended](last); last.Type != "session.ended" || got != (ended{e.reason, e.detail}) {
					t.Errorf("%s: the last of a stream is %s", e.reason, last.JSON)
				}
			}
			if a := <-poll; a != nil && a.Status != 200 && a.Status != 401 { // 401: it came too late to wait
				t.Errorf("%s: the poll is answered %d", e.reason, a.Status)
			}
			user.Get("/v1/me").Refused("unauthorized")
			s.Do("GET", "/v1/events/stream", ticket).Refused("unauthorized")
			login := s.Do("POST", "/v1/login", harness.Form("name", user.Name, "password", harness.Password))
			if e.then == "" {
				login.Want(200)
			} else {
				login.Refused(e.then)
			}
			admin.Send("lobby", "still here")
			others.Until("message.created")
			others.Close()
		}
	})
}
