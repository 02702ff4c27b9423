package tests

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// frameAnswer is what comes back: the code of the answer, or 0 for an ErrorMes.
func frameAnswer(t *testing.T, c *framed, kind, data string) (code int) {
	t.Helper()
	c.send(kind, data)
	m, err := c.next()
	if err != nil {
		t.Fatalf("%s %s: %v", kind, data, err)
	}
	if m.Type == "ErrorMes" {
		if !strings.HasPrefix(m.Data, `{"code":400,"error":"`) || strings.HasSuffix(m.Data, `"error":""}`) {
			t.Errorf("%s %s: %s", kind, data, m.Data)
		}
		return 0
	}
	if _, err := fmt.Sscanf(m.Data, `{"code":%d,`, &code); err != nil || m.Type != strings.TrimSuffix(kind, "Mes")+"ResMes" {
		t.Errorf("%s %s: %+v", kind, data, m)
	}
	return code
}

// Every document that registers or logs in, and what is answered.
func TestFrameAccounts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann") // the first account, which is the admin
		guest := s.Guest("visitor")
		c := dialFrame(t, s)
		for _, tt := range []struct {
			data string
			code int    // 0: an ErrorMes
			name string // of the account, where there is one then
		}{
			{oldUser(100, "pw", "张三"), 200, "张三"},
			{oldUser(100, "pw", "李四"), 400, ""},
			{`{"user":{"userId":101,"userPwd":"pw","userName":"wrapped","userStatus":0}}`, 200, "wrapped"},
			{oldUser(102, "p", "Ann"), 200, "u-102"}, // taken on the web
			{oldUser(103, "pw", "a b"), 200, "u-103"},
			{oldUser(104, "pw", ""), 200, "u-104"},
			{`{"userId":105,"userPwd":"pw"}`, 200, "u-105"},
			{oldUser(106, "pw", "u-107"), 200, "u-107"},
			{oldUser(107, "pw", "100"), 200, "100"},
			{oldUser(108, "pw", "web"), 200, "u-108"},
			{oldUser(1_000_000_000, "pw", "last"), 200, "last"},
			{oldUser(109, "", "x"), 400, ""},
			{oldUser(110, strings.Repeat("x", 2000), "x"), 400, ""},
			{oldUser(0, "pw", "x"), 400, ""},
			{oldUser(-1, "pw", "x"), 400, ""},
			{oldUser(1_000_000_001, "pw", "x"), 400, ""},
			{oldUser(webID(ann), "pw", "x"), 400, ""},
			{oldUser(1<<40, "pw", "x"), 400, ""},
			{`{}`, 400, ""},
			{`{"userId":9223372036854775808,"userPwd":"pw"}`, 0, ""},
			{`{"userId":"111","userPwd":"pw"}`, 0, ""},
			{`{"userId":1.5,"userPwd":"pw"}`, 0, ""},
			{`{"userId":111,"userPwd":1}`, 0, ""},
			{`{"userId":111,"userPwd":"pw","userName":["x"]}`, 0, ""},
			{`{"user":{"userId":"111","userPwd":"pw"}}`, 0, ""},
			{`{"user":7}`, 0, ""},
			{`[]`, 0, ""},
			{`"x"`, 0, ""},
			{``, 0, ""},
			{`{"userId":111,"userPwd":"pw"`, 0, ""},
		} {
			if code := frameAnswer(t, c, "RegisterMes", tt.data); code != tt.code {
				t.Errorf("register %s: %d, want %d", tt.data, code, tt.code)
			}
			if tt.name == "" {
				continue
			}
			if u := harness.Into[client.User](ann.Get("/v1/users/@" + tt.name).Want(200)); u.Role != "member" || u.Status != "offline" {
				t.Errorf("%s is %+v", tt.name, u)
			}
		}
		for _, tt := range []struct {
			data string
			code int
		}{
			{oldUser(100, "pw", ""), 200},
			{oldUser(102, "p", "whatever"), 200},
			{`{"user":{"userId":101,"userPwd":"pw"}}`, 200},
			{oldUser(webID(ann), harness.Password, ""), 200},
			{oldUser(100, "guess", ""), 403},
			{oldUser(100, "", ""), 403},
			{oldUser(100, strings.Repeat("x", 2000), ""), 403},
			{oldUser(webID(ann), "guess", ""), 403},
			{oldUser(webID(guest), "", ""), 403}, // has no password
			{oldUser(999, "pw", ""), 500},
			{oldUser(0, "pw", ""), 500},
			{oldUser(-100, "pw", ""), 500},
			{oldUser(1<<40, "pw", ""), 500},
			{oldUser(1_000_000_000+999, "pw", ""), 500},
			{`{}`, 500},
			{`{"userId":"100","userPwd":"pw"}`, 0},
			{`{"userId":100,"userPwd":null,"user":[]}`, 0},
			{`nonsense`, 0},
		} {
			c := dialFrame(t, s)
			if code := frameAnswer(t, c, "LoginMes", tt.data); code != tt.code {
				t.Errorf("log in %s: %d, want %d", tt.data, code, tt.code)
			}
			_ = c.conn.Close()
		}
	}, withFrame())
}

// The documents of the answers, to the letter.
func TestFrameAnswers(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withFrame("--legacy-min-password", "3"))
	c := dialFrame(t, s)
	for _, tt := range []struct{ kind, data, wantKind, want string }{
		{"RegisterMes", oldUser(5, "pwd", "five"), "RegisterResMes", `{"code":200,"error":""}`},
		{"RegisterMes", oldUser(5, "pwd", "five"), "RegisterResMes", `{"code":400,"error":"the id 5 is taken"}`},
		{"RegisterMes", oldUser(6, "pw", "six"), "RegisterResMes", `{"code":400,"error":"password: has 2 bytes, 3 to 256 are allowed"}`},
		{"LoginMes", oldUser(6, "pwd", ""), "LoginResMes", `{"code":500,"UsersId":[],"error":"this id is not registered"}`},
		{"LoginMes", oldUser(5, "guess", ""), "LoginResMes", `{"code":403,"UsersId":[],"error":"the password is wrong"}`},
		{"SmsMes", `{"content":"hi"}`, "ErrorMes", `{"code":400,"error":"log in first: SmsMes was not sent"}`},
		{"LoginMes", oldUser(5, "pwd", ""), "LoginResMes", `{"code":200,"UsersId":[5],"error":""}`},
		{"LoginMes", oldUser(5, "pwd", ""), "LoginResMes", `{"code":400,"UsersId":[],"error":"this connection is logged in"}`},
		{"SmsMes", `{"content":7}`, "ErrorMes", `{"code":400,"error":"content must not be a JSON number"}`},
		{"SmsMes", `{"content":""}`, "ErrorMes", `{"code":400,"error":"SmsMes was not sent: text: must not be empty"}`},
		{"SmsMes", `{"userId":5}`, "ErrorMes", `{"code":400,"error":"SmsMes was not sent: text: must not be empty"}`},
		{"LoginResMes", `{}`, "ErrorMes", `{"code":400,"error":"the type \"LoginResMes\" is unknown"}`},
		{"", "", "ErrorMes", `{"code":400,"error":"the type \"\" is unknown"}`},
		{"RegisterMes", oldUser(7, "pwd", "seven"), "RegisterResMes", `{"code":200,"error":""}`},
	} {
		c.send(tt.kind, tt.data)
		c.want(tt.wantKind, tt.want)
	}
}

// Passwords are tried no faster here than by the API, and by both together no faster than by one.
func TestFrameGuesses(t *testing.T) {
	t.Parallel()
	clock, still := standStill()
	s := harness.Start(t, harness.RateLimited(), still, withFrame(), behindProxy())
	home := dialFrameFrom(t, s, "127.0.0.9")
	if code := frameAnswer(t, home, "RegisterMes", oldUser(5, "right", "five")); code != 200 {
		t.Fatal(code)
	}
	if code := frameAnswer(t, home, "LoginMes", oldUser(5, "right", "")); code != 200 {
		t.Fatal(code)
	}
	for i := range 9 { // the owner was one of ten
		if i%2 == 0 {
			c := dialFrameFrom(t, s, fmt.Sprintf("127.0.1.%d", i+1))
			if code := frameAnswer(t, c, "LoginMes", oldUser(5, "guess", "")); code != 403 {
				t.Errorf("guess %d: %d", i, code)
			}
			continue
		}
		s.Do("POST", "/v1/login", from(fmt.Sprintf("192.0.2.%d", i)), harness.Form("name", "FIVE", "password", "guess")).Refused("invalid_credentials")
	}
	stranger := dialFrameFrom(t, s, "127.0.2.1")
	if code, ids, text := stranger.answer("LoginMes", oldUser(5, "right", "")); code != 429 || len(ids) != 0 || !strings.Contains(text, "too many") {
		t.Errorf("one too many: %d %v %q", code, ids, text)
	}
	s.Do("POST", "/v1/login", from("192.0.2.99"), harness.Form("name", "five", "password", "right")).Refused("rate_limited")
	owner := dialFrameFrom(t, s, "127.0.0.9") // from where they have been before
	if code := frameAnswer(t, owner, "LoginMes", oldUser(5, "right", "")); code != 200 {
		t.Errorf("the owner: %d", code)
	}
	clock.advance(11 * time.Second)
	if code := frameAnswer(t, stranger, "LoginMes", oldUser(5, "right", "")); code != 200 {
		t.Errorf("later: %d", code)
	}
}

// By address, who registers or logs in counts as by the API.
func TestFrameLimitsByAddress(t *testing.T) {
	t.Parallel()
	_, still := standStill()
	s := harness.Start(t, harness.RateLimited(), still, withFrame(), behindProxy())
	here := from("127.0.0.5")
	for i := range 30 {
		s.Do("POST", "/v1/register", here, harness.Form("name", "", "password", "")).Refused("validation_failed", "name", "password")
		s.Do("POST", "/v1/login", here, harness.Form("name", fmt.Sprint("nobody", i), "password", "x")).Refused("invalid_credentials")
	}
	conns := 0
	c := dialFrameFrom(t, s, "127.0.0.5")
	again := func(kind, data string) int {
		if conns++; conns%20 == 0 { // a connection's own pace is another matter
			c = dialFrameFrom(t, s, "127.0.0.5")
		}
		return frameAnswer(t, c, kind, data)
	}
	for i := range 30 {
		if code := again("LoginMes", oldUser(999, "x", "")); code != 500 {
			t.Fatalf("login %d: %d", i, code)
		}
		if code := again("RegisterMes", oldUser(0, "x", "")); code != 400 {
			t.Fatalf("register %d: %d", i, code)
		}
	}
	if code := again("LoginMes", oldUser(999, "x", "")); code != 429 {
		t.Errorf("one login too many: %d", code)
	}
	if code, _, text := c.answer("RegisterMes", oldUser(1, "x", "")); code != 400 || !strings.Contains(text, "too many") {
		t.Errorf("one account too many: %d %q", code, text)
	}
	s.Do("POST", "/v1/login", here, harness.Form("name", "x", "password", "x")).Refused("rate_limited")
	s.Do("POST", "/v1/register", here, harness.Form("name", "x", "password", "x")).Refused("rate_limited")
}
