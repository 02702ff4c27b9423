package tests

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/internal/app"
	"parley/tests/harness"
)

// plainStreams keeps streams in their handlers, as over TLS.
func plainStreams() harness.Option {
	return harness.Tune(func(o *app.Options) { o.PlainStreams = true })
}

// onEngines tells a story of streams on connections of their own, in their handlers, and over HTTP/2.
func onEngines(t *testing.T, story func(t *testing.T, s *harness.Server), with ...harness.Option) {
	t.Helper()
	for name, engine := range map[string][]harness.Option{"direct": nil, "plain": {plainStreams()}, "HTTP/2": {harness.TLS()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, harness.Start(t, append(engine, with...)...))
		})
	}
}

// rawStream opens a stream by hand and gives its header, and what follows that.
func rawStream(t *testing.T, s *harness.Server, version, path string, lines ...string) (*net.TCPConn, http.Header, *bufio.Reader) {
	t.Helper()
	return rawStreamAt(t, strings.TrimPrefix(s.URL(), "http://"), version, path, lines...)
}

func rawStreamAt(t *testing.T, addr, version, path string, lines ...string) (*net.TCPConn, http.Header, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	request := fmt.Sprintf("GET %s HTTP/%s\r\nHost: x\r\n%s\r\n\r\n", path, version, strings.Join(lines, "\r\n"))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	status, err := r.ReadString('\n')
	if err != nil || status != "HTTP/"+version+" 200 OK\r\n" {
		t.Fatalf("%q, %v", status, err)
	}
	h := http.Header{}
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			return conn.(*net.TCPConn), h, r
		}
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		h[name] = append(h[name], value)
	}
}

// The header is the same from either engine, but for what says where the body ends, the date, and the
// request's id.
func TestHeadersOfBothEngines(t *testing.T) {
	t.Parallel()
	with := []harness.Option{harness.RateLimited(), harness.Flags("--cors-origin", "https://chat.example")}
	direct, inHandler := harness.Start(t, with...), harness.Start(t, append(with, plainStreams())...)
	for _, version := range []string{"1.0", "1.1"} {
		for _, path := range []string{"/v1/events/stream", "/v1/events/ndjson?after=0"} {
			var seen [2]string
			for i, s := range []*harness.Server{direct, inHandler} {
				ann := s.Guest("")
				_, h, _ := rawStream(t, s, version, path, "Authorization: Bearer "+ann.Token, "Origin: https://chat.example")
				for _, name := range []string{"Date", "X-Request-Id"} {
					if len(h[name]) != 1 || h[name][0] == "" {
						t.Errorf("%s is %q", name, h[name])
					}
					delete(h, name)
				}
				if i == 0 && (h.Get("Connection") != "close" || h.Get("Transfer-Encoding") != "") {
					t.Errorf("the end is announced by %v", h)
				}
				h.Del("Connection")
				h.Del("Transfer-Encoding")
				var text strings.Builder
				_ = h.Write(&text)
				seen[i] = text.String()
			}
			for _, name := range []string{"Access-Control-Allow-Origin: https://chat.example", "Ratelimit-Remaining: ", "X-Content-Type-Options: nosniff"} {
				if !strings.Contains(seen[0], name) {
					t.Errorf("HTTP/%s %s: no %s in\n%s", version, path, name, seen[0])
				}
			}
			if seen[0] != seen[1] {
				t.Errorf("HTTP/%s %s: direct\n%s\nin the handler\n%s", version, path, seen[0], seen[1])
			}
		}
	}
}

// Who leaves is seen to be gone, also by half; nobody has to write to them for that.
func TestReadersWhoLeave(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock(), harness.Tune(func(o *app.Options) { o.Heartbeat = time.Hour }))
	later(s)
	ann := s.User("ann")
	for how, leave := range map[string]func(*net.TCPConn) error{"close": (*net.TCPConn).Close, "half-close": (*net.TCPConn).CloseWrite} {
		bob := s.Guest("")
		conn, _, _ := rawStream(t, s, "1.1", "/v1/events/stream", "Authorization: Bearer "+bob.Token)
		status := func() string {
			return string(harness.Into[client.User](ann.Get("/v1/users/" + id(bob.ID)).Want(200)).Status)
		}
		harness.Eventually(t, "bob is online", func() bool { return status() == "online" })
		if err := leave(conn); err != nil {
			t.Fatal(err)
		}
		// However much time goes by, it is whom the server has seen leave.
		harness.Eventually(t, "bob is offline after a "+how, func() bool { s.Advance(time.Second); return status() == "offline" })
	}
}

// A client that sends more behind its request reads to the end all the same, and no second answer.
func TestPipelinedBehindAStream(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	bearer := "Authorization: Bearer " + ann.Token
	conn, _, r := rawStream(t, s, "1.1", "/v1/events/stream", bearer+"\r\n\r\nGET /v1/me HTTP/1.1\r\nHost: x\r\n"+bearer)
	if _, err := io.WriteString(conn, strings.Repeat("more\r\n", 1000)); err != nil {
		t.Fatal(err)
	}
	ann.Send("lobby", "hello")
	ann.Post("/v1/logout", nil).Want(204)
	rest, err := io.ReadAll(r)
	text := string(rest)
	if err != nil || !strings.Contains(text, "hello") || !strings.Contains(text, "session.ended") || strings.Contains(text, "HTTP/1.1") {
		t.Errorf("%v after %q", err, text)
	}
}

// A thousand streams that come and go leave no descriptor, no goroutine, and no memory to speak of.
func TestStreamsThatComeAndGo(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a thousand streams: run without -short")
	}
	profiles := freePort(t)
	cmd := exec.Command(os.Args[0], append([]string{
		"serve", "--addr", "127.0.0.1:0", "--data", t.TempDir(), "--pprof-addr", profiles,
	}, unlimited...)...)
	cmd.Env = []string{asProgram + "=1"}
	addr := strings.TrimPrefix(launch(t, cmd).url, "http://")
	tokens := make([]string, 50)
	for i := range tokens {
		answer := rawPost(t, "http://"+addr+"/v1/guest")
		_, rest, _ := strings.Cut(answer, `"token":"`)
		tokens[i], _, _ = strings.Cut(rest, `"`)
	}
	comeAndGo := func(rounds int) {
		for round := range rounds {
			streams := make([]*net.TCPConn, len(tokens))
			for i, token := range tokens {
				streams[i], _, _ = rawStreamAt(t, addr, "1.1", "/v1/events/stream", "Authorization: Bearer "+token)
			}
			for i, conn := range streams {
				leave := conn.Close
				if (round+i)%2 == 0 {
					leave = conn.CloseWrite
				}
				if err := leave(); err != nil {
					t.Fatal(err)
				}
			}
			harness.Eventually(t, "all are gone", func() bool { return number(t, addr, `parley_streams{format="sse"}`) == 0 })
			for _, conn := range streams {
				_ = conn.Close()
			}
		}
	}
	comeAndGo(2)
	held := map[string]float64{"process_open_fds": 5, "go_goroutines": 5, "go_memstats_heap_alloc_bytes": 1 << 20}
	now := func(name string) float64 {
		_ = rawGet(t, "http://"+profiles+"/debug/pprof/heap?gc=1")
		return number(t, addr, name)
	}
	before := map[string]float64{}
	for name := range held {
		before[name] = now(name)
	}
	comeAndGo(20)
	for name, slack := range held {
		harness.Eventually(t, name+" is what it was", func() bool { return now(name) <= before[name]+slack })
	}
}

// number is one of the numbers of the server at the address.
func number(t *testing.T, addr, name string) float64 {
	t.Helper()
	_, rest, _ := strings.Cut(rawGet(t, "http://"+addr+"/metrics"), "\n"+name+" ")
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseFloat(line, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

func rawGet(t *testing.T, url string) string {
	t.Helper()
	return rawAnswer(t, http.MethodGet, url, "")
}

func rawPost(t *testing.T, url string) string {
	t.Helper()
	return rawAnswer(t, http.MethodPost, url, "{}")
}

func rawAnswer(t *testing.T, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := plainHTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 400 {
		t.Fatalf("%s %s: %s %v", method, url, resp.Status, err)
	}
	return string(text)
}
