package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// presence gives the next word on presence that the stream gets, as `name status` of each user.
func presence(t *testing.T, st *harness.Stream) string {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); ; { // heartbeats do not move it
		e := st.Any()
		if time.Now().After(limit) {
			t.Fatal("no presence came")
		}
		if e.Type != "presence.changed" {
			continue
		}
		var words []string
		for _, u := range harness.DataOf[client.PresenceData](e).Users {
			words = append(words, fmt.Sprintf("%s %s", u.Name, u.Status))
		}
		slices.Sort(words)
		return strings.Join(words, ", ")
	}
}

// hears ends the test unless the next words that the stream gets on presence are these, in any order.
func hears(t *testing.T, st *harness.Stream, want ...string) {
	t.Helper()
	for len(want) > 0 {
		got := presence(t, st)
		words := strings.Split(got, ", ") // several may come in one
		for _, w := range words {
			if !slices.Contains(want, w) {
				t.Fatalf("heard %q, want %q", got, want)
			}
		}
		want = slices.DeleteFunc(slices.Clone(want), func(w string) bool { return slices.Contains(words, w) })
	}
}

// later lets the server's first half minute pass, in which nobody is declared gone.
func later(s *harness.Server) { s.Advance(31 * time.Second) }

func TestPresence(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		later(s)
		ann, bob := s.User("ann"), s.User("bob")
		tap := ann.Stream()
		hears(t, tap, "ann online")
		first := bob.Stream()
		hears(t, tap, "bob online")
		hears(t, first, "bob online")
		second := bob.NDJSON()

		s.Advance(5 * time.Minute)
		hears(t, tap, "ann away", "bob away")
		hears(t, second, "ann away", "bob away") // the own devices too
		if got := statuses(t, ann); got != "ann away, bob away" {
			t.Errorf("who has %s", got)
		}
		bob.Get("/v1/rooms").Want(200) // looking is no act, nor is a ticket or a stream
		newTicket(bob)
		bob.Stream()
		bob.Send("lobby", "back")
		hears(t, tap, "bob online")
		ann.Post("/v1/rename", map[string]any{"name": ""}).Want(422) // whatever comes of it
		hears(t, tap, "ann online")
		if me := bob.Now(); me.Status != "online" {
			t.Errorf("bob is %s", me.Status)
		}
		bob.Post("/v1/logout", nil).Want(204)
		hears(t, tap, "bob offline")
		if got := statuses(t, ann); got != "ann online" {
			t.Errorf("who has %s", got)
		}
		if u := harness.Into[client.User](ann.Get("/v1/users/@bob").Want(200)); u.Status != "offline" {
			t.Errorf("bob is %s", u.Status)
		}
	}, harness.OwnClock())
}

// statuses is who in words.
func statuses(t *testing.T, u *harness.User, with ...harness.With) string {
	t.Helper()
	var words []string
	for _, w := range harness.Into[client.WhoList](u.Get("/v1/who", with...).Want(200)).Users {
		words = append(words, fmt.Sprintf("%s %s", w.Name, w.Status))
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// Who comes back within the grace was not away; the grace is longer after the start, and after a poll.
func TestPresenceGrace(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	ann, bob, eve := s.User("ann"), s.User("bob"), s.User("eve")
	tap := ann.Stream()
	hears(t, tap, "ann online")
	st := bob.Stream()
	hears(t, tap, "bob online")
	st.Close()
	s.Advance(20 * time.Second) // far beyond the grace, but the server has just started
	st = bob.Stream()
	poll(eve, harness.Query("wait", "0"))
	hears(t, tap, "eve online") // and nothing of bob
	later(s)
	hears(t, tap, "eve offline") // the poll has ended more than 30 s ago
	poll(eve, harness.Query("wait", "0"))
	hears(t, tap, "eve online")
	s.Advance(25 * time.Second)
	if got := statuses(t, ann); got != "ann online, bob online, eve online" {
		t.Errorf("who has %s", got)
	}
	poll(eve, harness.Query("wait", "0")) // the next one in time
	s.Advance(25 * time.Second)
	st.Close()
	hears(t, tap, "bob offline")
	s.Advance(10 * time.Second)
	hears(t, tap, "eve offline")
}

// A restarted server learns anew who is there; whoever comes is announced.
func TestPresenceAfterARestart(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	ann.Stream()
	bob.Stream()
	s.Restart()
	tap := ann.Stream()
	hears(t, tap, "ann online")
	bob.Stream()
	hears(t, tap, "bob online")
	if got := statuses(t, ann); got != "ann online, bob online" {
		t.Errorf("who has %s", got)
	}
}

// The lobby hears of its members while fewer than the limit are online; who shares another room always does,
// and nobody else. Filters narrow it.
func TestPresenceAudience(t *testing.T) {
	t.Parallel()
	for limit, lobby := range map[string]bool{"0": false, "1000": true} {
		t.Run(limit, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, harness.OwnClock(), harness.Flags("--presence-limit", limit))
			later(s)
			ann, bob, eve := s.User("ann"), s.User("bob"), s.User("eve")
			ann.Room("tea", "private")
			ann.Add("tea", bob, "")
			eve.Room("den", "private")
			byType := ann.Stream(harness.Query("types", "presence.changed")) // the first, that it hears of ann's coming
			taps := map[string]*harness.Stream{
				"by type": byType, "tea": ann.Stream(), "stranger": eve.Stream(),
				"in the den": eve.Stream(harness.Query("rooms", "den")),
				"only tea":   ann.Stream(harness.Query("rooms", "tea")),
				"none":       ann.Stream(harness.Query("types", "message.created")),
			}
			own := map[bool][]string{true: {"ann online", "eve online"}, false: {"ann online"}}[lobby]
			hears(t, taps["by type"], own...)
			st := bob.Stream()
			hears(t, taps["by type"], "bob online")
			st.Close()
			hears(t, taps["by type"], "bob offline")
			late := map[string][]string{ // eve went away last, so that all before has been told
				"tea": {"bob online", "bob offline"}, "only tea": {"bob online", "bob offline"},
				"stranger": nil, "in the den": nil, "none": nil,
			}
			if lobby {
				late["stranger"] = late["tea"]
			}
			s.Advance(6 * time.Minute)
			hears(t, taps["by type"], map[bool][]string{true: {"ann away", "eve away"}, false: {"ann away"}}[lobby]...)
			for name, want := range late {
				say := func() { ann.Send("tea", "hi") }
				switch name {
				case "in the den":
					say = func() { eve.Send("den", "hi") }
				case "stranger":
					say = func() { ann.Send("lobby", "hi") }
				}
				t.Run(name, func(t *testing.T) { heardOf(t, taps[name], say, "bob", want) })
			}
		})
	}
}

// heardOf holds all that a stream heard of a user until two messages have come that say sends: what was called for
// before the first one is written before the second.
func heardOf(t *testing.T, st *harness.Stream, say func(), name string, want []string) {
	t.Helper()
	var got []string
	for range 2 {
		say()
		for e := st.Any(); e.Type != "message.created"; e = st.Any() {
			if e.Type != "presence.changed" {
				continue
			}
			for _, u := range harness.DataOf[client.PresenceData](e).Users {
				if u.Name == name {
					got = append(got, fmt.Sprintf("%s %s", u.Name, u.Status))
				}
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
}

// Who by room answers for its members, with the log position that it is true of.
func TestWhoByRoomWithCursor(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob, eve := s.User("ann"), s.User("bob"), s.User("eve")
	ann.Room("tea", "private")
	ann.Add("tea", bob, "")
	for _, u := range []*harness.User{ann, bob, eve} {
		u.Stream()
	}
	head := ann.Head()
	who := harness.Into[client.WhoList](ann.Get("/v1/who", harness.Query("room", "tea"), harness.Query("limit", "1")).Want(200))
	if who.Total != 2 || who.Cursor != head || who.NextPage == nil || who.Users[0].Name != "ann" {
		t.Errorf("who has %+v", who)
	}
	eve.Get("/v1/who", harness.Query("room", "tea")).Refused("not_found")
	ann.Put("/v1/rooms/tea/members/"+eve.Ref(), map[string]any{}).Want(200)
	if who := harness.Into[client.WhoList](eve.Get("/v1/who", harness.Query("room", "tea")).Want(200)); who.Total != 3 || who.Cursor <= head {
		t.Errorf("who has %+v", who)
	}
}

// A session that does not act is ended, whatever it reads; one that acts is not.
func TestKickAfter(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		quiet := s.Login("bob")
		away, busy := bob.Stream(), ann.Stream()
		for range 3 {
			s.Advance(9 * time.Minute)
			ann.Send("lobby", "still here")
			bob.Get("/v1/me") // reading only
		}
		ended := away.End()
		data := harness.DataOf[client.SessionEndedData](ended[len(ended)-1])
		if last := ended[len(ended)-1]; last.Type != "session.ended" || data.Reason != "idle" {
			t.Errorf("the stream ends with %s", last.JSON)
		}
		bob.Get("/v1/me").Refused("unauthorized")
		harness.Eventually(t, "the session without a stream has ended", func() bool {
			return quiet.Get("/v1/me").Status == 401
		})
		ann.Get("/v1/me").Want(200)
		busy.Want("message.created", "message.created", "message.created")
	}, harness.OwnClock(), harness.Flags("--kick-after", "10m"))
}

// Sessions that a restarted server has not seen are ended by what the database says of their last use.
func TestKickAfterARestart(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock(), harness.Flags("--kick-after", "10m"))
	ann, bob := s.User("ann"), s.User("bob")
	s.Advance(15 * time.Minute / 2)
	ann.Send("lobby", "an act")
	s.Restart()
	s.Advance(9 * time.Minute) // 16 and a half for bob, and the database may be 5 behind
	head := ann.Head()
	harness.Eventually(t, "bob's session has ended", func() bool { return ann.Head() > head })
	bob.Get("/v1/me").Refused("unauthorized")
	ann.Get("/v1/me").Want(200)
}
