package tests

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"parley/tests/harness"
)

const (
	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// badBody is a body for POST /v1/send that must be refused.
type badBody struct {
	media, body string
	code        string
	fields      []string
}

func refusedBodies() []badBody {
	const (
		broken  = "invalid_request"
		invalid = "validation_failed"
		media   = "unsupported_media_type"
	)
	text := []string{"text"}
	return []badBody{
		// Not JSON.
		{"", "", broken, nil},
		{jsonType, "", broken, nil},
		{jsonType, " \n", broken, nil},
		{jsonType, `{`, broken, nil},
		{jsonType, `{"text":`, broken, nil},
		{jsonType, `{"text":"a`, broken, nil},
		{jsonType, `{"text":"a",}`, broken, nil},
		{jsonType, `{"text" "a"}`, broken, nil},
		{jsonType, `{text:"a"}`, broken, nil},
		{jsonType, `{'text':'a'}`, broken, nil},
		{jsonType, `{"text":nul}`, broken, nil},
		{jsonType, `{"text":"a","to":01}`, broken, nil},
		{jsonType, `{"text":"a","to":NaN}`, broken, nil},
		{jsonType, `{"text":"a\x"}`, broken, nil},
		{jsonType, "{\"text\":\"a\nb\"}", broken, nil},
		{jsonType, "{\"text\":\"a\x00b\"}", broken, nil},
		{jsonType, `{"text":"a"} x`, broken, nil},
		{jsonType, `{"text":"a"}{"text":"b"}`, broken, nil},
		{jsonType, `{"text":"a"}]`, broken, nil},
		{jsonType, "{\"text\":\"a\"}\x00", broken, nil},
		{jsonType, `{"text":"a"/* */}`, broken, nil},
		{jsonType, "\ufeff" + `{"text":"a"}`, broken, nil},
		{jsonType, "text=a", broken, nil},
		{jsonType, strings.Repeat("[", 20000), broken, nil},
		{jsonType, strings.Repeat("[", 11000) + strings.Repeat("]", 11000), broken, nil},
		{jsonType, strings.Repeat(`{"a":`, 11000), broken, nil},

		// JSON, but no message.
		{jsonType, `null`, invalid, []string{"body"}},
		{jsonType, `[]`, invalid, []string{"body"}},
		{jsonType, `[{"text":"a"}]`, invalid, []string{"body"}},
		{jsonType, `"text"`, invalid, []string{"body"}},
		{jsonType, `1`, invalid, []string{"body"}},
		{jsonType, `{}`, invalid, text},
		{jsonType, `{"text":1}`, invalid, text},
		{jsonType, `{"text":null}`, invalid, text},
		{jsonType, `{"text":true}`, invalid, text},
		{jsonType, `{"text":["a"]}`, invalid, text},
		{jsonType, `{"text":{}}`, invalid, text},
		{jsonType, `{"text":""}`, invalid, text},
		{jsonType, `{"text":"a\u0000b"}`, invalid, text},
		{jsonType, `{"text":"a","surprise":1}`, invalid, []string{"surprise"}},
		{jsonType, `{"text":"a","b":1,"a":{}}`, invalid, []string{"a", "b"}},
		{jsonType, `{"surprise":1}`, invalid, []string{"surprise", "text"}},
		{jsonType, `{"Text":"a"}`, invalid, []string{"Text", "text"}},
		{jsonType, `{"text":"a","id":7}`, invalid, []string{"id"}},
		{jsonType, `{"text":"a","":1}`, invalid, nil},
		{jsonType, `{"text":"","to":-1,"nonce":7}`, invalid, []string{"nonce", "text", "to"}},
		{jsonType, `{"text":"a","text":"b"}`, invalid, text},
		{jsonType, `{"text":"a","\u0074ext":"b"}`, invalid, text},
		{jsonType, `{"text":"a","to":null}`, invalid, []string{"to"}},
		{jsonType, `{"text":"a","to":1e400}`, invalid, []string{"to"}},
		{jsonType, `{"text":"a","nonce":null}`, invalid, []string{"nonce"}},

		// Not UTF-8, raw and by escapes.
		{jsonType, "{\"text\":\"a\xff\"}", invalid, text},
		{jsonType, "{\"text\":\"\xed\xa0\x80\"}", invalid, text},
		{jsonType, "{\"text\":\"\xc0\x80\"}", invalid, text},
		{jsonType, `{"text":"\ud800"}`, invalid, text},
		{jsonType, `{"text":"\udc00\ud800"}`, invalid, text},
		{jsonType, `{"text":"\ud800\u0041"}`, invalid, text},
		{jsonType, "{\"text\":\"a\",\"\xff\":1}", invalid, nil},
		{jsonType, "{\"text\":\"a\",\"nonce\":\"\xff\"}", invalid, []string{"nonce"}},

		// Forms.
		{formType, "", broken, nil},
		{formType, "text=%zz", broken, nil},
		{formType, "text=%f", broken, nil},
		{formType, `{"text":"a"}`, invalid, nil},
		{formType, "&", invalid, nil},
		{formType, "text", invalid, text},
		{formType, "text=", invalid, text},
		{formType, "text=a&text=b", invalid, text},
		{formType, "text=a&text=a", invalid, text},
		{formType, "text=a&surprise=1", invalid, []string{"surprise"}},
		{formType, "text=a&b=1&a=", invalid, []string{"a", "b"}},
		{formType, "Text=a", invalid, nil},
		{formType, "text[]=a", invalid, nil},
		{formType, "text=a&to=", invalid, []string{"to"}},
		{formType, "text=a&nonce=", invalid, []string{"nonce"}},
		{formType, "text=%ff", invalid, text},
		{formType, "text=\xff", invalid, text},
		{formType, "text=%ed%a0%80", invalid, text},
		{formType, "text=a%00b", invalid, text},
		{formType, "text=a&%ff=1", invalid, nil},
		{formType, "text=a&nonce=" + strings.Repeat("n", 65), invalid, []string{"nonce"}},

		// Neither.
		{"", `{"text":"a"}`, media, nil},
		{"text/plain", "text=a", media, nil},
		{"text/json", `{"text":"a"}`, media, nil},
		{"application/xml", "<text>a</text>", media, nil},
		{"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\na\r\n--x--\r\n", media, nil},
		{"application/json; charset=latin1", `{"text":"a"}`, media, nil},
		{"application/json; charset=utf-16", `{"text":"a"}`, media, nil},
		{formType + "; charset=iso-8859-1", "text=a", media, nil},
		{"application/jsonx", `{"text":"a"}`, media, nil},
		{"application/problem+json", `{"text":"a"}`, media, nil},
		{"*/*", `{"text":"a"}`, media, nil},
		{"application/json, text/plain", `{"text":"a"}`, media, nil},
		{"json", `{"text":"a"}`, media, nil},
		{";;", `{"text":"a"}`, media, nil},
	}
}

func TestBadBodies(t *testing.T) {
	callByCall(t)
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		stream := bob.Stream()
		check := unchanged(t, bob)
		for _, tt := range refusedBodies() {
			a := ann.Do("POST", "/v1/send", harness.Raw(tt.media, tt.body))
			if a.Status >= 500 {
				t.Errorf("%s %.80q: %d", tt.media, tt.body, a.Status)
			}
			p := a.Problem()
			var fields []string
			for _, f := range p.Errors {
				fields = append(fields, f.Field)
			}
			if p.Code != tt.code || tt.fields != nil && fmt.Sprint(fields) != fmt.Sprint(tt.fields) {
				t.Errorf("%s %.80q: %s about %v, want %s about %v", tt.media, tt.body, p.Code, fields, tt.code, tt.fields)
			}
		}
		check()
		end := ann.Send("lobby", "end").ID
		if got := stream.UntilID(end); len(got) != 1 {
			t.Errorf("of what was refused came %v", got)
		}
	})
}

// What is right must not be refused with it.
func TestGoodBodies(t *testing.T) {
	callByCall(t)
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	for _, tt := range []struct{ media, body, text string }{
		{jsonType, ` {"text" : "a"}` + "\r\n\t ", "a"},
		{"Application/JSON", `{"text":"a"}`, "a"},
		{"application/json;charset=utf-8", `{"text":"a"}`, "a"},
		{`application/json; charset="UTF-8"`, `{"text":"a"}`, "a"},
		{"application/json; version=1", `{"text":"a"}`, "a"},
		{jsonType, `{"\u0074ext":"\ud83d\udc1f\u00e9"}`, "🐟é"},
		{jsonType, `{"text":"\u0001\u2028\ufffe"}`, "\x01\u2028\ufffe"},
		{jsonType, `{"text":" "}`, " "},
		{formType, "text=a+b%2B%26", "a b+&"},
		{formType + "; charset=UTF-8", "text=%E5%B0%8F", "小"},
		{formType, "text=小", "小"},
		{formType, "text=a=b=c", "a=b=c"},
		{formType, "text=a;b", "a;b"}, // as `curl -d 'text=a;b'` sends it
		{formType, "&text=a&", "a"},
		{formType, "text=line%0D%0Aline", "line\r\nline"},
	} {
		if m := sent(ann.Do("POST", "/v1/send", harness.Raw(tt.media, tt.body)).Want(201)); m.Text != tt.text {
			t.Errorf("%s %q was read as %q", tt.media, tt.body, m.Text)
		}
	}
}

// chunked hides how long the body is.
func chunked(r *http.Request) { r.ContentLength = -1 }

// A body that no message could need is not read to its end.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	check := unchanged(t, ann)
	for _, size := range []int{128 << 10, 1 << 20, 8 << 20} {
		for _, media := range []string{jsonType, formType, "text/plain"} {
			body := `{"text":"` + strings.Repeat("a", size) + `"}`
			if media == formType {
				body = "text=" + strings.Repeat("a", size)
			}
			ann.Do("POST", "/v1/send", harness.Raw(media, body)).Refused("too_large")
			ann.Do("POST", "/v1/send", harness.Raw(media, body), chunked).Refused("too_large")
		}
	}
	check()
	// The longest text, written in the longest way, still fits.
	longest := `{"text":"` + strings.Repeat(`\u0061`, 16384) + `","nonce":"` + strings.Repeat(`\u00e9`, 64) + `"}`
	ann.Do("POST", "/v1/send", harness.Raw(jsonType, longest), chunked).Want(201)
}

// A body that breaks off is not taken for a whole one, even if what came is good.
func TestBodyBreaksOff(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	check := unchanged(t, ann)
	for _, media := range []string{jsonType, formType} {
		body := map[string]string{jsonType: `{"text":"a"}`, formType: "text=a"}[media]
		head := fmt.Sprintf("POST /v1/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\n", ann.Token, media)
		for _, raw := range []string{
			fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body)+10, body),
			fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", head, len(body), body),
			fmt.Sprintf("%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\nzz\r\n", head, len(body), body),
		} {
			if answer := rawCall(t, s, raw); answer != "" && !strings.HasPrefix(answer, "HTTP/1.1 400 ") {
				t.Errorf("%q was answered %q", raw, answer)
			}
		}
	}
	check()
}

// Nobody reads the body of a call that takes none.
func TestBodiesOfOthers(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	for _, tt := range []struct{ method, path string }{
		{"GET", "/v1/me"}, {"POST", "/v1/tickets"}, {"POST", "/v1/rooms/lobby/join"}, {"GET", "/v1/rooms/lobby/messages"},
	} {
		for _, body := range []string{"{", `{"surprise":1}`, strings.Repeat("x", 4096)} {
			if a := ann.Do(tt.method, tt.path, harness.Raw("text/plain", body)); a.Status > 201 {
				t.Errorf("%s %s with a body: %d %s", tt.method, tt.path, a.Status, a.Body)
			}
		}
	}
}
