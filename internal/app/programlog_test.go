package app

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/chat"
	"parley/internal/config"
	"parley/store"
)

// use runs the program with the flags, does a little with it, stops it, and gives its log.
func use(t *testing.T, flags ...string) (log string, secrets []string) {
	t.Helper()
	p := startProgram(t, append([]string{"--addr=127.0.0.1:0"}, flags...)...)
	at := firstLine.FindStringSubmatch(p.line)[1]
	_, login := call(t, "POST", at+"/v1/register", "", url.Values{"name": {"ann"}, "password": {"correct horse"}})
	token, _ := login["token"].(string)
	if status, _ := call(t, "POST", at+"/v1/send", token, url.Values{"text": {"hello"}}); status != 201 {
		t.Fatalf("send: %d", status)
	}
	_, made := call(t, "POST", at+"/v1/tickets", token, nil)
	ticket, _ := made["ticket"].(string)
	if status, _ := call(t, "GET", at+"/v1/rooms/nowhere/messages?ticket="+ticket, token, nil); status != 404 {
		t.Fatalf("an unknown room: %d", status)
	}
	p.signal(t, syscall.SIGTERM)
	if code := p.wait(t); code != exitOK || token == "" || ticket == "" {
		t.Fatalf("exit code %d, token %q, ticket %q\n%s", code, token, ticket, p.stderr.String())
	}
	return p.stderr.String(), []string{token, ticket, "correct horse", "correct+horse"}
}

func TestProgramLogsJSON(t *testing.T) {
	t.Parallel()
	log, secrets := use(t, "--log-format=json", "--log-level=debug")
	lines := map[string][]map[string]any{}
	for line := range strings.Lines(log) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		message, _ := fields["msg"].(string)
		lines[message] = append(lines[message], fields)
	}
	if len(lines["started"]) != 1 || len(lines["stopped"]) != 1 || lines["started"][0]["listening"] == nil ||
		lines["started"][0]["version"] == nil || len(lines["stopping, a second signal ends at once"]) != 1 {
		t.Errorf("no line of the start, or of the stop:\n%s", log)
	}
	for _, want := range []struct {
		route  string
		status float64
		user   bool
	}{
		{"/v1/register", 201, false}, {"/v1/send", 201, true}, {"/v1/tickets", 201, true},
		{"/v1/rooms/{room}/messages", 404, true},
	} {
		found := 0
		for _, r := range lines["request"] {
			if r["route"] != want.route {
				continue
			}
			found++
			_, user := r["user_id"].(float64)
			_, took := r["duration"].(float64)
			id, _ := r["request_id"].(string)
			if r["status"] != want.status || r["method"] == nil || r["path"] == nil || user != want.user || !took || id == "" {
				t.Errorf("the line of %s is %v", want.route, r)
			}
		}
		if found != 1 {
			t.Errorf("%d lines of %s:\n%s", found, want.route, log)
		}
	}
	tellsNothing(t, log, secrets)
}

func TestProgramLogsText(t *testing.T) {
	t.Parallel()
	log, secrets := use(t, "--log-level=debug") // text is the default
	for _, want := range []string{
		`level=INFO msg=started version=\S+ listening=127\.0\.0\.1:\d+ config\.addr=`,
		`level=DEBUG msg=request method=POST route=/v1/send path=/v1/send status=201 bytes=\d+ duration=\S+ address=127\.0\.0\.1 user_id=2 request_id=[0-9a-f]{16}\n`,
		`level=DEBUG msg=request method=GET route=/v1/rooms/\{room\}/messages path=/v1/rooms/nowhere/messages status=404 `,
		`level=INFO msg="stopping, a second signal ends at once" signal=terminated\n`,
		`level=INFO msg=stopped\n$`,
	} {
		if !regexp.MustCompile(want).MatchString(log) {
			t.Errorf("no line like %s in\n%s", want, log)
		}
	}
	tellsNothing(t, log, secrets)
}

func tellsNothing(t *testing.T, log string, secrets []string) {
	t.Helper()
	for _, secret := range secrets {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log:\n%s", secret, log)
		}
	}
}

// Each level leaves out what is below it.
func TestProgramLogLevels(t *testing.T) {
	t.Parallel()
	for level, want := range map[string]bool{"info": true, "warn": false, "error": false} {
		log, _ := use(t, "--log-level="+level)
		if strings.Contains(log, "msg=request") {
			t.Errorf("requests are logged from the level %s on:\n%s", level, log)
		}
		if strings.Contains(log, "msg=started") != want || !want && log != "" {
			t.Errorf("with the level %s the log is %q", level, log)
		}
	}
}

func TestProgramSaysWhereProfilesAre(t *testing.T) {
	t.Parallel()
	log, _ := use(t, "--pprof-addr=127.0.0.1:0")
	if !regexp.MustCompile(`level=INFO msg="serving profiles" url=http://127\.0\.0\.1:\d+/debug/pprof/\n`).MatchString(log) {
		t.Errorf("the log is %s", log)
	}
}

// What goes wrong is an error with its cause, its route and the request's id; what is refused is none.
func TestFaultsAreLoggedWithTheirCause(t *testing.T) {
	t.Parallel()
	var lines page
	var broken atomic.Bool
	a, err := New(t.Context(), testConfig(t.TempDir()), Options{
		HashCost: chat.HashCost{MemoryKiB: 8, Passes: 1}, Spread: -1,
		Log: newLogger(&lines, config.LogText, slog.LevelInfo),
		Fault: func(op string) error {
			if op == store.OpCommit && broken.Load() {
				return bytes.ErrTooLarge // any error that is easily found again
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- a.Run(t.Context()) }()
	broken.Store(true) // the start itself commits
	status, body := call(t, "POST", a.URL()+"/v1/guest", "", nil)
	broken.Store(false)
	refused, _ := call(t, "GET", a.URL()+"/v1/me", "", nil)
	closeApp(t, a)
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	if status != 503 || refused != 401 {
		t.Fatalf("%d %v, %d", status, body, refused)
	}
	id, _ := body["request_id"].(string)
	log := lines.String()
	want := regexp.MustCompile(`level=ERROR msg=unavailable method=POST route=/v1/guest error=".*` +
		regexp.QuoteMeta(bytes.ErrTooLarge.Error()) + `" request_id=` + id + `\n`)
	if !want.MatchString(log) || strings.Count(log, "level=ERROR") != 1 {
		t.Errorf("the log is %s", log)
	}
}

// A server that stops tells load balancers so; nothing is wrong with it.
func TestStoppingIsNoError(t *testing.T) {
	t.Parallel()
	var lines page
	a, err := New(t.Context(), testConfig(t.TempDir()), Options{Log: newLogger(&lines, config.LogText, slog.LevelDebug), Spread: -1})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- a.Run(t.Context()) }()
	a.stopping.Store(true)
	status, body := call(t, "GET", a.URL()+"/readyz", "", nil)
	closeApp(t, a)
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	if detail, _ := body["detail"].(string); status != 503 || detail != "the server is stopping" {
		t.Errorf("%d %v", status, body)
	}
	if log := lines.String(); strings.Contains(log, "level=ERROR") || !strings.Contains(log, "level=WARN msg=unavailable") {
		t.Errorf("the log is %s", log)
	}
}

// A commit that takes long is a warning with what it was about.
func TestSlowCommitsAreWarnings(t *testing.T) {
	t.Parallel()
	var lines page
	a, err := New(t.Context(), testConfig(t.TempDir()), Options{
		Log: newLogger(&lines, config.LogJSON, slog.LevelWarn), Spread: -1, SlowCommit: time.Nanosecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- a.Run(t.Context()) }()
	status, _ := call(t, "POST", a.URL()+"/v1/guest", "", nil)
	closeApp(t, a)
	if err := <-ran; err != nil {
		t.Fatal(err)
	}
	// What the server does by itself may have been in the same transaction.
	about := regexp.MustCompile(`"level":"WARN","msg":"slow commit","took":\d+,"commands":\d+,"events":1}`)
	if log := lines.String(); status != 201 || !about.MatchString(log) {
		t.Errorf("%d, and the log is %s", status, log)
	}
}
