package tests

import (
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// Every call with a session from a banned address is refused, but an admin's; calls that need none
// answer as always, but for those that open a session.
func TestBannedAddress(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		w := newWorld(t, s)
		elsewhere := harness.From(harness.Elsewhere(t))
		login := func(name string, with ...harness.With) *harness.Answer {
			return w.Do("POST", "/v1/login", append(with, harness.Form("name", name, "password", harness.Password))...)
		}
		there := harness.Into[client.Session](login("ann", elsewhere).Want(200))
		stream := w.Stream(harness.Header("Authorization", "Bearer "+there.Token), elsewhere)
		chief := harness.Into[client.Session](login("root", elsewhere).Want(200))

		ban := harness.Into[client.Ban](w.admin.Post("/v1/bans", map[string]any{"address": "::ffff:127.0.0.2", "reason": "flood"}).Want(201))
		if ban.Address == nil || *ban.Address != "127.0.0.2" || ban.Kind != "address" || ban.User != nil {
			t.Errorf("the ban is %+v", ban)
		}
		events := stream.End()
		last := events[len(events)-1]
		if got := harness.DataOf[client.SessionEndedData](last); got.Reason != "banned" || *got.Detail != "flood" {
			t.Errorf("the stream from there ends with %s", last.JSON)
		}
		w.Do("GET", "/v1/me", harness.Header("Authorization", "Bearer "+there.Token)).Refused("unauthorized")
		for _, o := range operations {
			if o.public {
				continue
			}
			o = o.ready(w)
			o.as = w.ann
			if p := o.call(w, elsewhere).Refused("banned"); !strings.Contains(p.Detail, "your address is banned: flood") {
				t.Errorf("%s: %q", o.id, p.Detail)
			}
		}
		ticket := harness.Query("ticket", newTicket(w.ann).Ticket)
		for range 5 { // a refused one does not count as open
			w.Do("GET", "/v1/events/stream", ticket, elsewhere).Refused("banned")
		}
		w.Stream(ticket)
		login("bob", elsewhere).Refused("banned")
		w.Do("POST", "/v1/login", elsewhere, harness.Form("name", "bob", "password", "wrong horse")).Refused("invalid_credentials")
		w.Do("POST", "/v1/register", elsewhere, harness.Form("name", "new", "password", harness.Password)).Refused("banned")
		w.Do("POST", "/v1/guest", elsewhere).Refused("banned")
		w.Do("GET", "/healthz", elsewhere).Want(200)
		// An admin comes from everywhere.
		w.Do("GET", "/v1/me", elsewhere, harness.Header("Authorization", "Bearer "+chief.Token)).Want(200)
		login("root", elsewhere).Want(200)
		// Who is one no more does not.
		w.admin.Put("/v1/users/@bob/role", inRole("admin")).Want(200)
		w.Do("GET", "/v1/me", elsewhere, w.bob.Bearer()).Want(200)
		w.admin.Put("/v1/users/@bob/role", inRole("member")).Want(200)
		w.Do("GET", "/v1/me", elsewhere, w.bob.Bearer()).Refused("banned")

		s.Restart()
		w.Do("GET", "/v1/me", elsewhere, w.bob.Bearer()).Refused("banned")
		w.admin.Delete("/v1/bans/" + id(ban.ID)).Want(204)
		w.Do("GET", "/v1/me", elsewhere, w.bob.Bearer()).Want(200)
		login("bob", elsewhere).Want(200)
	})
}

// A ban of an address ends by the clock, also in memory, and a network is banned as a whole.
func TestAddressBanEnds(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	root, ann := s.User("root"), s.User("ann")
	elsewhere := harness.From(harness.Elsewhere(t))
	soon := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	post := func(body map[string]any, status int) client.Ban {
		return harness.Into[client.Ban](root.Post("/v1/bans", body).Want(status))
	}
	first := post(map[string]any{"address": "127.0.0.2", "until": soon}, 201)
	ann.Get("/v1/me", elsewhere).Refused("banned")
	ann.Get("/v1/me").Want(200)
	later := time.Now().Add(2 * time.Hour).UTC().Format(time.RFC3339)
	if second := post(map[string]any{"address": "127.0.0.2/32", "until": later}, 200); second.ID != first.ID {
		t.Errorf("from %+v to %+v", first, second)
	}
	s.Advance(90 * time.Minute)
	ann.Get("/v1/me", elsewhere).Refused("banned")
	s.Advance(time.Hour)
	ann.Get("/v1/me", elsewhere).Want(200)
	s.Do("POST", "/v1/guest", elsewhere).Want(201)
	if third := post(map[string]any{"address": "127.0.0.3/31"}, 201); *third.Address != "127.0.0.2/31" {
		t.Errorf("the network is %s", *third.Address)
	}
	ann.Get("/v1/me", elsewhere).Refused("banned")
}

// With `addresses` a ban goes where the account's sessions came from, but never to the admin's own.
func TestBanWithAddresses(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		elsewhere := harness.From(harness.Elsewhere(t))
		for range 2 {
			s.Do("POST", "/v1/login", elsewhere, harness.Form("name", "ann", "password", harness.Password)).Want(200)
		}
		beside := harness.Into[client.Session](
			s.Do("POST", "/v1/login", elsewhere, harness.Form("name", "bob", "password", harness.Password)).Want(200))
		root.Put("/v1/users/@ann/ban", map[string]any{"addresses": true, "reason": "spam"}).Want(200)
		bans := harness.Into[client.BanList](root.Get("/v1/bans").Want(200)).Bans
		if len(bans) != 2 || bans[0].Address == nil || *bans[0].Address != "127.0.0.2" || bans[1].User.ID != ann.ID {
			t.Errorf("the bans are %+v", bans)
		}
		ann.Get("/v1/me").Refused("unauthorized")
		s.Do("GET", "/v1/me", harness.Header("Authorization", "Bearer "+beside.Token)).Refused("unauthorized")
		bob.Get("/v1/me").Want(200)
		bob.Get("/v1/me", elsewhere).Refused("banned")
		root.Delete("/v1/users/@ann/ban").Want(204)
		bob.Get("/v1/me", elsewhere).Refused("banned") // that is a ban of its own
	})
}
