package tests

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"parley/tests/harness"
)

func TestUnknownPaths(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	for _, path := range []string{
		"/v1", "/v1/", "/v1/nothing", "/v1/me/", "//v1/me", "/v1//me", "/V1/me", "/v1/ME", "/v2/me", "/v1/me/x", "/v1/./me", "/v1/x/../me",
		"/v1/rooms/", "/v1/rooms//messages", "/v1/rooms//", "/v1/rooms/lobby/members//", "/v1/rooms/lobby/", "/v1/rooms/lobby/nothing", "/v1/rooms/lobby/messages/",
		"/v1/users/", "/v1/events/", "/v1/events/stream/x", "/v1%2Fme", "/%76%31", "/%00", "/%ff", "/healthz/",
		"/openapi.yml", "/openapi.yaml/", "/favicon.ico", "/.env", "/..%2f..%2fetc/passwd", "/v1/" + strings.Repeat("a", 8000),
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			s.Do(method, path).Refused("not_found") // whoever asks
			ann.Do(method, path, harness.Raw("text/plain", "{")).Refused("not_found")
		}
	}
}

// What cannot be a room's or a user's reference is 404, in every path that takes one.
func TestImpossibleReferences(t *testing.T) {
	callByCall(t)
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	s.User("bob")
	ann.Room("tea", "public")
	ann.Room("nook", "private")
	check := unchanged(t, ann)
	refs := []string{
		"0", "00", "-1", "+1", "1.0", "1e0", "0x1", "9007199254740992", "18446744073709551617", strings.Repeat("9", 400),
		"nowhere", "a%20b", "%20", "%2F", "lobby%2F", "%2Flobby", "a%2Fb", "lobby%2Fjoin", "%00", "lobby%00", "%ff", "%C3%28", "%ED%A0%80",
		"..", ".", "%2e%2e", "%2E", "@", "@@bob", "@%00", "@%ff", "@a%2Fb", "@nobody", "@lobby", "@room", "%23lobby", "%23", "lobby,tea", "lobby%3F",
		"lobby%7C", "%5C", "%25", "٤٢", "４２", "🐟", "%F0%9F%90%9F", strings.Repeat("a", 33), strings.Repeat("a", 9000),
		strings.Repeat("%E5%B0%8F", 400),
	}
	rooms := []struct {
		method, path string
		body         any
	}{
		{"GET", "/v1/rooms/%s", nil},
		{"PATCH", "/v1/rooms/%s", map[string]any{"topic": "x"}},
		{"DELETE", "/v1/rooms/%s", nil},
		{"POST", "/v1/rooms/%s/join", nil},
		{"POST", "/v1/rooms/%s/leave", nil},
		{"GET", "/v1/rooms/%s/members", nil},
		{"GET", "/v1/rooms/%s/messages", nil},
		{"GET", "/v1/rooms/%s/pins", nil},
		{"PUT", "/v1/messages/%s/reactions/%%F0%%9F%%91%%8D", nil},
		{"DELETE", "/v1/messages/%s/reactions/%%F0%%9F%%91%%8D", nil},
		{"GET", "/v1/messages/%s/reactions", nil},
		{"PUT", "/v1/messages/%s/pin", nil},
		{"DELETE", "/v1/messages/%s/pin", nil},
		{"GET", "/v1/messages/%s/replies", nil},
		{"PUT", "/v1/rooms/%s/members/@bob", map[string]any{}},
		{"GET", "/v1/rooms/%s/invites", nil},
		{"POST", "/v1/rooms/%s/invites", map[string]any{}},
		{"DELETE", "/v1/rooms/%s/invites/1", nil},
		{"DELETE", "/v1/rooms/nook/invites/%s", nil},
		{"GET", "/v1/invites/%s", nil},
		{"POST", "/v1/invites/%s/accept", nil},
		{"DELETE", "/v1/rooms/%s/members/@bob", nil},
		{"GET", "/v1/users/%s", nil},
		{"PUT", "/v1/blocks/%s", nil},
		{"DELETE", "/v1/blocks/%s", nil},
		{"DELETE", "/v1/sessions/%s", nil},
		{"GET", "/v1/messages/%s", nil},
		{"PATCH", "/v1/messages/%s", map[string]any{"text": "x"}},
		{"DELETE", "/v1/messages/%s", nil},
		{"GET", "/v1/messages/%s/edits", nil},
		{"PUT", "/v1/rooms/tea/members/%s", map[string]any{}},
		{"DELETE", "/v1/rooms/tea/members/%s", nil},
	}
	for _, ref := range refs {
		for _, call := range rooms {
			var with []harness.With
			if call.body != nil {
				with = append(with, harness.JSON(call.body))
			}
			ann.Do(call.method, fmt.Sprintf(call.path, ref), with...).Refused("not_found")
		}
	}
	check()
}

// A method that a path does not have is 405, with those that it has.
func TestWrongMethods(t *testing.T) {
	callByCall(t)
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	check := unchanged(t, ann)
	have := map[string][]string{}
	for _, o := range harness.TheSpec().Operations() {
		path := strings.NewReplacer("{room}", "lobby", "{user}", "@ann", "{session}", "1", "{invite}", "1").Replace(o.Path)
		have[path] = append(have[path], o.Method)
	}
	for path, methods := range have {
		sort.Strings(methods)
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "SURPRISE", "get"} {
			if slices.Contains(methods, method) {
				continue
			}
			for _, a := range []*harness.Answer{s.Do(method, path), ann.Do(method, path, harness.Raw("text/plain", "x"))} {
				a.Refused("method_not_allowed")
				allowed := strings.Split(a.Header.Get("Allow"), ", ")
				sort.Strings(allowed)
				if !slices.Equal(slices.DeleteFunc(allowed, func(m string) bool { return m == "HEAD" }), methods) {
					t.Errorf("%s %s: Allow is %v, the spec has %v", method, path, allowed, methods)
				}
			}
		}
	}
	check()
}

// Headers that make no sense are no reason to fall.
func TestStrangeHeaders(t *testing.T) {
	callByCall(t)
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	long := strings.Repeat("a", 20<<10)
	for _, tt := range []struct{ name, value string }{
		{"User-Agent", long}, {"User-Agent", "\xff\xfe"}, {"Cookie", "a=b; ;;=;" + long}, {"Cookie", "parley_session"}, {"X-Request-Id", "mine"},
		{"Accept", ";;;"}, {"Accept-Encoding", "gzip, br, identity;q=0"}, {"If-None-Match", "*"}, {"Range", "bytes=0-1"}, {"X-Forwarded-For", "1.2.3.4"},
		{"Content-Type", "\xff"}, {"Origin", "null"}, {"Expect", "100-continue"}, {"X-HTTP-Method-Override", "DELETE"},
	} {
		a := ann.Get("/v1/me", harness.Header(tt.name, tt.value)).Want(200)
		if a.Header.Get("X-Request-Id") == "mine" {
			t.Error("the client chose the request's id")
		}
		// A session keeps the agent it was opened by.
		s.Do("POST", "/v1/login", harness.Header(tt.name, tt.value), harness.Form("name", "ann", "password", harness.Password)).Want(200, 403, 415)
	}
	for _, token := range []string{long, "\xff", "a b", "'; DROP TABLE users; --", "Bearer " + ann.Token} {
		ann.Get("/v1/me", harness.Header("Authorization", "Bearer "+token)).Refused("unauthorized")
		s.Do("GET", "/v1/me", harness.Header("Cookie", "parley_session="+token)).Refused("unauthorized")
	}
}
