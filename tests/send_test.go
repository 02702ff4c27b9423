package tests

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// saidIn are the texts of a room.
func saidIn(u *harness.User, room string) (all []string) {
	for _, m := range u.History(room) {
		all = append(all, m.Text)
	}
	return all
}

func TestSend(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	ann.Room("kitchen", "public")
	x := newTerminal(t, s.URL()).as(bob)

	id := x.run("", "send", "hello", "there").want(t, 0, "\n", "").stdout
	if history := bob.History("lobby"); fmt.Sprintln(history[0].ID) != id || history[0].Sender.ID != bob.ID {
		t.Errorf("the id is %q, the history %+v", id, history)
	}
	x.run("你好，世界", "send").want(t, 0, "", "")          // no newline at the end
	x.run("一行\r\n两行\n", "send").want(t, 0, "", "")     // one that does not count
	x.run("", "send", "--", "--to").want(t, 0, "", "") // a text like a flag
	if got, want := saidIn(bob, "lobby"), []string{"hello there", "你好，世界", "一行\r\n两行", "--to"}; !slices.Equal(got, want) {
		t.Errorf("the lobby has %q, want %q", got, want)
	}

	x.run("", "send", "--to", "@ann", "悄悄话").want(t, 0, "", "")
	if got := saidIn(ann, "@bob"); !slices.Equal(got, []string{"悄悄话"}) {
		t.Errorf("the conversation has %q", got)
	}
	x.run("", "send", "--to", "#kitchen", "hi").want(t, 1, "", "parley: ")
	var m client.Message
	r := x.run("", "send", "--to", "#kitchen", "--join", "--json", "<hi>").want(t, 0, `"text":"<hi>"`, "")
	if err := json.Unmarshal([]byte(r.stdout), &m); err != nil || m.Text != "<hi>" || strings.Count(r.stdout, "\n") != 1 {
		t.Errorf("%s: %v", r.stdout, err)
	}
}

func TestSendSaysNo(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	x := newTerminal(t, s.URL())
	for _, tt := range []struct {
		x     *terminal
		input string
		args  []string
		code  int
		want  string
	}{
		{x.as(ann), "", []string{"hi", "--to=nowhere"}, 1, "no such room"},
		{x.as(ann), "", []string{"hi", "--to=@nobody"}, 1, "no such"},
		{x.as(ann), "", []string{strings.Repeat("x", 20_000)}, 1, "text"},
		{x.as(ann), "", nil, 1, "there is no text"},
		{x.as(ann), "\n", nil, 1, "there is no text"},
		{x.as(ann), "\xc4\xe3\xba\xc3", nil, 1, "not UTF-8"}, // 你好 in GBK
		{x.as(ann), strings.Repeat("x", 2<<20), nil, 1, "longer than"},
		{x.as(ann), "a\n" + strings.Repeat("x", 2<<20), []string{"--lines"}, 1, "line 2: the text is longer than"},
		{x.as(ann), "", []string{"hi", "--to="}, 2, "--to: must be a channel"}, // an unset variable is not the lobby
		{x.as(ann), "", []string{"hi", "--to=@"}, 2, "--to: must be a channel"},
		{x.as(ann), "", []string{"hi", "--lines"}, 2, "--lines: goes without a TEXT"},
		{x.as(ann), "", []string{"hi", "--join"}, 2, "--join: goes with --to"},
		{x.as(ann), "", []string{"hi", "--login=ann"}, 2, "PARLEY_TOKEN (flag --token): goes without --login"},
		{x.as(ann), "", []string{"hi", "--nonce=" + strings.Repeat("n", 65)}, 2, "--nonce: must have at most 64"},
		{x.as(ann), "", []string{"hi", "--timeout=1ms"}, 2, "--timeout: must be 0 or at least 1s"},
		{x, "", []string{"hi", "--server=localhost"}, 2, "--server: must be a URL"},
		{x, "", []string{"hi", "--server=http://u:hunter2@h"}, 2, "--server: must be a URL"},
		{x, "", []string{"hi"}, 1, "no session is kept for " + s.URL() + ": log in by parley chat or --login NAME, come with --guest, or set PARLEY_TOKEN"},
		{x.with("PARLEY_TOKEN=wrong"), "", []string{"hi"}, 1, "the session has ended, or the token is wrong: log in"},
		{x.with("PARLEY_TOKEN=a b"), "", []string{"hi"}, 2, "has characters that no token has"},
		{x.with("PARLEY_PASSWORD=hunter2-no"), "", []string{"hi", "--login=ann"}, 1, "password"},
	} {
		r := tt.x.run(tt.input, append([]string{"send"}, tt.args...)...).want(t, tt.code, "", tt.want)
		if strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "parley: ") || strings.Contains(r.stderr, "hunter2") {
			t.Errorf("%.50q: the error is %q", tt.args, r.stderr)
		}
	}
	if got := saidIn(ann, "lobby"); !slices.Equal(got, []string{"a"}) { // before the long line
		t.Errorf("the lobby has %q", got)
	}
}

// Who logs in once, or comes as a guest, is that account in later calls. The token is seen by nobody.
func TestSendKeepsTheSession(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	x := newTerminal(t, s.URL())
	var printed string
	run := func(x *terminal, args ...string) {
		t.Helper()
		r := x.run("", append([]string{"send"}, args...)...).want(t, 0, "\n", "")
		printed += r.stdout + r.stderr
	}
	run(x, "--guest", "a guest")
	run(x, "--guest", "the same")
	run(x, "and again")
	run(x.with("PARLEY_PASSWORD="+harness.Password), "--login=ann", "ann")
	run(x, "ann again")
	run(x.with("PARLEY_SERVER="), "ann where she was last") // the server of the session
	history := ann.History("lobby")
	if len(history) != 6 {
		t.Fatalf("the lobby has %+v", history)
	}
	for i, m := range history {
		if (m.Sender.ID == ann.ID) != (i >= 3) || i < 3 && m.Sender.ID != history[0].Sender.ID {
			t.Errorf("%s is by %s", m.Text, m.Sender.Name)
		}
	}
	files, err := filepath.Glob(strings.TrimPrefix(x.env[3], "XDG_CONFIG_HOME=") + "/parley/sessions/*")
	if err != nil || len(files) != 1 {
		t.Fatalf("%q, %v", files, err)
	}
	content, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	var saved struct{ Token, Name string }
	if err := json.Unmarshal(content, &saved); err != nil || saved.Name != "ann" || saved.Token == "" || strings.Contains(printed, saved.Token) {
		t.Errorf("%+v, %v; printed %s", saved.Name, err, printed)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	// A token is never taken to where one happened to be last.
	elsewhere := x.with("PARLEY_SERVER=", "PARLEY_TOKEN="+ann.Token).run("", "send", "--timeout=1s", "hi")
	if got := len(ann.History("lobby")); got != 6 {
		t.Errorf("the token went to the last server: %+v", elsewhere)
	}
}

func TestSendLines(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	x := newTerminal(t, s.URL()).as(ann)
	r := x.start("send", "--lines")
	for i, line := range []string{"第一行\n", "\nsecond\r\n"} { // each is sent before the next comes
		if _, err := io.WriteString(r.in, line); err != nil {
			t.Fatal(err)
		}
		if id := r.next(); fmt.Sprint(ann.History("lobby")[i].ID) != id {
			t.Errorf("line %d has id %s", i, id)
		}
	}
	if _, err := io.WriteString(r.in, "the end"); err != nil {
		t.Fatal(err)
	}
	if code, rest := r.end(); code != 0 || len(rest) != 1 {
		t.Errorf("exit code %d, %q\n%s", code, rest, r.stderr)
	}
	want := []string{"第一行", "second", "the end"}
	if got := saidIn(ann, "lobby"); !slices.Equal(got, want) {
		t.Errorf("the lobby has %q", got)
	}
	// With a nonce the whole can be given again.
	first := x.run("a\nb\n", "send", "--lines", "--nonce=n").want(t, 0, "", "")
	if again := x.run("a\nb\nc\n", "send", "--lines", "--nonce=n").want(t, 0, first.stdout, ""); strings.Count(again.stdout, "\n") != 3 {
		t.Errorf("printed %q, then %q", first.stdout, again.stdout)
	}
	x.run("a\nx\n", "send", "--lines", "--nonce=n").want(t, 1, "", "line 2: ")
	if got := saidIn(ann, "lobby"); !slices.Equal(got, append(want, "a", "b", "c")) {
		t.Errorf("the lobby has %q", got)
	}
	// Who waits for input can be stopped.
	waiting := x.start("send", "--lines")
	if _, err := io.WriteString(waiting.in, "z\n"); err != nil {
		t.Fatal(err)
	}
	waiting.next()
	if code, _ := waiting.signalled(syscall.SIGINT); code != 75 {
		t.Errorf("exit code %d\n%s", code, waiting.stderr)
	}
}

// A message is stored once, whatever becomes of the server and of its answers meanwhile.
func TestSendOnce(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Flags("--addr", freePort(t)))
	ann := s.User("ann")
	x := newTerminal(t, s.URL()).as(ann)
	s.Stop()
	r := x.start("send", "--timeout=0", "patience")
	r.says("trying again")
	s.Restart()
	if code, _ := r.end(); code != 0 {
		t.Errorf("exit code %d\n%s", code, r.stderr)
	}
	target, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	var tries atomic.Int64
	pass := httputil.NewSingleHostReverseProxy(target)
	way := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tries.Add(1) > 2 {
			pass.ServeHTTP(w, r)
			return
		}
		pass.ServeHTTP(httptest.NewRecorder(), r) // it is done, and nobody hears of it
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(way.Close)
	x.with("PARLEY_SERVER="+way.URL).run("", "send", "once").want(t, 0, "\n", "trying again")
	if got := saidIn(ann, "lobby"); !slices.Equal(got, []string{"patience", "once"}) || tries.Load() != 3 {
		t.Errorf("after %d tries the lobby has %q", tries.Load(), got)
	}
}

// Where patience ends first, the exit code says that nothing is known, and the nonce how to find out.
func TestSendUnfinished(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	x := newTerminal(t, s.URL()).as(ann)
	held, release := s.HoldOne(harness.Commit)
	r := x.start("send", "--timeout=0", "--nonce=mine", "slow")
	<-held
	if code, _ := r.signalled(syscall.SIGTERM); code != 75 || !strings.Contains(r.stderr.String(), "with --nonce mine it is not stored twice") {
		t.Errorf("exit code %d\n%s", code, r.stderr)
	}
	release()
	x.run("", "send", "--nonce=mine", "slow").want(t, 0, "\n", "")
	if got := saidIn(ann, "lobby"); !slices.Equal(got, []string{"slow"}) {
		t.Errorf("the lobby has %q", got)
	}
	s.Break()
	x.run("", "send", "--timeout=1s", "broken").want(t, 75, "", "no answer in 1s: the message may be stored or not")
	s.Mend()
	nobody := newTerminal(t, "http://127.0.0.1:1").run("", "send", "--guest", "--timeout=1s", "hi")
	nobody.want(t, 75, "", "no answer in 1s: nothing was sent")
}
