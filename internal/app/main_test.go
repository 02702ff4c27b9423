package app

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test's own binary the program.
const asProgram = "TEST_AS_PROGRAM"

// process is the program, started.
type process struct {
	cmd    *exec.Cmd
	line   string // its first line on stdout
	stderr bytes.Buffer
}

// program prepares the program with an environment of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = []string{asProgram + "=1", "PATH=" + os.Getenv("PATH")}
	cmd.Dir = t.TempDir()
	return cmd
}

// startProgram starts it and waits for its first line.
func startProgram(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: program(t, args...)}
	p.cmd.Stderr = &p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if p.line, err = bufio.NewReader(stdout).ReadString('\n'); err != nil {
		_ = p.cmd.Wait()
		t.Fatalf("no line on stdout: %v\n%s", err, p.stderr.String())
	}
	return p
}

// wait gives the exit code.
func (p *process) wait(t *testing.T) int {
	t.Helper()
	err := p.cmd.Wait()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

func (p *process) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

var firstLine = regexp.MustCompile(
	`^Parley listens on (http://127\.0\.0\.1:\d+) — try: curl (http://127\.0\.0\.1:\d+)/readyz \(API: /docs, tour: README\.md\)\n$`)

func TestProgramStopsGracefully(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p := startProgram(t, "--addr=127.0.0.1:0")
		match := firstLine.FindStringSubmatch(p.line)
		if match == nil {
			t.Fatalf("the first line is %q", p.line)
		}
		if status, _ := call(t, "GET", match[1]+"/readyz", "", nil); status != 200 {
			t.Errorf("readyz: %d", status)
		}
		p.signal(t, signal)
		if code := p.wait(t); code != exitOK {
			t.Errorf("%v: exit code %d\n%s", signal, code, p.stderr.String())
		}
		if _, err := os.Stat(filepath.Join(p.cmd.Dir, "data", "parley.db")); err != nil {
			t.Errorf("%v: %v", signal, err)
		}
	}
}

// A request that never ends would hold a graceful stop up for seconds.
func TestProgramEndsAtOnceByASecondSignal(t *testing.T) {
	t.Parallel()
	p := startProgram(t, "--addr=127.0.0.1:0")
	url := firstLine.FindStringSubmatch(p.line)[1]
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "POST /v1/register HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"+
		"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err != nil { // the server reads the body
		t.Fatal(err)
	}
	p.signal(t, syscall.SIGTERM)
	for { // until the listener is closed, which is after the first signal was taken
		extra, err := net.Dial("tcp", conn.RemoteAddr().String())
		if err != nil {
			break
		}
		_ = extra.Close()
	}
	began := time.Now()
	p.signal(t, syscall.SIGTERM)
	if code := p.wait(t); code != exitFailure {
		t.Errorf("exit code %d\n%s", code, p.stderr.String())
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("took %v", took)
	}
}

func TestProgramSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	inUse := t.TempDir()
	open(t, inUse)
	tests := []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--addr=nowhere"}, exitUsage, "--addr: must be HOST:PORT"},
		{[]string{"sing"}, exitUsage, `there is no command "sing"`},
		{[]string{"--addr=" + taken.Addr().String()}, exitFailure, "address already in use"},
		{[]string{"--addr=127.0.0.1:0", "--data=" + file}, exitFailure, file},
		{
			[]string{"--addr=127.0.0.1:0", "--database=postgres://u:hunter2@127.0.0.1:1/x?connect_timeout=1"},
			exitFailure, "connection refused",
		},
		{[]string{"--data=" + inUse}, exitFailure, "another parley process uses this data directory"},
	}
	for _, tt := range tests {
		cmd := program(t, tt.args...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		_ = cmd.Run()
		got := stderr.String()
		if cmd.ProcessState.ExitCode() != tt.code || !strings.HasPrefix(got, "parley: ") ||
			!strings.Contains(got, tt.want) || strings.Count(got, "\n") != 1 || stdout.Len() != 0 {
			t.Errorf("%q: exit code %d\nstdout %s\nstderr %s", tt.args, cmd.ProcessState.ExitCode(), stdout.String(), got)
		}
		if strings.Contains(got, "hunter2") {
			t.Errorf("%q shows the password: %s", tt.args, got)
		}
	}
}

func TestProgramTellsOfUnknownVariables(t *testing.T) {
	t.Parallel()
	cmd := program(t, "--addr=127.0.0.1:0", "--data=/dev/null")
	cmd.Env = append(cmd.Env, "PARLEY_ADRR=:1")
	if out, _ := cmd.CombinedOutput(); !strings.Contains(string(out), "PARLEY_ADRR") {
		t.Errorf("output: %s", out)
	}
}

func TestProgramVersionAndHelp(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if code := Main([]string{"version"}, nil, &stdout, &stderr); code != exitOK ||
		!regexp.MustCompile(`^parley \S+.* go1\.\S+ \w+/\w+\n$`).Match(stdout.Bytes()) {
		t.Errorf("version: %d %q %q", code, stdout.String(), stderr.String())
	}
	stdout.Reset()
	if code := Main([]string{"--help"}, nil, &stdout, &stderr); code != exitOK || !strings.Contains(stdout.String(), "serve") {
		t.Errorf("help: %d %q %q", code, stdout.String(), stderr.String())
	}
	if stderr.Len() != 0 {
		t.Errorf("stderr: %s", stderr.String())
	}
}
