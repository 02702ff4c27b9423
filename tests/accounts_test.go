package tests

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

func TestFirstAccountIsAdmin(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	for _, step := range []struct {
		user *harness.User
		role string
	}{
		{s.Guest(""), "guest"}, // guests are no accounts to rule a server
		{s.User("ann"), "admin"},
		{s.User("bob"), "member"},
		{s.Guest("eve"), "guest"},
	} {
		if step.user.Role != step.role {
			t.Errorf("%s is %s, want %s", step.user.Name, step.user.Role, step.role)
		}
		me := harness.Into[client.User](step.user.Get("/v1/me").Want(200))
		if string(me.Role) != step.role || me.Name != step.user.Name || me.ID != step.user.ID {
			t.Errorf("%s is %+v to themselves", step.user.Name, me)
		}
	}
}

// Who registers at the same time cannot both be the first, nor both have the name.
func TestRegisterTogether(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		const many = 8
		answers := make(chan *harness.Answer, many)
		for range many {
			go func() {
				a, err := s.Try(t.Context(), "POST", "/v1/register", harness.Form("name", "ann", "password", harness.Password))
				if err != nil {
					t.Error(err)
				}
				answers <- a
			}()
		}
		made := 0
		for range many {
			switch a := <-answers; {
			case a == nil:
			case a.Status == 201:
				made++
				if role := harness.Into[client.Session](a).User.Role; role != "admin" {
					t.Errorf("the only account is %s", role)
				}
			default:
				a.Refused("name_taken")
			}
		}
		if made != 1 {
			t.Errorf("%d accounts of one name", made)
		}
	})
}

func TestNewAccount(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	before := time.Now().Add(-time.Second)
	a := s.Do("POST", "/v1/register", harness.JSON(map[string]any{"name": "Ann", "password": "öäüß"})).Want(201)
	session := harness.Into[client.Session](a)
	u := session.User
	if u.Name != "Ann" || u.DisplayName != "Ann" || u.Status != "offline" || u.StatusText != "" {
		t.Errorf("the new account is %+v", u)
	}
	for what, at := range map[string]time.Time{"created_at": u.CreatedAt, "last_seen_at": u.LastSeenAt} {
		if at.Before(before) || at.After(time.Now().Add(time.Second)) {
			t.Errorf("%s is %v", what, at)
		}
	}
	if days := time.Until(session.ExpiresAt).Hours() / 24; days < 29.9 || days > 30.1 {
		t.Errorf("the session ends in %v days", days)
	}
	if len(session.Token) < 32 { // 256 bits in any alphabet are longer
		t.Errorf("the token %q is short", session.Token)
	}
	// The name is found in any case; as it was registered it is shown.
	for _, name := range []string{"ann", "ANN", "aNN", "ＡＮＮ"} {
		login := s.Do("POST", "/v1/login", harness.JSON(map[string]any{"name": name, "password": "öäüß"})).Want(200)
		got := harness.Into[client.Session](login)
		if got.User.ID != u.ID || got.User.Name != "Ann" || got.Token == session.Token {
			t.Errorf("login as %s gives %+v", name, got.User)
		}
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	tests := []struct {
		password string
		ok       bool
	}{
		{"", false},
		{"1234567", false},
		{"12345678", true},
		{"ééé", false}, // 6 bytes
		{"éééé", true}, // 8 bytes
		{"🐟🐟", true},   // 8 bytes in two characters
		{"        ", true},
		{"with \x00 NUL", true}, // what is in a password is its owner's business
		{strings.Repeat("a", 256), true},
		{strings.Repeat("a", 257), false},
		{strings.Repeat("é", 128), true},
		{strings.Repeat("é", 129), false},
		{strings.Repeat("é", 257), false},
	}
	for i, tt := range tests {
		name := "user" + string(rune('a'+i))
		a := s.Do("POST", "/v1/register", harness.JSON(map[string]any{"name": name, "password": tt.password}))
		if !tt.ok {
			a.Refused("validation_failed", "password")
			continue
		}
		a.Want(201)
		s.Do("POST", "/v1/login", harness.JSON(map[string]any{"name": name, "password": tt.password})).Want(200)
		s.Do("POST", "/v1/login", harness.JSON(map[string]any{"name": name, "password": tt.password[1:] + "x"})).
			Refused("invalid_credentials")
	}
}

// Whether a name exists cannot be read off the answer to a login.
func TestWrongCredentialsReadAlike(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	s.User("ann")
	guest := s.Guest("passer-by")
	var first harness.Problem
	for _, tt := range []struct{ name, password string }{
		{"ann", "wrong horse"},
		{"ann", ""},
		{"ann", strings.Repeat("é", 200)},
		{"nobody", harness.Password},
		{guest.Name, harness.Password},
		{"", harness.Password},
		{"room", harness.Password},
		{"no such/name", harness.Password},
		{"an\x00n", harness.Password},
		{strings.Repeat("a", 200), harness.Password},
		{"@ann", harness.Password},
	} {
		p := s.Do("POST", "/v1/login", harness.JSON(map[string]any{"name": tt.name, "password": tt.password})).
			Refused("invalid_credentials")
		p.RequestID = ""
		if first.Code == "" {
			first = p
		}
		if p.Title != first.Title || p.Detail != first.Detail {
			t.Errorf("%q with %q reads %q, others %q", tt.name, tt.password, p.Detail, first.Detail)
		}
	}
}

func TestGuests(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	named := s.Guest("Passer-By")
	if named.Name != "Passer-By" {
		t.Errorf("the guest is called %s", named.Name)
	}
	s.Do("POST", "/v1/guest", harness.JSON(map[string]any{"name": "passer-by"})).Refused("name_taken")
	names := map[string]bool{}
	for _, with := range [][]harness.With{
		nil, {harness.JSON(map[string]any{})}, {harness.Raw("application/json", "")},
		{harness.Raw("application/x-www-form-urlencoded", "")}, {harness.Raw("", "")},
	} {
		session := harness.Into[client.Session](s.Do("POST", "/v1/guest", with...).Want(201))
		if names[session.User.Name] || session.User.Name == "" {
			t.Errorf("a guest got the name %q again", session.User.Name)
		}
		names[session.User.Name] = true
	}
	named.Send("lobby", "hello from a guest")
	// The name that the server would choose may be somebody's.
	squatter := s.User("guest-" + id(named.Head()+2))
	if next := s.Guest(""); next.Name == squatter.Name || next.ID != squatter.ID+1 {
		t.Errorf("after %+v comes %+v", squatter, next)
	}
}

func TestGuestsTurnedOff(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.NoGuests())
	s.User("ann")
	s.Do("POST", "/v1/guest").Refused("forbidden")
	s.Do("POST", "/v1/guest", harness.Form("name", "eve")).Refused("forbidden")
}

func TestRename(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		message := ann.Send("lobby", "before")
		stream := bob.Stream()
		ann.Post("/v1/rename", map[string]any{"name": "BOB"}).Refused("name_taken")
		renamed := harness.Into[client.User](ann.Post("/v1/rename", map[string]any{"name": "Anna"}).Want(200))
		if renamed.Name != "Anna" || renamed.DisplayName != "Anna" || renamed.ID != ann.ID {
			t.Errorf("renamed to %+v", renamed)
		}
		e := stream.Want("user.renamed")[0]
		data := harness.DataOf[client.UserRenamedData](e)
		if data.OldName != "ann" || data.User.Name != "Anna" || data.User.ID != ann.ID || e.RoomID != 0 {
			t.Errorf("the event is %s", e.JSON)
		}
		// The same name again is no change and no event; another case of it is one.
		ann.Post("/v1/rename", map[string]any{"name": "Anna"}).Want(200)
		ann.Post("/v1/rename", map[string]any{"name": "anna"}).Want(200)
		if e := stream.Want("user.renamed")[0]; harness.DataOf[client.UserRenamedData](e).OldName != "Anna" {
			t.Errorf("the event is %s", e.JSON)
		}
		// The old name is free, the old token good, and answers show the present name.
		s.User("ann")
		if got := bob.History("lobby")[0]; got.ID != message.ID || got.Sender.Name != "anna" {
			t.Errorf("the message of before is %+v", got)
		}
		if created := bob.Events(message.ID - 1)[0]; !strings.Contains(created.JSON+string(created.Data), `"name":"ann"`) {
			t.Errorf("the event of before has no name of the moment: %s", created.Data)
		}
		bob.Get("/v1/users/@anna").Want(200)
		s.Do("POST", "/v1/login", harness.Form("name", "anna", "password", harness.Password)).Want(200)
	})
}

func TestUsers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		for _, name := range []string{"Anna", "ANTON", "bob", "Éva", "straße", "Ωmega", "小明", "小红"} {
			s.User(name)
		}
		tests := []struct{ q, want string }{
			{"", "ann Anna ANTON bob straße Éva Ωmega 小明 小红"},
			{"an", "ann Anna ANTON"},
			{"AN", "ann Anna ANTON"},
			{"ann", "ann Anna"},
			{"nn", ""},
			{"STRASS", "straße"},
			{"小", "小明 小红"},
			{"ａｎ", "ann Anna ANTON"},
			{"E\u0301V", "Éva"}, // composed as the name is
			{"é", "Éva"},
			{"ω", "Ωmega"},
			{"\u2126", "Ωmega"}, // the ohm sign
			{"ﬆ", "straße"},
			{"%", ""},
			{"a_", ""},
			{"an%", ""},
			{`\`, ""},
			{"zzz", ""},
			{strings.Repeat("a", 120), ""},
		}
		for _, tt := range tests {
			for _, limit := range []string{"1", "2", "50"} {
				if got := strings.Join(userPages(t, ann, tt.q, limit), " "); got != tt.want {
					t.Errorf("%q by %s: %q, want %q", tt.q, limit, got, tt.want)
				}
			}
		}
		for _, ref := range []string{"@Anna", "@ANNA", "@%41nna", "@ａｎｎａ"} {
			u := harness.Into[client.User](ann.Get("/v1/users/" + ref).Want(200))
			if u.Name != "Anna" || u.Role != "member" {
				t.Errorf("%s is %+v", ref, u)
			}
		}
		ann.Get("/v1/users/" + ann.Ref()).Want(200)
	})
}

// userPages goes through all pages of a search.
func userPages(t *testing.T, u *harness.User, q, limit string) (names []string) {
	t.Helper()
	page := ""
	for {
		with := []harness.With{harness.Query("q", q), harness.Query("limit", limit)}
		if page != "" {
			with = append(with, harness.Query("page", page))
		}
		list := harness.Into[client.UserList](u.Get("/v1/users", with...).Want(200))
		for _, user := range list.Users {
			names = append(names, user.Name)
		}
		if list.NextPage == nil {
			return names
		}
		if page == *list.NextPage || len(list.Users) == 0 {
			t.Fatalf("page %q of %q leads nowhere", page, q)
		}
		page = *list.NextPage
	}
}

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	answers := map[string]*harness.Answer{
		"register": s.Do("POST", "/v1/register", harness.Form("name", "ann", "password", harness.Password)).Want(201),
		"login":    s.Do("POST", "/v1/login", harness.Form("name", "ann", "password", harness.Password)).Want(200),
		"guest":    s.Do("POST", "/v1/guest").Want(201),
	}
	for call, a := range answers {
		c := onlyCookie(t, a)
		if c.Name != "parley_session" || c.Value != harness.Into[client.Session](a).Token {
			t.Errorf("%s sets %s", call, c)
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("%s sets %s", call, c)
		}
		if c.Secure { // the test's server has no TLS: a browser would not send it
			t.Errorf("%s sets a cookie for TLS only: %s", call, c)
		}
		if c.MaxAge != 30*24*60*60 {
			t.Errorf("%s sets a cookie for %d s", call, c.MaxAge)
		}
		s.Do("GET", "/v1/me", harness.Cookie(c.Value)).Want(200)
	}
	ann := answers["login"]
	a := s.Do("POST", "/v1/logout", harness.Cookie(harness.Into[client.Session](ann).Token)).Want(204)
	if c := onlyCookie(t, a); c.Name != "parley_session" || c.MaxAge >= 0 || c.Path != "/" {
		t.Errorf("logout sets %s", c)
	}
}

func onlyCookie(t *testing.T, a *harness.Answer) *http.Cookie {
	t.Helper()
	cookies := (&http.Response{Header: a.Header}).Cookies()
	if len(cookies) != 1 {
		t.Fatalf("cookies: %v", cookies)
	}
	return cookies[0]
}

// A bearer token is what counts where both are sent; a foreign page cannot send it.
func TestBearerWinsOverCookie(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	both := []harness.With{harness.Cookie(bob.Token), ann.Bearer()}
	if me := harness.Into[client.User](s.Do("GET", "/v1/me", both...).Want(200)); me.ID != ann.ID {
		t.Errorf("the cookie won: %s", me.Name)
	}
	a := s.Do("POST", "/v1/send", append(both, harness.Header("Origin", "https://evil.example"), harness.Form("text", "hi"))...)
	if m := harness.Into[client.Message](a.Want(201)); m.Sender.ID != ann.ID {
		t.Errorf("sent by %s", m.Sender.Name)
	}
	s.Do("GET", "/v1/me", harness.Header("Authorization", "bearer "+ann.Token)).Want(200)
	s.Do("GET", "/v1/me", harness.Cookie(bob.Token), harness.Header("Authorization", "Bearer nonsense")).Refused("unauthorized")
}

func TestLogout(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		here := s.User("ann")
		there := s.Login("ann")
		ticket := harness.Into[client.Ticket](here.Post("/v1/tickets", nil).Want(201)).Ticket
		stream, lines, other := here.Stream(), here.NDJSON(), there.Stream()
		byTicket := s.Stream(harness.Query("ticket", ticket))

		here.Post("/v1/logout", nil).Want(204)
		for _, st := range []*harness.Stream{stream, lines, byTicket} {
			e := st.Want("session.ended")[0]
			if reason := harness.DataOf[client.SessionEndedData](e).Reason; reason != "logout" || e.SSEID != "" {
				t.Errorf("the stream ends with %s", e.JSON)
			}
			if rest := st.End(); len(rest) > 0 {
				t.Errorf("after session.ended: %v", rest)
			}
		}
		here.Get("/v1/me").Refused("unauthorized")
		here.Post("/v1/logout", nil).Refused("unauthorized")
		s.Do("GET", "/v1/events/stream", harness.Query("ticket", ticket)).Refused("unauthorized")
		// The other session does not notice.
		there.Send("lobby", "still here")
		other.Want("message.created")
	})
}

// What was on its way when the session ended does not outlive it.
func TestLogoutBeforeThePollBegins(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	for name, path := range map[string]string{
		"poll": "/v1/events?wait=60", "stream": "/v1/events/stream", "ndjson": "/v1/events/ndjson",
	} {
		u := s.User(name)
		u.Get("/v1/me").Want(200) // known without the database
		held, release := s.HoldOne(harness.Begin)
		answer := make(chan *harness.Answer, 1)
		go func() {
			a, err := s.Try(t.Context(), "GET", path, u.Bearer())
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			answer <- a
		}()
		<-held
		u.Post("/v1/logout", nil).Want(204)
		release()
		select {
		case a := <-answer:
			if a != nil {
				a.Want(200, 401)
			}
		case <-time.After(20 * time.Second):
			t.Errorf("%s: it goes on without its session", name)
		}
	}
}

func TestSessionsOutliveARestart(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		gone := s.Login("ann")
		gone.Post("/v1/logout", nil).Want(204)
		message := ann.Send("lobby", "before")
		ann.Room("tea", "private")
		s.Restart()
		ann.Get("/v1/me").Want(200)
		gone.Get("/v1/me").Refused("unauthorized")
		if got := ann.History("lobby"); len(got) != 1 || got[0].ID != message.ID {
			t.Errorf("after the restart the lobby has %v", got)
		}
		if m := ann.Send("tea", "after"); m.ID <= message.ID {
			t.Errorf("the message %d follows %d", m.ID, message.ID)
		}
		s.Login("ann")
		if bob := s.User("bob"); bob.Role != "member" {
			t.Errorf("the first account after a restart is %s", bob.Role)
		}
	})
}
