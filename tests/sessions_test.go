package tests

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/internal/app"
	"parley/tests/harness"
)

// sessionsOf goes through all pages of the user's sessions.
func sessionsOf(u *harness.User, limit string) (all []client.OwnSession) {
	page := ""
	for {
		with := []harness.With{harness.Query("limit", limit)}
		if page != "" {
			with = append(with, harness.Query("page", page))
		}
		list := harness.Into[client.SessionList](u.Get("/v1/sessions", with...).Want(200))
		all = append(all, list.Sessions...)
		if list.NextPage == nil {
			return all
		}
		page = *list.NextPage
	}
}

func currentSession(u *harness.User) (current client.OwnSession) {
	for _, s := range sessionsOf(u, "200") {
		if s.Current {
			current = s
		}
	}
	return current
}

func TestSessions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		login := s.Do("POST", "/v1/login", harness.Header("User-Agent", "telephone "+strings.Repeat("é", 300)),
			harness.Form("name", "ann", "password", harness.Password)).Want(200)
		phone := harness.Cookie(harness.Into[client.Session](login).Token)
		third := s.Login("ann")
		for _, limit := range []string{"1", "2", "3", "50"} {
			all := sessionsOf(ann, limit)
			if len(all) != 3 || all[0].ID <= all[1].ID || all[1].ID <= all[2].ID {
				t.Fatalf("by %s: %+v", limit, all)
			}
			for i, one := range all {
				if one.Current != (i == 2) || one.Address != "127.0.0.1" || one.LastUsedAt.Before(one.CreatedAt) ||
					!one.ExpiresAt.Equal(one.LastUsedAt.Add(30*24*time.Hour)) {
					t.Errorf("by %s: %+v", limit, one)
				}
			}
			if agent := all[1].Agent; len(agent) > 200 || !strings.HasPrefix(agent, "telephone éé") {
				t.Errorf("agent %q", agent)
			}
		}
		if all := sessionsOf(bob, "50"); len(all) != 1 || !all[0].Current {
			t.Errorf("bob's sessions are %+v", all)
		}
		ann.Get("/v1/sessions?limit=0").Refused("validation_failed", "limit")
		ann.Get("/v1/sessions?limit=201").Refused("validation_failed", "limit")
		ann.Get("/v1/sessions?page=nonsense").Refused("validation_failed", "page")

		// Somebody else's is as unknown as one that is not there.
		own := currentSession(ann)
		unknown := bob.Delete("/v1/sessions/999999").Refused("not_found")
		if others := bob.Delete("/v1/sessions/" + id(own.ID)).Refused("not_found"); others.Detail != unknown.Detail {
			t.Errorf("%q and %q can be told apart", others.Detail, unknown.Detail)
		}

		// One that is ended ends at once, with its streams and tickets.
		ticket := harness.Into[client.Ticket](third.Post("/v1/tickets", nil).Want(201)).Ticket
		streams := []*harness.Stream{third.Stream(), third.NDJSON(), s.Stream(harness.Query("ticket", ticket))}
		stays := ann.Stream()
		a := ann.Delete("/v1/sessions/" + id(currentSession(third).ID)).Want(204)
		if cookies := a.Header.Values("Set-Cookie"); len(cookies) > 0 {
			t.Errorf("the end of another session sets %v", cookies)
		}
		third.Get("/v1/me").Refused("unauthorized")
		s.Do("GET", "/v1/events/stream", harness.Query("ticket", ticket)).Refused("unauthorized")
		for _, st := range streams {
			endedBy(t, st, "revoked")
		}
		ann.Delete("/v1/sessions/" + id(own.ID+1_000)).Refused("not_found")
		ann.Send("lobby", "still here")
		stays.Want("message.created")

		// The own one like a logout.
		phoneID := sessionsOf(ann, "50")[0].ID
		a = s.Do("DELETE", "/v1/sessions/"+id(phoneID), phone).Want(204)
		if c := onlyCookie(t, a); c.Name != "parley_session" || c.MaxAge >= 0 {
			t.Errorf("the end of the own session sets %s", c)
		}
		s.Do("GET", "/v1/me", phone).Refused("unauthorized")
		ann.Delete("/v1/sessions/" + id(own.ID)).Want(204)
		endedBy(t, stays, "revoked")
		ann.Delete("/v1/sessions/" + id(own.ID)).Refused("unauthorized")
		s.Restart()
		ann.Get("/v1/me").Refused("unauthorized")
		if all := sessionsOf(s.Login("ann"), "50"); len(all) != 1 {
			t.Errorf("after all ended: %+v", all)
		}
	})
}

// endedBy demands that the stream's last event is the end of its session.
func endedBy(t *testing.T, st *harness.Stream, reason string) {
	t.Helper()
	e := st.Until("session.ended")
	if got := harness.DataOf[client.SessionEndedData](e[len(e)-1]).Reason; string(got) != reason {
		t.Errorf("the session ended by %q, want %q", got, reason)
	}
	if rest := st.End(); len(rest) > 0 {
		t.Errorf("after session.ended: %v", rest)
	}
}

// Two calls of one session end it once.
func TestSessionEndsOnce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root := s.User("root")
		for range 5 {
			u := s.Guest("")
			path := "/v1/sessions/" + id(currentSession(u).ID)
			before := root.Head()
			calls := []func() (*harness.Answer, error){
				func() (*harness.Answer, error) { return s.Try(t.Context(), "DELETE", path, u.Bearer()) },
				func() (*harness.Answer, error) { return s.Try(t.Context(), "POST", "/v1/logout", u.Bearer()) },
			}
			statuses := make(chan int, len(calls))
			for _, call := range calls {
				go func() {
					a, err := call()
					if err != nil {
						t.Error(err)
						statuses <- 0
						return
					}
					statuses <- a.Status
				}()
			}
			if a, b := <-statuses, <-statuses; a+b != 204+401 {
				t.Errorf("statuses %d and %d", a, b)
			}
			if after := root.Head(); after != before+1 {
				t.Errorf("the log went from %d to %d", before, after)
			}
		}
	})
}

// The last use is written down at most every five minutes, however many requests come at once.
func TestLastUseIsWrittenSeldom(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		requests := func() {
			answers := make(chan int, 40)
			for range cap(answers) {
				go func() {
					a, err := s.Try(t.Context(), "GET", "/v1/me", ann.Bearer())
					if err != nil {
						t.Error(err)
						answers <- 0
						return
					}
					answers <- a.Status
				}()
			}
			for range cap(answers) {
				if status := <-answers; status != 200 {
					t.Errorf("status %d", status)
				}
			}
		}
		writes := s.Count(harness.Commit)
		for _, step := range []struct {
			after time.Duration
			want  int // of all so far, soon after
		}{{0, 0}, {4 * time.Minute, 0}, {2 * time.Minute, 1}, {4 * time.Minute, 1}, {time.Hour, 2}} {
			s.Advance(step.after)
			requests()
			harness.Eventually(t, fmt.Sprintf("%d writes, %v later", step.want, step.after), func() bool { return writes() >= step.want })
		}
		// It is written, not only remembered.
		last := currentSession(ann).LastUsedAt
		s.Stop() // what waits to be written is
		if got := writes(); got != 2 {
			t.Errorf("%d writes, want 2", got)
		}
		s.Mend()
		s.Restart()
		other := s.Login("ann")
		for _, one := range sessionsOf(other, "50") {
			if behind := last.Sub(one.LastUsedAt); !one.Current && behind > 5*time.Minute {
				t.Errorf("the last use of before is %v behind", behind)
			}
		}
	}, harness.OwnClock())
}

// A browser's copy of the session slides with it, no more often than that is written down.
func TestCookieSlides(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	ann := s.User("ann")
	cookie := harness.Cookie(ann.Token)
	if a := s.Do("GET", "/v1/me", cookie).Want(200); a.Header.Get("Set-Cookie") != "" {
		t.Errorf("a young session sets %q", a.Header.Get("Set-Cookie"))
	}
	s.Advance(20 * 24 * time.Hour)
	c := onlyCookie(t, s.Do("GET", "/v1/me", cookie).Want(200))
	if c.Value != ann.Token || c.MaxAge != 30*24*60*60 || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("the cookie becomes %s", c)
	}
	s.Advance(20 * 24 * time.Hour)
	if a := ann.Get("/v1/me").Want(200); a.Header.Get("Set-Cookie") != "" {
		t.Error("a bearer token is answered with a cookie")
	}
	s.Advance(20 * 24 * time.Hour)
	if c := onlyCookie(t, s.Do("POST", "/v1/logout", cookie).Want(204)); c.MaxAge >= 0 {
		t.Errorf("the logout sets %s", c)
	}
}

// A device that only listens is not logged out.
func TestStreamKeepsItsSession(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(u *harness.User, s *harness.Server) *harness.Stream{
		"stream": func(u *harness.User, _ *harness.Server) *harness.Stream { return u.Stream() },
		"ticket": func(u *harness.User, s *harness.Server) *harness.Stream {
			return s.Stream(harness.Query("ticket", newTicket(u).Ticket))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, harness.OwnClock(), harness.Tune(func(o *app.Options) { o.Slide = time.Millisecond }))
			ann := s.User("ann")
			idle := s.Login("ann")
			stream := open(ann, s)
			watcher := s.User("bob")
			seen := ann.Now().LastSeenAt
			for range 4 {
				s.Advance(20 * 24 * time.Hour)
				harness.Eventually(t, "the use by the stream is written down", func() bool {
					u := harness.Into[client.User](watcher.Get("/v1/users/@ann").Want(200))
					moved := u.LastSeenAt.Sub(seen) > 19*24*time.Hour
					if moved {
						seen = u.LastSeenAt
					}
					return moved
				})
			}
			idle.Get("/v1/me").Refused("unauthorized")
			ann.Send("lobby", "still here")
			stream.Want("message.created")
			stream.Close()
			s.Restart()
			s.Advance(29 * 24 * time.Hour)
			ann.Get("/v1/me").Want(200)
		})
	}
}

// While a stream is open, its use costs a write an hour and no more.
func TestStreamUseIsWrittenSeldom(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock(), harness.Tune(func(o *app.Options) { o.Slide = time.Millisecond }))
	ann := s.User("ann")
	for range 3 {
		ann.Stream()
	}
	count := s.Count(harness.Commit)
	s.Advance(50 * time.Minute)
	ann.Head() // is use, too
	harness.Eventually(t, "that request's write", func() bool { return count() == 1 })
	s.Advance(50 * time.Minute)
	for range 20 {
		s.Do("GET", "/healthz").Want(200)
	}
	if n := count(); n != 1 {
		t.Errorf("%d writes within an hour of a request, want that request's", n)
	}
	s.Advance(20 * time.Minute)
	harness.Eventually(t, "the hour's write", func() bool { return count() == 2 })
	for range 20 {
		s.Do("GET", "/healthz").Want(200)
	}
	if n := count(); n != 2 {
		t.Errorf("%d writes for three streams of one session, want 2", n)
	}
	s.Mend()
}
