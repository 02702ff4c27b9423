package tests

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/tests/harness"
)

// fromPage is what a browser adds for a page of the origin.
func fromPage(origin string) harness.With {
	return func(r *http.Request) {
		r.Header.Set("Origin", origin)
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "cors")
	}
}

// preflight asks what a browser asks before a call.
func preflight(s *harness.Server, path, origin, method, headers string) *harness.Answer {
	return s.Do("OPTIONS", path, fromPage(origin), func(r *http.Request) {
		r.Header.Set("Access-Control-Request-Method", method)
		if headers != "" {
			r.Header.Set("Access-Control-Request-Headers", headers)
		}
	})
}

func corsHeaders(a *harness.Answer) (names []string) {
	for name := range a.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			names = append(names, name)
		}
	}
	return names
}

const somePage = "https://page.example"

func TestCORS(t *testing.T) {
	t.Parallel()
	for origins, want := range map[string]string{somePage + ",http://localhost:3000": somePage, "*": "*"} {
		s := harness.Start(t, harness.Flags("--cors-origin", origins))
		ann := s.User("ann")
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			a := preflight(s, "/v1/send", somePage, method, "authorization,content-type,last-event-id").Want(204)
			if got := a.Header.Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s: %q may, want %q", method, got, want)
			}
			if got := a.Header.Get("Access-Control-Allow-Methods"); !strings.Contains(got, method) {
				t.Errorf("%s: allowed are %q", method, got)
			}
			for _, name := range []string{"authorization", "content-type", "last-event-id"} {
				if got := a.Header.Get("Access-Control-Allow-Headers"); !strings.Contains(got, name) {
					t.Errorf("%s: allowed are the headers %q", method, got)
				}
			}
			if a.Header.Get("Access-Control-Max-Age") == "" {
				t.Errorf("%s: no age", method)
			}
			noCredentials(t, a)
		}
		preflight(s, "/v1/send", somePage, "POST", "x-evil").Refused("forbidden")
		preflight(s, "/v1/send", somePage, "TRACE", "").Refused("forbidden")

		// The page may read every answer, refusals too, and the headers that it needs of them.
		for _, a := range []*harness.Answer{
			ann.Get("/v1/me", fromPage(somePage)).Want(200),
			s.Do("GET", "/healthz", fromPage(somePage)).Want(200),
			s.Do("GET", "/v1/me", fromPage(somePage)).Want(401),
			s.Do("GET", "/nowhere", fromPage(somePage)).Want(404),
			s.Do("DELETE", "/v1/send", fromPage(somePage)).Want(405),
			ann.Do("POST", "/v1/send", fromPage(somePage), harness.Form("text", "")).Want(422),
		} {
			exposed := a.Header.Get("Access-Control-Expose-Headers")
			if a.Header.Get("Access-Control-Allow-Origin") != want || !slices.Contains(a.Header.Values("Vary"), "Origin") {
				t.Errorf("%d has %v", a.Status, a.Header)
			}
			for _, name := range []string{"X-Request-Id", "Retry-After", "Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"} {
				if !strings.Contains(exposed, name) {
					t.Errorf("%d exposes %q", a.Status, exposed)
				}
			}
			noCredentials(t, a)
		}
	}
}

func noCredentials(t *testing.T, a *harness.Answer) {
	t.Helper()
	if a.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%d allows credentials", a.Status)
	}
}

// Who is not listed gets nothing, and without the flag nobody is.
func TestCORSOfOthers(t *testing.T) {
	t.Parallel()
	for _, with := range [][]harness.Option{nil, {harness.Flags("--cors-origin", somePage)}} {
		s := harness.Start(t, with...)
		ann := s.User("ann")
		for _, origin := range []string{"https://evil.example", "http://page.example", "https://page.example:444", "https://page.example.evil", "null"} {
			answers := []*harness.Answer{
				preflight(s, "/v1/send", origin, "POST", "authorization"), preflight(s, "/nowhere", origin, "GET", ""),
				ann.Get("/v1/me", fromPage(origin)).Want(200),
				s.Do("GET", "/nowhere", fromPage(origin)).Want(404),
			}
			for _, o := range []string{"register", "guest", "login"} {
				a := s.Do("POST", "/v1/"+o, fromPage(origin), harness.Form("name", "ann", "password", harness.Password))
				a.Refused("forbidden")
				answers = append(answers, a)
			}
			for _, a := range answers {
				if got := corsHeaders(a); len(got) > 0 {
					t.Errorf("%s is given %v", origin, got)
				}
			}
			for _, a := range answers[:2] {
				if a.Status < 400 {
					t.Errorf("the preflight of %s is answered %d", origin, a.Status)
				}
			}
		}
		// No preflight: a method like any other.
		s.Do("OPTIONS", "/v1/send").Refused("method_not_allowed")
		s.Do("OPTIONS", "/v1/send", harness.Header("Origin", somePage)).Refused("method_not_allowed")
		s.Do("OPTIONS", "/nowhere").Refused("not_found")
	}
}

// A page that is allowed logs people in by token. It gets no cookie, and the one that there is does nothing for it.
func TestCORSAndCookies(t *testing.T) {
	t.Parallel()
	for _, origins := range []string{somePage, "*"} {
		s := harness.Start(t, harness.Flags("--cors-origin", origins))
		ann := s.User("ann")
		stale := harness.Cookie(ann.Token)
		for _, with := range [][]harness.With{{fromPage(somePage)}, {fromPage(somePage), stale}} {
			for i, a := range []*harness.Answer{
				s.Do("POST", "/v1/register", append(with, harness.Form("name", "u"+string(rune('a'+len(with)))+"x", "password", harness.Password))...).Want(201),
				s.Do("POST", "/v1/guest", with...).Want(201),
				s.Do("POST", "/v1/login", append(with, harness.Form("name", "ann", "password", harness.Password))...).Want(200),
			} {
				if cookie := a.Header.Get("Set-Cookie"); cookie != "" {
					t.Errorf("%d: a page of another origin makes the browser keep %s", i, cookie)
				}
				token := harness.Into[struct{ Token string }](a).Token
				s.Do("POST", "/v1/send", fromPage(somePage), harness.Header("Authorization", "Bearer "+token), harness.Form("text", "hi")).Want(201)
			}
		}
		s.Do("POST", "/v1/send", stale, fromPage(somePage), harness.Form("text", "hi")).Refused("forbidden")
		s.Do("POST", "/v1/logout", stale, fromPage(somePage)).Refused("forbidden")
		own := s.Do("POST", "/v1/guest", harness.Header("Origin", s.URL()), harness.Header("Sec-Fetch-Site", "same-origin")).Want(201)
		if own.Header.Get("Set-Cookie") == "" {
			t.Error("the own page gets no cookie")
		}
	}
}

// A page that is told to slow down can read by how much.
func TestCORSOfRefusedRates(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.RateLimited(), harness.Flags("--cors-origin", somePage))
	ann := s.User("ann")
	_, refusal := spend(t, 20, func() *harness.Answer {
		return ann.Do("POST", "/v1/rooms", fromPage(somePage), harness.Form("name", ""))
	})
	if refusal.Header.Get("Access-Control-Allow-Origin") != somePage {
		t.Errorf("429 has %v", refusal.Header)
	}
}
