package tests

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"parley/tests/harness"
)

// No answer may be taken for a page, framed, made part of another site, or kept: errors and faults included.
func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	want := map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
		"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
	}
	check := func(a *harness.Answer) {
		t.Helper()
		for name, value := range want {
			if got := a.Header.Values(name); !slices.Equal(got, []string{value}) {
				t.Errorf("%d has %s: %q, want %q", a.Status, name, got, value)
			}
		}
		if a.Header.Get("Strict-Transport-Security") != "" || a.Header.Get("Server") != "" {
			t.Errorf("%d has %v", a.Status, a.Header)
		}
	}
	check(ann.Get("/v1/me").Want(200))
	check(ann.Get("/v1/events?wait=0").Want(200))
	check(s.Do("GET", "/healthz").Want(200))
	check(s.Do("GET", "/openapi.json").Want(200))
	check(s.Do("GET", "/v1/me").Want(401))
	check(s.Do("GET", "/nowhere").Want(404))
	check(s.Do("DELETE", "/v1/send").Want(405))
	check(ann.Post("/v1/send", map[string]any{}).Want(422))
	s.Panic()
	check(ann.Get("/v1/rooms").Want(500))
	s.Mend()
	s.Break()
	check(ann.Get("/v1/rooms").Want(503))
	s.Mend()
}

// HEAD is GET without the body, wherever GET has an end.
func TestHEAD(t *testing.T) {
	t.Parallel()
	for _, s := range []*harness.Server{harness.Start(t), harness.Start(t, harness.TLS())} {
		ann := s.User("ann")
		for _, path := range []string{"/healthz", "/readyz", "/openapi.yaml", "/openapi.json", "/v1/me", "/v1/rooms", "/v1/rooms/nowhere", "/nowhere"} {
			get, head := ann.Get(path), ann.Do("HEAD", path)
			if head.Status != get.Status || len(head.Body) != 0 {
				t.Errorf("HEAD %s: %d with %d bytes, GET %d", path, head.Status, len(head.Body), get.Status)
			}
			for _, name := range []string{"Content-Type", "Content-Length", "Cache-Control"} {
				if head.Header.Get(name) != get.Header.Get(name) {
					t.Errorf("HEAD %s has %s: %q, GET %q", path, name, head.Header.Get(name), get.Header.Get(name))
				}
			}
		}
		if a := s.Do("HEAD", "/v1/me"); a.Status != 401 {
			t.Errorf("HEAD without a session: %d", a.Status)
		}
		for path, allow := range map[string]string{
			"/v1/send": "POST", "/v1/events/stream": "GET", "/v1/events/ndjson": "GET",
		} {
			if a := ann.Do("HEAD", path); a.Status != http.StatusMethodNotAllowed || a.Header.Get("Allow") != allow {
				t.Errorf("HEAD %s: %d, Allow %q", path, a.Status, a.Header.Get("Allow"))
			}
		}
		for path, allow := range map[string]string{"/v1/rooms": "GET HEAD POST", "/v1/events/stream": "GET", "/v1/send": "POST"} {
			got := strings.Split(s.Do("DELETE", path).Want(405).Header.Get("Allow"), ", ")
			if slices.Sort(got); strings.Join(got, " ") != allow {
				t.Errorf("%s allows %v, want %s", path, got, allow)
			}
		}
	}
}
