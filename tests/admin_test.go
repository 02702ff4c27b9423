package tests

import (
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

func inRole(role string) map[string]any { return map[string]any{"role": role} }

func TestAdministrationIsForAdmins(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	s.User("root")
	ann, bob, guest := s.User("ann"), s.User("bob"), s.Guest("")
	for _, who := range []*harness.User{ann, guest} {
		before := who.Head()
		for _, user := range []string{bob.Ref(), "@nobody", "0"} { // whether there is one is not told
			who.Put("/v1/users/"+user+"/role", map[string]any{"role": "admin"}).Refused("forbidden")
			who.Post("/v1/users/"+user+"/kick", nil).Refused("forbidden")
			who.Put("/v1/users/"+user+"/ban", nil).Refused("forbidden")
			who.Delete("/v1/users/" + user + "/ban").Refused("forbidden")
		}
		who.Get("/v1/bans").Refused("forbidden")
		who.Post("/v1/bans", map[string]any{"address": "192.0.2.1"}).Refused("forbidden")
		who.Delete("/v1/bans/1").Refused("forbidden")
		who.Get("/v1/audit").Refused("forbidden")
		if after := who.Head(); after != before {
			t.Errorf("refused, and the log went from %d to %d", before, after)
		}
	}
}

func TestSetUserRole(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		ann.Room("secret", "private")
		stream := ann.Stream()
		bob.Get("/v1/rooms/secret").Refused("not_found") // and is in the session cache as a member
		got := harness.Into[client.User](root.Put("/v1/users/@bob/role", map[string]any{"role": "admin"}).Want(200))
		if got.Role != "admin" || got.ID != bob.ID {
			t.Errorf("the answer is %+v", got)
		}
		e := stream.Want("user.updated")[0]
		if u := harness.DataOf[client.UserData](e).User; u.ID != bob.ID || u.Role != "admin" {
			t.Errorf("the event is %s", e.JSON)
		}
		bob.Get("/v1/rooms/secret").Want(200)
		bob.Get("/v1/audit").Want(200)
		if me := bob.Now(); me.Role != "admin" {
			t.Errorf("bob is %s to himself", me.Role)
		}
		head := bob.Head()
		root.Put("/v1/users/@bob/role", map[string]any{"role": "admin"}).Want(200) // as it is
		if after := bob.Head(); after != head {
			t.Errorf("nothing changed, and the log went from %d to %d", head, after)
		}
		bob.Put("/v1/users/@root/role", map[string]any{"role": "member"}).Want(200)
		stream.Want("user.updated")
		root.Get("/v1/audit").Refused("forbidden")
		root.Get("/v1/rooms/secret").Refused("not_found")
		// He is the last now, whoever asks.
		bob.Put("/v1/users/@bob/role", map[string]any{"role": "agent"}).Refused("conflict")
		bob.Put("/v1/users/@root/role", map[string]any{"role": "agent"}).Want(200)
	})
}

func TestRolesThatCannotBe(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	root, guest, ann := s.User("root"), s.Guest("passer-by"), s.User("ann")
	put := func(user, role string) *harness.Answer {
		return root.Put("/v1/users/"+user+"/role", map[string]any{"role": role})
	}
	for _, bad := range []string{"", "guest", "visitor", "bot", "owner", "ADMIN"} {
		put("@ann", bad).Refused("validation_failed", "role")
	}
	root.Put("/v1/users/@ann/role", map[string]any{}).Refused("validation_failed", "role")
	for _, nobody := range []string{"@nobody", "999999", "ann", "0", "@a/b"} {
		put(strings.ReplaceAll(nobody, "/", "%2F"), "member").Refused("not_found")
	}
	for _, role := range []string{"member", "agent", "admin"} {
		put(guest.Ref(), role).Refused("conflict")
	}
	root.Put("/v1/users/@ann/ban", nil).Want(200)
	put("@ann", "admin").Refused("conflict")
	put("@ann", "agent").Want(200)
	root.Delete("/v1/users/@ann/ban").Want(204)
	put("@ann", "admin").Want(200)
	put(ann.Ref(), "member").Want(200)
}

// Two admins give the role up at the same time: one stays.
func TestLastAdmin(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann := s.User("root"), s.User("ann")
		for range 5 {
			admin, other := root, ann
			if ann.Now().Role == "admin" {
				admin, other = ann, root
			}
			admin.Put("/v1/users/"+other.Ref()+"/role", inRole("admin")).Want(200)
			statuses := make(chan int, 2)
			for _, who := range []*harness.User{root, ann} {
				go func() {
					a, err := s.Try(t.Context(), "PUT", "/v1/users/"+who.Ref()+"/role", who.Bearer(), harness.Form("role", "member"))
					if err != nil {
						t.Error(err)
						statuses <- 0
						return
					}
					statuses <- a.Status
				}()
			}
			got := []int{<-statuses, <-statuses}
			slices.Sort(got)
			if !slices.Equal(got, []int{200, 409}) {
				t.Errorf("answered %v", got)
			}
			if r := []string{string(root.Now().Role), string(ann.Now().Role)}; r[0] == r[1] {
				t.Errorf("they are %v", r)
			}
		}
	})
}

func TestKick(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	root, ann, guest := s.User("root"), s.User("ann"), s.Guest("passer-by")
	second := s.Login("ann")
	kick := func(user, reason string) *harness.Answer {
		return root.Post("/v1/users/"+user+"/kick", map[string]any{"reason": reason})
	}
	kick("@root", "").Refused("conflict")
	kick("@nobody", "").Refused("not_found")
	kick("@ann", strings.Repeat("é", 201)).Refused("validation_failed", "reason")
	kick("@ann", "NUL \x00").Refused("validation_failed", "reason")
	ann.Get("/v1/me").Want(200)
	kick("@ann", strings.Repeat("é", 200)).Want(204)
	ann.Get("/v1/me").Refused("unauthorized")
	second.Get("/v1/me").Refused("unauthorized")
	kick("@ann", "again").Want(204) // nothing is left to end
	s.Login("ann").Get("/v1/me").Want(200)
	// Another admin may be kicked.
	root.Put("/v1/users/@ann/role", inRole("admin")).Want(200)
	ann = s.Login("ann")
	kick("@ann", "").Want(204)
	ann.Get("/v1/me").Refused("unauthorized")
	// Of a guest nothing is left but the name.
	kick(guest.Ref(), "").Want(204)
	guest.Get("/v1/me").Refused("unauthorized")
	s.Do("POST", "/v1/guest", harness.Form("name", guest.Name)).Refused("name_taken")
}

// What is to come may be said in any zone and precision; it is kept in milliseconds.
func TestBanEnds(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann := s.User("root"), s.User("ann")
		login := func() *harness.Answer {
			return s.Do("POST", "/v1/login", harness.Form("name", "ann", "password", harness.Password))
		}
		until := time.Now().Add(time.Hour).In(time.FixedZone("", 3600))
		ban := harness.Into[client.Ban](root.Put("/v1/users/@ann/ban",
			map[string]any{"until": until.Format(time.RFC3339Nano), "reason": "spam"}).Want(200))
		want := until.UTC().Truncate(time.Millisecond)
		if ban.Until == nil || !ban.Until.Equal(want) || ban.User == nil || ban.User.ID != ann.ID ||
			ban.Kind != "account" || ban.By.Name != "root" || *ban.Reason != "spam" {
			t.Errorf("the ban is %+v", ban)
		}
		p := login().Refused("banned")
		if !strings.Contains(p.Detail, want.Format("2006-01-02T15:04:05.000Z")) || !strings.Contains(p.Detail, "spam") {
			t.Errorf("the refusal says %q", p.Detail)
		}
		// Who does not know the password learns nothing.
		s.Do("POST", "/v1/login", harness.Form("name", "ann", "password", "wrong horse")).Refused("invalid_credentials")
		s.Advance(time.Hour + time.Second)
		login().Want(200)
		if bans := harness.Into[client.BanList](root.Get("/v1/bans").Want(200)).Bans; len(bans) != 0 {
			t.Errorf("a ban that is over is listed: %+v", bans)
		}
		root.Delete("/v1/bans/" + id(ban.ID)).Refused("not_found")
		root.Get("/v1/bans?limit=201").Refused("validation_failed", "limit")
		root.Delete("/v1/users/@ann/ban").Want(204)
		again := harness.Into[client.Ban](root.Put("/v1/users/@ann/ban", nil).Want(200))
		if again.ID == ban.ID || again.Until != nil {
			t.Errorf("the next ban is %+v", again)
		}
	}, harness.OwnClock())
}

func TestBanIsChangedAndLifted(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		first := harness.Into[client.Ban](root.Put("/v1/users/@ann/ban", map[string]any{"reason": "one"}).Want(200))
		second := harness.Into[client.Ban](root.Put("/v1/users/@ann/ban", map[string]any{"reason": "two"}).Want(200))
		if second.ID != first.ID || !second.CreatedAt.Equal(first.CreatedAt) || *second.Reason != "two" {
			t.Errorf("from %+v to %+v", first, second)
		}
		other := harness.Into[client.Ban](root.Put("/v1/users/@bob/ban", nil).Want(200))
		page := harness.Into[client.BanList](root.Get("/v1/bans?limit=1").Want(200))
		if len(page.Bans) != 1 || page.Bans[0].ID != other.ID || page.NextPage == nil {
			t.Fatalf("the first page is %+v", page)
		}
		page = harness.Into[client.BanList](root.Get("/v1/bans?limit=1", harness.Query("page", *page.NextPage)).Want(200))
		if len(page.Bans) != 1 || page.Bans[0].ID != first.ID || page.NextPage != nil {
			t.Errorf("the second page is %+v", page)
		}
		for range 2 {
			root.Delete("/v1/users/@ann/ban").Want(204)
		}
		root.Delete("/v1/bans/" + id(other.ID)).Want(204)
		for _, gone := range []string{id(other.ID), "0", "x", "999999"} {
			root.Delete("/v1/bans/" + gone).Refused("not_found")
		}
		s.Login(ann.Name)
		s.Login(bob.Name)
		s.Restart()
		s.Login(ann.Name)
	})
}

func TestBansThatCannotBe(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	root, ann := s.User("root"), s.User("ann")
	ban := func(user string, body any) *harness.Answer {
		return root.Put("/v1/users/"+user+"/ban", body)
	}
	ban("@root", nil).Refused("conflict")
	ban("@nobody", nil).Refused("not_found")
	root.Delete("/v1/users/@nobody/ban").Refused("not_found")
	ban("@ann", map[string]any{"until": "tomorrow"}).Refused("validation_failed", "until")
	ban("@ann", map[string]any{"until": "2020-01-01T00:00:00Z"}).Refused("validation_failed", "until")
	ban("@ann", map[string]any{"reason": strings.Repeat("a", 201)}).Refused("validation_failed", "reason")
	ann.Get("/v1/me").Want(200)
	address := func(body map[string]any) *harness.Answer { return root.Post("/v1/bans", body) }
	for _, bad := range []string{"localhost", "10.0.0.0/33", "10.0.0.1:80", "::1/129", "10.0.0", " 10.0.0.1"} {
		address(map[string]any{"address": bad}).Refused("validation_failed", "address")
	}
	for _, own := range []string{"127.0.0.1", "127.0.0.0/8", "0.0.0.0/0", "::ffff:127.0.0.1", "::ffff:127.0.0.0/104"} {
		address(map[string]any{"address": own}).Refused("conflict")
	}
	address(map[string]any{"address": "192.0.2.1", "until": "2020-01-01T00:00:00Z"}).Refused("validation_failed", "until")
	ann.Get("/v1/me").Want(200)
}

// A ban while logins are under way: whichever comes first, nobody who is banned has a session after it.
func TestBanRacesLogin(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root := s.User("root")
		s.User("ann")
		const many = 8
		for range 5 {
			tokens := make(chan string, many)
			for range many {
				go func() {
					a, err := s.Try(t.Context(), "POST", "/v1/login", harness.Form("name", "ann", "password", harness.Password))
					switch {
					case err != nil:
						t.Error(err)
						tokens <- ""
					case a.Status == 200:
						tokens <- harness.Into[client.Session](a).Token
					default:
						if p := a.Problem(); p.Code != "banned" {
							t.Errorf("a login is answered %d %s", a.Status, p.Code)
						}
						tokens <- ""
					}
				}()
			}
			root.Put("/v1/users/@ann/ban", nil).Want(200)
			for range many {
				if token := <-tokens; token != "" {
					s.Do("GET", "/v1/me", harness.Header("Authorization", "Bearer "+token)).Refused("unauthorized")
				}
			}
			root.Delete("/v1/users/@ann/ban").Want(204)
		}
	})
}
