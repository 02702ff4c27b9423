package tests

import (
	"net/http"
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// All streams of a browser share one HTTP/2 connection: events come at once on each, and the end of one session
// ends its streams only.
func TestStreamsOverHTTP2(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.TLS())
	ann, bob := s.User("ann"), s.User("bob")
	if !strings.HasPrefix(s.URL(), "https://") {
		t.Fatal(s.URL())
	}
	resp, err := harness.Client().Get(s.URL() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Fatalf("spoken is %s", resp.Proto)
	}
	leaving := s.Login("ann")
	gone := leaving.Stream()
	lines := ann.NDJSON()
	streams := make([]*harness.Stream, 0, 12) // more than a browser has connections
	for range cap(streams) {
		streams = append(streams, ann.Stream())
	}
	for _, text := range []string{"one", "two", "three"} {
		m := bob.Send("lobby", text)
		for _, stream := range append(streams, gone, lines) {
			got := stream.UntilID(m.ID) // before the next is sent
			if e := got[len(got)-1]; e.ID != m.ID || !strings.Contains(string(e.Data), text) {
				t.Errorf("got %s", e.Data)
			}
		}
	}
	leaving.Post("/v1/logout", nil).Want(204)
	gone.Want("session.ended")
	gone.End()
	last := bob.Send("lobby", "still here")
	for _, stream := range streams {
		stream.UntilID(last.ID)
	}
}

func TestCookieIsSecureWithTLS(t *testing.T) {
	t.Parallel()
	for want, with := range map[bool][]harness.Option{true: {harness.TLS()}, false: nil} {
		s := harness.Start(t, with...)
		ann := s.User("ann")
		login := s.Do("POST", "/v1/login", harness.Form("name", "ann", "password", harness.Password)).Want(200)
		logout := ann.Post("/v1/logout", nil).Want(204)
		for _, a := range []*harness.Answer{login, logout} {
			cookie := a.Header.Get("Set-Cookie")
			if strings.Contains(cookie, "; Secure") != want || !strings.Contains(cookie, "HttpOnly; ") || !strings.Contains(cookie, "SameSite=Lax") {
				t.Errorf("TLS %v: %s", want, cookie)
			}
		}
		token := harness.Into[client.Session](login).Token
		s.Do("GET", "/v1/me", harness.Cookie(token)).Want(200)
	}
}

// The whole of a conversation works over HTTPS, a slow and a malformed body included.
func TestRefusalsOverHTTP2(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.TLS())
	ann := s.User("ann")
	ann.Do("POST", "/v1/send", harness.Raw("application/json", "{")).Refused("invalid_request")
	ann.Do("POST", "/v1/send", harness.Raw("application/json", `{"text":"`+strings.Repeat("a", 1<<20)+`"}`)).Refused("too_large")
	s.Do("POST", "/v1/send", harness.Raw("application/json", strings.Repeat("a", 1<<20))).Refused("unauthorized")
	s.Do(http.MethodGet, "/nowhere").Refused("not_found")
	ann.Send("lobby", "hello")
}
