package tests

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/internal/app"
	"parley/tests/harness"
)

// What is wrong is answered, and the connection stays.
func TestWSMessagesThatAreWrong(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS())
	ann := s.User("ann")
	a := ws(t, s, "/ws/1")
	for _, tt := range []struct{ in, about string }{
		{"", "JSON"},
		{"hello", "JSON"},
		{"[]", "JSON"},
		{"null", "JSON"},
		{`{"type":1`, "JSON"},
		{`{"type":1}{"type":1}`, "JSON"},
		{"{'type':1}", "JSON"},
		{`{"type":"x"}`, "whole numbers"},
		{`{"type":1.5}`, "whole numbers"},
		{`{"type":[1]}`, "whole numbers"},
		{`{"type":1,"receiver":{},"content":"x"}`, "whole numbers"},
		{`{"type":1,"receiver":1e300,"content":"x"}`, "whole numbers"},
		{`{"type":1,"receiver":2,"content":{}}`, "content must be text"},
		{`{"type":4}`, "type must be 0 to 3"},
		{`{"type":-1}`, "type must be 0 to 3"},
		{`{"type":1}`, "receiver"},
		{`{"type":1,"receiver":2}`, "must not be empty"},
		{`{"type":1,"receiver":2,"content":null}`, "must not be empty"},
		{`{"type":1,"content":"x"}`, "receiver"},
		{`{"type":1,"receiver":0,"content":"x"}`, "receiver"},
		{`{"type":1,"receiver":-5,"content":"x"}`, "receiver"},
		{`{"type":1,"receiver":9007199254740993,"content":"x"}`, "must be 1 to 1000000000"},
		{`{"type":1,"receiver":1000000001,"content":"x"}`, "must be 1 to 1000000000"},
		{`{"type":1,"receiver":1,"content":"x"}`, "yourself"},
		{`{"type":1,"receiver":2,"content":"\u0000"}`, "NUL"},
	} {
		a.write(tt.in)
		a.refused(1, tt.about)
	}
	ann.Get("/v1/users/@ws-2").Want(404) // nobody was made for that
	b := ws(t, s, "/ws/2")
	for _, text := range []string{
		`{"type":1,"receiver":2,"content":"x"}`,
		"\ufeff"[:0] + " \n{\"type\": 1,\r\n \"receiver\": 2, \"content\": \"x\"}\n",
		`{"type":"1","receiver":"2","content":"x"}`,
		`{"type":1.0,"receiver":2e0,"content":"x"}`,
		`{"Type":1,"Receiver":2,"Content":"x"}`,
		`{"type":1,"send":99,"sender":"me","receiver":2,"content":"x","time":[],"more":{"a":null}}`,
	} {
		a.write(text)
		b.told(1, 2, "x")
	}
	a.write(`{"type":1,"receiver":2,"content":12.50}`)
	b.told(1, 2, "12.50")
	for _, silent := range []string{`{}`, `{"type":0}`, `{"type":null}`, `{"type":2,"receiver":2,"content":"x"}`} {
		a.write(silent)
	}
	a.write(`{"type":1,"receiver":2,"content":"the end"}`)
	b.told(1, 2, "the end")
}

// Pages of other origins cannot connect; who is no page can.
func TestWSOrigins(t *testing.T) {
	t.Parallel()
	const listed = "https://chat.example"
	s := harness.Start(t, withWS("--cors-origin", listed))
	for _, path := range []string{"/ws/1", visitorPath("li", "1")} {
		for _, origin := range []string{"http://evil.example", "null", s.URL(), "http://127.0.0.1", "file://", "%", listed + ":81", "http://chat.example"} {
			refusedWS(t, s, 403, path, "Origin", origin)
		}
		ws(t, s, path, "Origin", listed)
		ws(t, s, path, "Origin", "http://"+s.OlderAddr("ws-addr"))
		ws(t, s, path)
	}
	anybody := harness.Start(t, withWS("--cors-origin", "*"))
	ws(t, anybody, "/ws/1", "Origin", "http://evil.example")
}

func TestWSWithoutGuests(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS("--guests", "off"))
	ann := s.User("ann")
	refusedWS(t, s, 403, "/ws/1")
	a := ws(t, s, fmt.Sprintf("/ws/%d", offset+ann.ID), "Authorization", "Bearer "+ann.Token)
	a.send(1, "x")
	a.refused(offset+ann.ID, "guests")
}

// The end of the session is the end of the connection, and the account is not let in again while it is banned.
func TestWSSessionEnds(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS("--trusted-proxy", "127.0.0.1"))
	admin := s.User("admin")
	a := ws(t, s, "/ws/1")
	admin.Post("/v1/users/@ws-1/kick", map[string]any{"reason": "spam"}).Want(204)
	a.ends(websocket.StatusPolicyViolation)
	a = ws(t, s, "/ws/1")
	admin.Put("/v1/users/@ws-1/ban", nil).Want(200)
	a.ends(websocket.StatusPolicyViolation)
	refusedWS(t, s, 403, "/ws/1")
	bob := s.User("bob")
	b := ws(t, s, fmt.Sprintf("/ws/%d", offset+bob.ID), "Authorization", "Bearer "+bob.Token)
	bob.Post("/v1/logout", nil).Want(204)
	b.ends(websocket.StatusPolicyViolation)
	v := ws(t, s, visitorPath("li", "1"), "X-Forwarded-For", "192.0.2.7")
	v.want(wsNobody)
	admin.Post("/v1/bans", map[string]any{"address": "192.0.2.7"}).Want(201)
	v.ends(websocket.StatusPolicyViolation)
	refusedWS(t, s, 403, "/ws/5", "X-Forwarded-For", "192.0.2.7")
	refusedWS(t, s, 403, visitorPath("li", "2"), "X-Forwarded-For", "192.0.2.7")
}

// Accounts and passwords are counted with those that are made and tried over HTTP.
func TestWSLimits(t *testing.T) {
	t.Parallel()
	_, still := standStill()
	s := harness.Start(t, withWS(), harness.RateLimited(), still)
	admin := s.User("root")
	s.Agent(admin, "eve")
	s.Agent(admin, "ann")
	for i := range 8 {
		refusedWS(t, s, 401, fmt.Sprintf("/ws/support?username=ann&ID=wrong%d", i))
	}
	for range 2 {
		s.Do("POST", "/v1/login", harness.JSON(map[string]any{"name": "ann", "password": "wrong"})).Want(401)
	}
	refusedWS(t, s, 429, "/ws/support?username=ANN&ID=wrong")
	refusedWS(t, s, 429, agentPath("ann"), "Origin", "http://"+s.OlderAddr("ws-addr"))
	s.Do("POST", "/v1/login", harness.JSON(map[string]any{"name": "ann", "password": "wrong"})).Want(429)
	ws(t, s, agentPath("eve"))

	a := ws(t, s, "/ws/1")
	for s.Do("POST", "/v1/guest").Status == 201 {
	}
	refusedWS(t, s, 429, "/ws/2")
	a.send(2, "x")
	a.refused(1, "too many")
	ws(t, s, "/ws/1") // who is known is let in
	for s.Do("POST", "/v1/support/visitors", harness.JSON(map[string]any{})).Status == 201 {
	}
	refusedWS(t, s, 429, visitorPath("li", "1"))
}

// The client behind a trusted proxy is the one that the proxy names.
func TestWSBehindAProxy(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS("--trusted-proxy", "127.0.0.1"))
	admin := s.User("admin")
	admin.Post("/v1/bans", map[string]any{"address": "192.0.2.7"}).Want(201)
	refusedWS(t, s, 403, "/ws/1", "X-Forwarded-For", "192.0.2.7")
	refusedWS(t, s, 403, "/ws/1", "X-Forwarded-For", "198.51.100.1, 192.0.2.7")
	ws(t, s, "/ws/1", "X-Forwarded-For", "192.0.2.7, 198.51.100.1")
	direct := harness.Start(t, withWS())
	direct.User("admin").Post("/v1/bans", map[string]any{"address": "192.0.2.7"}).Want(201)
	ws(t, direct, "/ws/1", "X-Forwarded-For", "192.0.2.7")
}

// A client that never reads is cut, the others notice nothing, and nothing of what it did not read is lost.
func TestWSNeverReads(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS(), harness.OwnClock(), harness.Tune(func(o *app.Options) { o.Stall = time.Second }))
	s.Advance(time.Minute) // since the start: who goes is offline soon
	ann := s.User("ann")
	a := ws(t, s, "/ws/1")
	deaf := dialRawWS(t, s, "/ws/2")
	_ = deaf.conn.(*net.TCPConn).SetReadBuffer(4096)
	text := strings.Repeat("很", 5000)
	said := 0
	for statusOf(ann, "@ws-2") != "offline" {
		if said++; said == 2000 {
			t.Fatal("the client that never reads is still there")
		}
		a.send(2, fmt.Sprint(said, text))
		a.write(`{"type":1,"receiver":1,"content":"x"}`)
		a.refused(1, "yourself")
	}
	b := ws(t, s, "/ws/2")
	for i := range said {
		b.told(1, 2, fmt.Sprint(i+1, text))
	}
}

// A client that has gone without a word is noticed; one that is silent is not taken for one.
func TestWSPings(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS(), harness.Tune(func(o *app.Options) { o.Ping = 300 * time.Millisecond }))
	quiet := ws(t, s, "/ws/1")
	agent := ws(t, s, visitorPath("li", "1"))
	for _, path := range []string{"/ws/2", visitorPath("li", "2")} {
		gone := dialRawWS(t, s, path)
		pings := 0
		for {
			first, _, err := gone.next()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
					t.Error(err)
				}
				break
			}
			if first == opFin|opPing {
				pings++
			}
		}
		if pings == 0 {
			t.Error("it was not asked")
		}
	}
	agent.want(wsNobody)
	quiet.send(2, "still here")
	ws(t, s, "/ws/2").told(1, 2, "still here")
	s.Agent(s.User("root"), "eve")
	ws(t, s, agentPath("eve"))
	agent.want(wsPaired)
}

// A thousand that say nothing cost the others nothing, and go when the server does.
func TestWSManyIdle(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS())
	ann := s.User("ann")
	const many = 1000
	idle := make([]*rawWS, many)
	var dialing sync.WaitGroup
	for part := range 8 {
		dialing.Go(func() {
			for i := part; i < many; i += 8 {
				idle[i] = dialRawWS(t, s, fmt.Sprintf("/ws/%d", i+1))
			}
		})
	}
	dialing.Wait()
	ann.Send("@ws-1000", "hello")
	if _, payload, err := idle[999].next(); err != nil || !strings.Contains(string(payload), `"content":"hello"`) {
		t.Fatalf("got %q, %v", payload, err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		s.Stop()
	}()
	for i, c := range idle {
		first, payload, err := c.next()
		for err == nil && first == opFin|opPing {
			first, payload, err = c.next()
		}
		if err != nil || first != opFin|opClose || binary.BigEndian.Uint16(payload) != 1001 {
			t.Fatalf("number %d: %x %q, %v", i, first, payload, err)
		}
		c.send(closeFrame(1001, ""))
	}
	<-stopped
}

// After kill -9 nothing is lost, and at most the last few come twice.
func TestWSAfterACrash(t *testing.T) {
	t.Parallel()
	program, dir, addr := buildProgram(t, "."), t.TempDir(), freePort(t)
	run := func() *process {
		return serve(t, program, dir, "127.0.0.1:0", append([]string{"--ws-addr", addr}, unlimited...)...)
	}
	dial := func(path string) *wsClient {
		t.Helper()
		c, _, err := tryWSAt(t, addr, path)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	said := func(what string, n int) (texts []string) {
		for i := range n {
			texts = append(texts, fmt.Sprintf("%s %02d", what, i))
		}
		return texts
	}
	say := func(texts []string) {
		t.Helper()
		a := dial("/ws/1")
		for _, text := range texts {
			a.send(2, text)
		}
		a.write(`{"type":9}`) // is answered after all that
		a.refused(1, "type")
	}
	p := run()
	b := dial("/ws/2")
	say(said("live", 20))
	b.told(1, 2, said("live", 20)...)
	b.leave()
	kept := said("kept", 70)
	say(kept)
	p.kill()

	p = run()
	b = dial("/ws/2")
	first, _ := b.next()
	for strings.Contains(first, `"live `) { // that it came may have been noted too late
		first, _ = b.next()
	}
	if !strings.Contains(first, quoted(kept[0])) {
		t.Fatalf("the first that was kept is %s", first)
	}
	b.told(1, 2, kept[1:]...)
	all := append(kept, said("before", 60)...)
	say(all[len(kept):])
	p.kill()
	had := len(kept)
	for got := range b.got { // what came before the crash
		if !strings.Contains(got, quoted(all[had])) {
			t.Fatalf("number %d is %s", had, got)
		}
		had++
	}

	run()
	b = dial("/ws/2")
	say([]string{"the end"})
	got, _ := b.next()
	next := 0 // of all, after the first one that came again
	for next < len(all) && !strings.Contains(got, quoted(all[next])) {
		next++
	}
	if next > had {
		t.Fatalf("%d came before the crash, and after it %s", had, got)
	}
	if next < len(all) {
		b.told(1, 2, append(all[next+1:], "the end")...)
	}
	t.Logf("of %d, %d came before the crash, %d after it", len(all), had, len(all)-next)
}
