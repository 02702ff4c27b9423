package tests

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/internal/app"
	"parley/tests/harness"
)

// behindNginx is a server and the same one through examples/nginx.conf.
func behindNginx(t *testing.T, with ...harness.Option) (direct, front *harness.Server, n *nginx) {
	t.Helper()
	findNginx(t)
	with = append(with, harness.Flags("--addr", freePort(t))) // it must be found again after a restart
	direct = harness.Start(t, with...)
	n = startNginx(t, strings.TrimPrefix(direct.URL(), "http://"))
	return direct, direct.Via("http://" + n.plain), n
}

func TestNginx(t *testing.T) {
	t.Parallel()
	_, front, n := behindNginx(t)
	for name, test := range map[string]func(t *testing.T, s *harness.Server, n *nginx){
		"events come at once":         nginxEventsAtOnce,
		"long-poll":                   nginxLongPoll,
		"bodies that are too large":   nginxTooLarge,
		"32 streams":                  nginxStreams,
		"HTTP/2":                      nginxHTTP2,
		"what is not for the public":  nginxMetrics,
		"the log holds no ticket":     nginxLog,
		"plain HTTP is sent to HTTPS": nginxRedirect,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := *n
			m.t = t
			test(t, front.For(t), &m)
		})
	}
}

// Each event must have come before the next is sent, and nothing else is sent that would push it out
// of a buffer.
func nginxEventsAtOnce(t *testing.T, s *harness.Server, _ *nginx) {
	ann := s.User("at-once")
	ann.Room("at-once", "private")
	only := harness.Query("rooms", "at-once")
	for name, st := range map[string]*harness.Stream{"SSE": ann.Stream(only), "NDJSON": ann.NDJSON(only)} {
		for i := range 5 {
			text := fmt.Sprint(name, " ", i)
			ann.Send("at-once", text)
			for st.Want("message.created")[0].Text() != text { // the other stream's came before
			}
		}
		st.Close()
	}
}

func TestNginxPassesHeartbeats(t *testing.T) {
	t.Parallel()
	_, front, _ := behindNginx(t, harness.Tune(func(o *app.Options) { o.Heartbeat = 100 * time.Millisecond }))
	ann := front.User("ann")
	for _, st := range []*harness.Stream{ann.Stream(), ann.NDJSON()} {
		for range 3 {
			e := st.Any()
			for e.Type == "presence.changed" {
				e = st.Any()
			}
			if e.Type != "heartbeat" {
				t.Errorf("got %s", e.JSON)
			}
		}
	}
}

func nginxLongPoll(t *testing.T, s *harness.Server, _ *nginx) {
	ann := s.User("poller")
	room := ann.Room("poll", "private")
	after := ann.Head()
	answer := make(chan *harness.Answer, 1)
	go func() {
		a, err := s.Try(t.Context(), "GET", "/v1/events", ann.Bearer(),
			harness.After(after), harness.Query("wait", "60"), harness.Query("rooms", fmt.Sprint(room.ID)))
		if err != nil {
			t.Error(err)
		}
		answer <- a
	}()
	sent := ann.Send("poll", "hello")
	a := <-answer
	if a == nil || !strings.Contains(string(a.Body), fmt.Sprintf(`"id":%d,"type":"message.created"`, sent.ID)) {
		t.Errorf("the long-poll answers %+v", a)
	}
}

func nginxTooLarge(t *testing.T, s *harness.Server, n *nginx) {
	ann := s.User("wordy")
	for _, size := range []int{200 << 10, 7 << 20} {
		ann.Post("/v1/send", map[string]any{"text": strings.Repeat("a", size)}).Refused("too_large")
	}
	ann.Post("/v1/send", map[string]any{"text": strings.Repeat("a", 20<<10)}).Refused("validation_failed", "text")
	n.answersItself("POST", "/v1/send", strings.Repeat("a", 9<<20), 413, "too_large")
}

// answersItself: what nginx says alone has the form of Parley's errors, though not all of its headers.
func (n *nginx) answersItself(method, path, body string, status int, code string) {
	n.t.Helper()
	req, err := http.NewRequestWithContext(n.t.Context(), method, "http://"+n.plain+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	resp, err := plainHTTP.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	defer resp.Body.Close()
	var p harness.Problem
	if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
		n.t.Fatalf("%s %s: %v", method, path, err)
	}
	h := resp.Header
	if resp.StatusCode != status || p.Status != status || p.Code != code || p.Type != "/problems/"+code ||
		p.Title == "" || p.Detail == "" || p.RequestID == "" || p.RequestID != h.Get("X-Request-Id") {
		n.t.Errorf("%s %s: %s %+v", method, path, resp.Status, p)
	}
	if h.Get("Content-Type") != "application/problem+json" || h.Get("X-Content-Type-Options") != "nosniff" ||
		(h.Get("Retry-After") == "1") != (status == http.StatusServiceUnavailable) {
		n.t.Errorf("%s %s: %v", method, path, h)
	}
}

func nginxStreams(t *testing.T, s *harness.Server, _ *nginx) {
	ann := s.User("wide")
	ann.Room("wide", "private")
	var streams []*harness.Stream
	for range 32 {
		streams = append(streams, ann.Stream(harness.Query("rooms", "wide")))
	}
	for i := range 3 {
		id := ann.Send("wide", fmt.Sprint(i)).ID
		for _, st := range streams {
			if e := st.Until("message.created"); e[len(e)-1].ID != id {
				t.Fatalf("got %v, want %d", e, id)
			}
		}
	}
	ann.Get("/v1/events/stream").Refused("rate_limited")
}

func nginxHTTP2(t *testing.T, s *harness.Server, n *nginx) {
	ann := s.User("modern")
	ann.Room("modern", "private")
	bearer := map[string]string{"Authorization": "Bearer " + ann.Token}
	resp := ask(t, n.client(), "https://"+n.tls+"/v1/events/stream?rooms=modern", bearer)
	if resp.major != 2 || resp.status != 200 || resp.header.Get("Content-Encoding") != "" {
		t.Fatalf("HTTP/%d, %d %v", resp.major, resp.status, resp.header)
	}
	lines := bufio.NewScanner(resp.body)
	for i := range 5 {
		text := fmt.Sprint("modern ", i)
		ann.Send("modern", text)
		for lines.Scan() && !strings.Contains(lines.Text(), `"text":"`+text+`"`) {
		}
		if err := lines.Err(); err != nil {
			t.Fatal(err)
		}
	}
}

func nginxMetrics(t *testing.T, _ *harness.Server, n *nginx) {
	for _, path := range []string{"/metrics", "/metrics?x=y", "//metrics", "/x/../metrics"} {
		resp := ask(t, plainHTTP, "http://"+n.plain+path, nil)
		if body, _ := io.ReadAll(resp.body); resp.status != 404 || !strings.Contains(string(body), "nginx") {
			t.Errorf("%s: %d %s", path, resp.status, body)
		}
	}
}

// reply is an answer of which nobody checks that it is as the spec says.
type reply struct {
	status int
	major  int // version of HTTP
	header http.Header
	body   io.Reader
}

// ask gets a URL.
func ask(t *testing.T, c *http.Client, url string, header map[string]string) reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		req.Header.Set(name, value)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return reply{resp.StatusCode, resp.ProtoMajor, resp.Header, resp.Body}
}

func nginxRedirect(t *testing.T, _ *harness.Server, n *nginx) {
	c := &http.Client{
		Transport:     plain,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp := ask(t, c, "http://"+n.redirect+"/v1/who?room=lobby", nil)
	if to := resp.header.Get("Location"); resp.status != 308 || to != "https://127.0.0.1/v1/who?room=lobby" {
		t.Errorf("%d to %q", resp.status, to)
	}
}

// nginxLog: who has a ticket can read its owner's stream.
func nginxLog(t *testing.T, s *harness.Server, n *nginx) {
	ann := s.User("ticketed")
	ticket := harness.Into[client.Ticket](ann.Post("/v1/tickets", nil).Want(201)).Ticket
	st := s.Stream(harness.Query("ticket", ticket), harness.Query("types", "room.updated"))
	st.Close()
	var line string
	err := eventually(t.Context(), func() error { // it is written when nginx notices the end
		for line = range strings.Lines(n.read("access.log")) {
			if strings.Contains(line, st.Header.Get("X-Request-Id")) {
				return nil
			}
		}
		return errors.New("no line")
	})
	if err != nil || !strings.Contains(line, `"GET /v1/events/stream HTTP/1.1" 200 200 `) {
		t.Errorf("%v: %q", err, line)
	}
	if strings.Contains(n.read("access.log"), ticket) {
		t.Error("the access log has the ticket")
	}
}

// What nginx tells of the client is what nginx knows, not what the client claims.
func TestNginxTellsWhoAsks(t *testing.T) {
	t.Parallel()
	seen := make(chan *http.Request, 1)
	echo := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen <- r }))
	t.Cleanup(echo.Close)
	n := startNginx(t, echo.Listener.Addr().String())
	claims := map[string]string{"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "gopher", "Connection": "close"}
	for _, tt := range []struct {
		scheme, addr string
		c            *http.Client
	}{{"https", n.tls, n.client()}, {"http", n.plain, plainHTTP}} {
		for _, path := range []string{"/v1/who", "/v1/events", "/v1/events/stream", "/v1/events/ndjson"} {
			ask(t, tt.c, tt.scheme+"://"+tt.addr+path, claims)
			r := <-seen
			if got := r.Header["X-Forwarded-For"]; len(got) != 1 || got[0] != "127.0.0.1" {
				t.Errorf("%s %s: X-Forwarded-For: %q", tt.scheme, path, got)
			}
			if got := r.Header["X-Forwarded-Proto"]; len(got) != 1 || got[0] != tt.scheme {
				t.Errorf("%s %s: X-Forwarded-Proto: %q", tt.scheme, path, got)
			}
			if r.Host != tt.addr || r.Proto != "HTTP/1.1" || r.Close {
				t.Errorf("%s %s: Host %q, %s, close %v", tt.scheme, path, r.Host, r.Proto, r.Close)
			}
		}
	}
}

// A client that reconnects loses nothing when nginx goes away, and nothing when Parley does.
func TestNginxRestarts(t *testing.T) {
	t.Parallel()
	direct, front, n := behindNginx(t)
	ann := front.User("ann")
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	got := follow(ctx, t, front.URL(), ann.Token)
	sent := 0
	say := func(s *harness.Server) {
		s.Do("POST", "/v1/send", ann.Bearer(), harness.Form("text", fmt.Sprint(sent))).Want(201)
		sent++
	}
	arrived := func() {
		t.Helper()
		for i := sent - 3; i < sent; i++ {
			if text := <-got; text != fmt.Sprint(i) {
				t.Fatalf("got %q, want %d", text, i)
			}
		}
	}
	<-got // it listens
	for range 3 {
		say(front)
	}
	arrived()

	say(front)
	n.stop()
	say(direct)
	n.start(n.cmd.Path)
	say(front)
	arrived()

	say(front)
	direct.Stop()
	nginxWithoutServer(t, n)
	direct.Restart()
	say(direct)
	say(front)
	arrived()
}

// nginxWithoutServer: an EventSource gives up for good after an error status and comes back after a
// stream that ends. All else is told to try again.
func nginxWithoutServer(t *testing.T, n *nginx) {
	t.Helper()
	for url, c := range map[string]*http.Client{"http://" + n.plain: plainHTTP, "https://" + n.tls: n.client()} {
		resp := ask(t, c, url+"/v1/events/stream", nil)
		body, err := io.ReadAll(resp.body)
		if resp.status != 200 || resp.header.Get("Content-Type") != "text/event-stream" || string(body) != "retry: 2000\n\n" {
			t.Errorf("%s: while the server is away a stream is %d %q, %v", url, resp.status, body, err)
		}
	}
	for _, call := range [][2]string{{"POST", "/v1/guest"}, {"GET", "/v1/events"}, {"GET", "/v1/events/ndjson"}} {
		n.answersItself(call[0], call[1], "", 503, "unavailable")
	}
}

// follow gives the texts that come to a client, "" once it listens. What comes twice is given twice.
func follow(ctx context.Context, t *testing.T, url, token string) <-chan string {
	t.Helper()
	c, err := client.New(url, client.WithToken(token), client.WithHTTPClient(plainHTTP))
	if err != nil {
		t.Fatal(err)
	}
	texts, done := make(chan string, 16), make(chan struct{})
	ctx, cancel := context.WithCancel(ctx)
	t.Cleanup(func() { cancel(); <-done })
	go func() {
		defer close(done)
		defer close(texts)
		listens := false
		for e, err := range c.Events(ctx, client.EventsOptions{Wait: time.Millisecond}) {
			switch data, _ := client.DataOf[client.MessageData](e); {
			case err != nil:
				return
			case e.Type == "ready" && !listens:
				listens = true
				texts <- ""
			case e.Type == "reset":
				texts <- "reset"
			case e.Type == "message.created":
				texts <- data.Message.Text
			}
		}
	}()
	return texts
}
