package tests

import (
	"net/http"
	"strings"
	"testing"

	"parley/tests/harness"
)

// cookieOf gives the cookie that a new guest is given.
func cookieOf(s *harness.Server, with ...harness.With) string {
	return s.Do("POST", "/v1/guest", with...).Want(201).Header.Get("Set-Cookie")
}

// From anybody but a trusted proxy, the headers mean nothing.
func TestForwardedHeadersOfAnybody(t *testing.T) {
	t.Parallel()
	https := harness.Header("X-Forwarded-Proto", "https")
	for name, flags := range map[string][]string{
		"no proxy": nil, "another proxy": {"--trusted-proxy", "192.0.2.0/24,2001:db8::1"},
	} {
		_, still := standStill()
		s := harness.Start(t, harness.RateLimited(), still, harness.Flags(flags...))
		if cookie := cookieOf(s, https); strings.Contains(cookie, "Secure") {
			t.Errorf("%s: %s", name, cookie)
		}
		// All of these come from one address, whatever they say.
		n := byte(0)
		spend(t, 60, func() *harness.Answer {
			n++
			return s.Do("POST", "/v1/register", harness.Header("X-Forwarded-For", "198.51.100."+string('0'+n%10)),
				harness.Header("X-Real-Ip", "198.51.100.1"), harness.Header("Forwarded", "for=198.51.100.1"), harness.Form("name", ""))
		})
	}
}

// Behind a trusted proxy the address is the last one that is no proxy of ours: what stands before it the client
// may have written itself.
func TestForwardedHeadersOfOurProxy(t *testing.T) {
	t.Parallel()
	_, still := standStill()
	s := harness.Start(t, harness.RateLimited(), still, harness.Flags("--trusted-proxy", "127.0.0.0/8", "--trusted-proxy", "10.0.0.1"))
	if cookie := cookieOf(s, harness.Header("X-Forwarded-Proto", "https")); !strings.Contains(cookie, "; Secure") {
		t.Errorf("behind TLS: %s", cookie)
	}
	if cookie := cookieOf(s, harness.Header("X-Forwarded-Proto", "http")); strings.Contains(cookie, "Secure") {
		t.Errorf("without TLS: %s", cookie)
	}
	register := func(chain ...string) *harness.Answer {
		return s.Do("POST", "/v1/register", harness.Form("name", ""), func(r *http.Request) {
			r.Header["X-Forwarded-For"] = chain
		})
	}
	n := byte(0)
	spend(t, 60, func() *harness.Answer {
		n++
		forged := "192.0.2." + string('0'+n%10)
		switch n % 3 {
		case 0:
			return register(forged + ", 198.51.100.7, 10.0.0.1")
		case 1: // a proxy that adds a line instead of to the line
			return register(forged, "198.51.100.7")
		default:
			return register("198.51.100.7")
		}
	})
	register("198.51.100.8").Refused("validation_failed")
	register("198.51.100.7", "198.51.100.9").Refused("validation_failed")
	// What is no address is not believed: it counts for the proxy itself.
	for range 3 {
		if r, _ := rateOf(t, register("unknown")); r.limit != 60 || r.remaining < 50 {
			t.Errorf("who is unknown stands at %+v", r)
		}
	}
}

// The page's own origin stays its own behind a proxy that speaks TLS and passes Host on.
func TestOwnOriginBehindTLS(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Flags("--trusted-proxy", "127.0.0.1"))
	ann := s.User("ann")
	send := func(host, origin string) *harness.Answer {
		return s.Do("POST", "/v1/send", harness.Cookie(ann.Token), harness.Header("Origin", origin),
			harness.Header("X-Forwarded-Proto", "https"), harness.Form("text", "hello"),
			func(r *http.Request) { r.Host = host })
	}
	send("chat.example.org", "https://chat.example.org").Want(201)
	send("chat.example.org:8443", "https://chat.example.org:8443").Want(201)
	send("chat.example.org", "https://evil.example.org").Refused("forbidden")
	send("chat.example.org", "null").Refused("forbidden")
}
