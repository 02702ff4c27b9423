package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	osuser "os/user"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"parley/internal/config"
	"parley/internal/pgtest"
)

// ran is what came of a command.
type ran struct {
	code           int
	stdout, stderr string
}

// parley runs the program to its end, with input.
func parley(t *testing.T, input string, args ...string) ran {
	t.Helper()
	cmd := program(t, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	_ = cmd.Run()
	return ran{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func (r ran) want(t *testing.T, code int, stdout, stderr string) {
	t.Helper()
	if r.code != code || !strings.Contains(r.stdout, stdout) || !strings.Contains(r.stderr, stderr) {
		t.Errorf("exit code %d\nstdout %s\nstderr %s\nwant %d, %q, %q", r.code, r.stdout, r.stderr, code, stdout, stderr)
	}
	if code != exitOK && (strings.Count(r.stderr, "\n") != 1 || !strings.HasPrefix(r.stderr, "parley: ")) {
		t.Errorf("the error is not one line of parley's: %q", r.stderr)
	}
}

const password = "correct horse"

// register makes an account and gives its token.
func register(t *testing.T, a *App, name string) string {
	t.Helper()
	status, login := call(t, "POST", a.URL()+"/v1/register", "", url.Values{"name": {name}, "password": {password}})
	if status != 201 {
		t.Fatalf("register: %d %v", status, login)
	}
	return login["token"].(string)
}

// login tells the status and code of a login.
func login(t *testing.T, a *App, name, password string) (int, any) {
	t.Helper()
	status, body := call(t, "POST", a.URL()+"/v1/login", "", url.Values{"name": {name}, "password": {password}})
	return status, body["code"]
}

// lines opens a stream of lines and gives them until it ends.
func lines(t *testing.T, a *App, token string) <-chan map[string]any {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL()+"/v1/events/ndjson", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	events := make(chan map[string]any, 16)
	t.Cleanup(func() { _ = resp.Body.Close() })
	go func() {
		defer close(events)
		for in := bufio.NewScanner(resp.Body); in.Scan(); {
			var e map[string]any
			if err := json.Unmarshal(in.Bytes(), &e); err != nil {
				t.Error(err)
			}
			events <- e
		}
	}()
	if e := <-events; e["type"] != "ready" {
		t.Fatalf("the stream opens with %v", e)
	}
	return events
}

// What the command does to a running server holds there at once.
func testUserOnARunningServer(t *testing.T, a *App, flags ...string) {
	user := func(args ...string) ran { return parley(t, "", append(append([]string{"user"}, args...), flags...)...) }
	root, ann := register(t, a, "root"), register(t, a, "ann")
	stream := lines(t, a, ann)
	user("role", "ann", "admin").want(t, exitOK, "ann is admin now\n", "")
	if e := <-stream; e["type"] != "user.updated" {
		t.Errorf("the stream has %v", e)
	}
	if status, body := call(t, "GET", a.URL()+"/v1/bans", ann, nil); status != 200 {
		t.Errorf("ann is an admin and gets %d %v", status, body)
	}
	user("ban", "ann").want(t, exitFailure, "", "ann is an admin")
	user("role", "@ann", "member").want(t, exitOK, "ann is member now\n", "")
	if e := <-stream; e["type"] != "user.updated" {
		t.Errorf("the stream has %v", e)
	}
	user("kick", "ann", "--reason=be kind").want(t, exitOK, "ann was kicked", "")
	if e := <-stream; e["type"] != "session.ended" || e["data"].(map[string]any)["reason"] != "kicked" ||
		e["data"].(map[string]any)["detail"] != "be kind" {
		t.Errorf("the stream has %v", e)
	}
	if e, open := <-stream; open {
		t.Errorf("after its end the stream has %v", e)
	}
	if status, _ := call(t, "GET", a.URL()+"/v1/me", ann, nil); status != 401 {
		t.Errorf("the kicked session is answered %d", status)
	}
	user("ban", "ann", "--for=72h", "--reason=spam").want(t, exitOK, ": spam\n", "")
	if status, code := login(t, a, "ann", password); status != 403 || code != "banned" {
		t.Errorf("the banned logs in: %d %v", status, code)
	}
	user("list", "--query=AN").want(t, exitOK, "\tann\tmember\t", "")
	user("unban", "ann").want(t, exitOK, "ann is not banned\n", "")
	user("unban", "ann").want(t, exitOK, "ann is not banned\n", "")
	if status, _ := login(t, a, "ann", password); status != 200 {
		t.Errorf("the forgiven is answered %d", status)
	}
	who, err := osuser.Current()
	if err != nil {
		t.Fatal(err)
	}
	_, audit := call(t, "GET", a.URL()+"/v1/audit", root, nil)
	entries := audit["entries"].([]any)
	if len(entries) != 5 {
		t.Errorf("the audit log has %v", entries)
	}
	for _, e := range entries {
		e := e.(map[string]any)
		if e["via"] != "cli" || e["actor"].(map[string]any)["name"] != who.Username {
			t.Errorf("an entry is %v", e)
		}
	}
}

func TestUserOnARunningServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testUserOnARunningServer(t, open(t, dir), "--data="+dir)
}

func TestUserOnARunningServerWithPostgres(t *testing.T) {
	t.Parallel()
	cfg := testConfig(filepath.Join(t.TempDir(), "made"))
	cfg.Database = config.Secret(pgtest.DSN(t))
	a := openConfig(t, cfg)
	testUserOnARunningServer(t, a, "--data="+cfg.Data)
	closeApp(t, a)
	// Without a server the database is opened, and the operator told of it.
	flags := []string{"--data=" + cfg.Data, "--database=" + cfg.Database.Reveal()}
	list := parley(t, "", append([]string{"user", "list"}, flags...)...)
	list.want(t, exitOK, "\troot\tadmin\t", "no server answers")
	if strings.Contains(list.stderr, "postgres") { // nor what may be in the URL
		t.Errorf("the note names the database: %s", list.stderr)
	}
}

// Without a server the command does the same to the database.
func TestUserWithoutAServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, dir)
	register(t, first, "root")
	token := register(t, first, "ann")
	closeApp(t, first)
	if _, err := os.Lstat(filepath.Join(dir, "parley.sock")); !os.IsNotExist(err) {
		t.Errorf("the stopped server left its socket: %v", err)
	}
	user := func(input string, args ...string) ran {
		return parley(t, input, append(append([]string{"user"}, args...), "--data="+dir)...)
	}
	user("", "role", "ann", "agent").want(t, exitOK, "ann is agent now\n", "")
	user("", "role", "root", "member").want(t, exitFailure, "", "root is the last admin")
	user("new password\nand more\n", "password", "ann").want(t, exitOK, "ann has a new password", "")
	user("short\n", "password", "ann").want(t, exitUsage, "", "password: has 5 bytes")
	user("", "password", "ann").want(t, exitFailure, "", "standard input has no password")
	user("", "kick", "nobody").want(t, exitFailure, "", "no such user")
	var listed struct {
		Name, Role string
		Ban        *struct{ Reason string }
	}
	user("", "ban", "ann", "--until=2999-12-31", "--reason=a\tb").want(t, exitOK, "until 2999-12-31T00:00:00Z: ab\n", "")
	out := user("", "list", "--json", "--query=ann")
	if err := json.Unmarshal([]byte(out.stdout), &listed); err != nil || listed.Name != "ann" ||
		listed.Role != "agent" || listed.Ban == nil || listed.Ban.Reason != "ab" {
		t.Errorf("the list is %s: %+v, %v", out.stdout, listed, err)
	}
	second := open(t, dir)
	if status, _ := call(t, "GET", second.URL()+"/v1/me", token, nil); status != 401 {
		t.Errorf("the session from before the new password is answered %d", status)
	}
	if status, code := login(t, second, "ann", "new password"); status != 403 || code != "banned" {
		t.Errorf("the banned logs in: %d %v", status, code)
	}
	if status, _ := login(t, second, "ann", password); status != 401 {
		t.Errorf("the old password is answered %d", status)
	}
}

// A new password ends what the old one had opened, on a running server too.
func TestUserPasswordOnARunningServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir)
	stream := lines(t, a, register(t, a, "root"))
	parley(t, "battery staple\r\n", "user", "password", "root", "--data="+dir).want(t, exitOK, "root has a new password", "")
	if e := <-stream; e["type"] != "session.ended" || e["data"].(map[string]any)["reason"] != "password" {
		t.Errorf("the stream has %v", e)
	}
	if status, _ := login(t, a, "root", "battery staple"); status != 200 {
		t.Errorf("the new password is answered %d", status)
	}
	if status, guest := call(t, "POST", a.URL()+"/v1/guest", "", url.Values{"name": {"eve"}}); status != 201 {
		t.Fatalf("guest: %d %v", status, guest)
	}
	parley(t, "battery staple", "user", "password", "eve", "--data="+dir).want(t, exitFailure, "", "eve is a guest")
	parley(t, "", "user", "role", "eve", "member", "--data="+dir).want(t, exitFailure, "", "eve is a guest")
}

func TestUserSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{}, exitUsage, "expected one of"},
		{[]string{"sing"}, exitUsage, "unexpected argument sing"},
		{[]string{"list"}, exitFailure, "there is no database"},
		{[]string{"list", "--data="}, exitUsage, "--data: must name a directory"},
		{[]string{"list", "--database=mysql://u:hunter2@h/x"}, exitUsage, "--database: must be a URL"},
		{[]string{"role", "ann"}, exitUsage, "<role>"},
		{[]string{"role", "ann", "guest"}, exitUsage, "<role> must be one of"},
		{[]string{"kick", ""}, exitUsage, "NAME: must not be empty"},
		{[]string{"ban", "ann", "--until=soon"}, exitUsage, "--until: must be a time"},
		{[]string{"ban", "ann", "--for=-1h"}, exitUsage, "--for: must be 0 or at least 1s"},
		{[]string{"ban", "ann", "--for=1h", "--until=2999-01-01"}, exitUsage, "can't be used together"},
	} {
		r := parley(t, "", append([]string{"user", "--data=" + empty}, tt.args...)...)
		r.want(t, tt.code, "", tt.want)
		if strings.Contains(r.stderr, "hunter2") {
			t.Errorf("%q shows the password: %s", tt.args, r.stderr)
		}
	}
	if entries, err := os.ReadDir(empty); err != nil || len(entries) != 0 {
		t.Errorf("looking made %v, %v", entries, err)
	}
}

// Only the server's own account may open the socket, from the moment on that it is there.
func TestControlSocketIsPrivate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { // the socket must not rely on it
		t.Fatal(err)
	}
	open(t, dir)
	info, err := os.Lstat(filepath.Join(dir, "parley.sock"))
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("the socket is %v, %v", info, err)
	}
}

// A killed server's socket is in nobody's way.
func TestControlSocketOfAKilledServer(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "--addr=127.0.0.1:0")
	dir := filepath.Join(p.cmd.Dir, "data")
	p.signal(t, syscall.SIGKILL)
	p.wait(t)
	if _, err := os.Lstat(filepath.Join(dir, "parley.sock")); err != nil {
		t.Fatal(err)
	}
	parley(t, "", "user", "list", "--data="+dir).want(t, exitOK, "", "")
	a := open(t, dir)
	register(t, a, "root")
	parley(t, "", "user", "list", "--data="+dir).want(t, exitOK, "\troot\tadmin\t", "")
}

// A path that is too long for a socket works all the same, where the system has a way.
func TestControlSocketWithALongPath(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("this system has no short names for directories")
	}
	dir := filepath.Join(t.TempDir(), strings.Repeat("long/", 40))
	a := open(t, dir)
	register(t, a, "root")
	parley(t, "", "user", "list", "--data="+dir).want(t, exitOK, "\troot\tadmin\t", "")
	closeApp(t, a)
	if _, err := os.Lstat(filepath.Join(dir, "parley.sock")); !os.IsNotExist(err) {
		t.Errorf("the stopped server left its socket: %v", err)
	}
}

// What is no socket is not taken away, and does not keep the server from serving.
func TestControlSocketInTheWay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := filepath.Join(dir, "parley.sock")
	if err := os.WriteFile(name, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	a := open(t, dir)
	if status, _ := call(t, "GET", a.URL()+"/readyz", "", nil); status != 200 {
		t.Errorf("readyz: %d", status)
	}
	closeApp(t, a)
	if text, err := os.ReadFile(name); err != nil || string(text) != "mine" {
		t.Errorf("the file is %q, %v", text, err)
	}
}

func TestTwoCommandsAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := open(t, dir)
	register(t, a, "root")
	register(t, a, "ann")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			parley(t, "", "user", "ban", "ann", "--data="+dir).want(t, exitOK, "ann is banned until lifted", "")
			parley(t, "", "user", "list", "--data="+dir).want(t, exitOK, "\tann\t", "")
		})
	}
	// Somebody who opens the socket and says nothing holds up nobody.
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "unix", filepath.Join(dir, "parley.sock"))
	if err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if _, err := io.WriteString(conn, "nonsense\r\n\r\n"); err != nil {
		t.Error(err)
	}
	if answer, err := io.ReadAll(conn); err != nil || !strings.Contains(string(answer), "400") {
		t.Errorf("nonsense is answered %q, %v", answer, err)
	}
	_ = conn.Close()
}
