package tests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"parley/client"
)

// testBackupOfACrash copies what a killed server left, with its write-ahead log, and goes on with the copy.
func testBackupOfACrash(t *testing.T, program string) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dir, other := t.TempDir(), t.TempDir()
	file := filepath.Join(t.TempDir(), "copy.db")
	server := serve(t, program, dir, "127.0.0.1:0")
	crowd := &town{server: server.url, http: plainHTTP, ledger: newLedger()}
	if err := crowd.settle(ctx, 1, 2, rand.Uint64()); err != nil {
		t.Fatal(err)
	}
	said := crowd.say(ctx, t, "before the crash")
	server.kill()
	dropConnections()
	line := must(t, "backup", file, "--data", dir)
	if headOf(t, line) < said {
		t.Errorf("message %d was answered: %s", said, line)
	}
	must(t, "check", file)
	must(t, "restore", file, "--data", other)
	server = serve(t, program, other, "127.0.0.1:0")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.url+"/v1/rooms/lobby/messages", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+crowd.people[0].Token())
	got, err := plainHTTP.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = got.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(got.Body); err != nil || !strings.Contains(body.String(), "before the crash") {
		t.Errorf("the copy has %s %v", body.String(), err)
	}
	server.signal(syscall.SIGTERM)
	if code := server.wait(); code != 0 {
		t.Errorf("exit code %d\n%s", code, server.stderr)
	}
}

func (t *town) say(ctx context.Context, tb testing.TB, text string) (id int64) {
	tb.Helper()
	m, err := t.people[0].Send(ctx, client.SendRequest{Text: text})
	if err != nil {
		tb.Fatal(err)
	}
	return m.ID
}

// onFullDisk runs the program where no file can grow beyond some blocks of 512 or 1024 bytes, as on a full disk.
func onFullDisk(t *testing.T, blocks int, program string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	script := fmt.Sprintf(`ulimit -f %d; exec "$0" "$@"`, blocks)
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", script, program}, args...)...)
	cmd.Env = withoutParley(os.Environ())
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), complaint.String()
}

// testCareOnAFullDisk: a backup that does not fit leaves nothing, a restore leaves what was there, a server that
// cannot start says so, and all of it works once there is room.
func testCareOnAFullDisk(t *testing.T, program string) {
	dir, out := t.TempDir(), t.TempDir()
	file, small := filepath.Join(out, "copy.db"), filepath.Join(out, "small.db")
	server := serve(t, program, dir, "127.0.0.1:0")
	crowd := &town{server: server.url, http: plainHTTP, ledger: newLedger()}
	if err := crowd.settle(t.Context(), 1, 2, rand.Uint64()); err != nil {
		t.Fatal(err)
	}
	fails := func(blocks int, args ...string) {
		t.Helper()
		code, stdout, stderr := onFullDisk(t, blocks, program, args...)
		if code != 1 || stdout != "" || !strings.HasPrefix(stderr, "parley: ") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("parley %v on a full disk: %d %q %q", args, code, stdout, stderr)
		}
		t.Logf("%v: %s", args, stderr)
	}
	for _, blocks := range []int{0, 10, 100} { // not a byte, some of it, most of it
		fails(blocks, "backup", file, "--data", dir)
		if left, err := os.ReadDir(out); err != nil || len(left) > 0 {
			t.Errorf("left over: %v %v", left, err)
		}
	}
	must(t, "backup", small, "--data", dir)
	server.signal(syscall.SIGTERM)
	server.wait()
	before := filesOf(t, dir)
	fails(100, "restore", small, "--data", dir, "--force")
	if after := filesOf(t, dir); !slices.Equal(before, after) {
		t.Errorf("a restore that failed left %v of %v", after, before)
	}
	fails(0, "serve", "--addr", "127.0.0.1:0", "--data", dir)
	fails(0, "serve", "--addr", "127.0.0.1:0", "--data", t.TempDir())

	server = serve(t, program, dir, "127.0.0.1:0")
	must(t, "check", "--data", dir)
	server.signal(syscall.SIGTERM)
	server.wait()
	dropConnections()
}

func filesOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
