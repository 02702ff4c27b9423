package tests

import (
	"strings"
	"sync"
	"testing"

	"parley/tests/harness"
)

const newPassword = "battery staple"

func changePassword(u *harness.User, current, next string) *harness.Answer {
	return u.Put("/v1/me/password", map[string]any{"current": current, "new": next})
}

func login(s *harness.Server, name, password string) *harness.Answer {
	return s.Do("POST", "/v1/login", harness.JSON(map[string]any{"name": name, "password": password}))
}

func TestPasswordChange(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		other := s.Login("ann")
		ticket := newTicket(other).Ticket
		stays, bobs := ann.Stream(), bob.Stream()
		gone := []*harness.Stream{other.Stream(), s.Stream(harness.Query("ticket", ticket))}
		changePassword(ann, harness.Password, newPassword).Want(204)
		for _, st := range gone {
			endedBy(t, st, "password")
		}
		other.Get("/v1/me").Refused("unauthorized")
		s.Do("GET", "/v1/events/stream", harness.Query("ticket", ticket)).Refused("unauthorized")
		login(s, "ann", harness.Password).Refused("invalid_credentials")
		login(s, "ann", newPassword).Want(200)
		login(s, "bob", harness.Password).Want(200)
		ann.Send("lobby", "still here")
		stays.Want("message.created")
		bobs.Want("message.created")

		ann.Do("PUT", "/v1/me/password", harness.Form("current", newPassword, "new", " \x00 8 bytes")).Want(204)
		s.Restart()
		ann.Get("/v1/me").Want(200)
		login(s, "ann", newPassword).Refused("invalid_credentials")
		login(s, "ann", " \x00 8 bytes").Want(200)
	})
}

func TestPasswordChangeRefused(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	other := s.Login("ann")
	for _, wrong := range []string{"", "wrong horse", strings.Repeat("é", 200)} {
		// The session is as good as before: only `unauthorized` means that it is not.
		changePassword(ann, wrong, newPassword).Refused("invalid_credentials")
	}
	for _, bad := range []string{"1234567", "ééé", strings.Repeat("a", 257), strings.Repeat("é", 129)} {
		changePassword(ann, harness.Password, bad).Refused("validation_failed", "new")
	}
	ann.Put("/v1/me/password", map[string]any{"new": newPassword}).Refused("validation_failed", "current")
	ann.Put("/v1/me/password", map[string]any{"current": harness.Password}).Refused("validation_failed", "new")
	guest := s.Guest("passer-by")
	for _, current := range []string{"", newPassword} {
		if p := changePassword(guest, current, newPassword).Refused("forbidden"); !strings.Contains(p.Detail, "guest has no password") {
			t.Errorf("a guest is told %q", p.Detail)
		}
	}
	login(s, guest.Name, newPassword).Refused("invalid_credentials")
	ann.Get("/v1/me").Want(200)
	login(s, "ann", harness.Password).Want(200)
	other.Get("/v1/me").Want(200)
}

// caller is a user who makes calls at the same time as others.
type caller struct {
	t *testing.T
	s *harness.Server
	u *harness.User
}

// call is such a call.
type call func() (*harness.Answer, error)

func (c caller) change(next string) call {
	return func() (*harness.Answer, error) {
		return c.s.Try(c.t.Context(), "PUT", "/v1/me/password", c.u.Bearer(),
			harness.JSON(map[string]any{"current": harness.Password, "new": next}))
	}
}

func (c caller) enter() (*harness.Answer, error) {
	return c.s.Try(c.t.Context(), "POST", "/v1/login",
		harness.JSON(map[string]any{"name": c.u.Name, "password": harness.Password}))
}

func (c caller) end(session int64) call {
	return func() (*harness.Answer, error) {
		return c.s.Try(c.t.Context(), "DELETE", "/v1/sessions/"+id(session), c.u.Bearer())
	}
}

// What a call does before its command: one that compares a password reads it in a transaction of its own.
const (
	atOnce         = 1
	afterComparing = 2
)

// overtaken runs first up to its command's transaction, which is the server's nth from now, holds it up there until
// second has read the password that it compares, and lets both go on. Their sessions must be known to the server.
func overtaken(t *testing.T, s *harness.Server, nth int64, first, second call) (a, b *harness.Answer) {
	t.Helper()
	var both sync.WaitGroup
	run := func(c call, answer **harness.Answer) {
		both.Go(func() {
			var err error
			if *answer, err = c(); err != nil {
				t.Error(err)
			}
		})
	}
	waits, release := s.HoldNth(harness.Begin, nth)
	run(first, &a)
	<-waits
	reads := s.Count(harness.Read)
	run(second, &b)
	// The first query makes the snapshot: by the second one nothing of it changes any more.
	harness.Eventually(t, "the second call reads", func() bool { return reads() >= 2 })
	release()
	both.Wait()
	s.Mend()
	if t.Failed() {
		t.FailNow()
	}
	return a, b
}

// Of two changes at once, the one that comes second has proved to know a password that is none any more.
func TestPasswordChangesTogether(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := caller{t, s, s.User("ann")}
		ann.u.Get("/v1/me").Want(200)
		first, second := overtaken(t, s, afterComparing, ann.change("password one"), ann.change("password two"))
		first.Want(204)
		second.Refused("conflict")
		login(s, "ann", "password one").Want(200)
		login(s, "ann", "password two").Refused("invalid_credentials")
		login(s, "ann", harness.Password).Refused("invalid_credentials")
	})
}

// Whoever knew only the old password has no session after the change, even if it was compared before.
func TestLoginDuringAPasswordChange(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := caller{t, s, s.User("ann")}
		ann.u.Get("/v1/me").Want(200)
		changed, entered := overtaken(t, s, afterComparing, ann.change(newPassword), ann.enter)
		changed.Want(204)
		entered.Refused("invalid_credentials")
		if all := sessionsOf(ann.u, "50"); len(all) != 1 {
			t.Errorf("after the change there are %+v", all)
		}
		// The other way round the session is there, and ends with the rest.
		changePassword(ann.u, newPassword, harness.Password).Want(204)
		ann.u.Get("/v1/me").Want(200)
		entered, changed = overtaken(t, s, afterComparing, ann.enter, ann.change(newPassword))
		entered.Want(200)
		changed.Want(204)
		if all := sessionsOf(ann.u, "50"); len(all) != 1 || !all[0].Current {
			t.Errorf("after the change there are %+v", all)
		}
	})
}

// A session that was ended meanwhile changes nothing any more.
func TestPasswordChangeOfAnEndedSession(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := caller{t, s, s.User("ann")}
		stolen := caller{t, s, s.Login("ann")}
		ann.u.Get("/v1/me").Want(200)
		ended, changed := overtaken(t, s, atOnce, ann.end(currentSession(stolen.u).ID), stolen.change(newPassword))
		ended.Want(204)
		changed.Refused("unauthorized")
		login(s, "ann", harness.Password).Want(200)
	})
}
