package faults

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for what has to happen soon. It is no measure of speed.
const patience = 2 * time.Minute

// server is a real process that is started again and again at one address.
type server struct {
	t     *testing.T
	db    *database
	addr  string
	flags []string
	log   string // a file

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
	lives  int
}

// newServer starts one. It is killed with the test if it still runs.
func newServer(t *testing.T, db *database, flags ...string) *server {
	t.Helper()
	name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
	s := &server{
		t: t, db: db, addr: freePort(t), log: filepath.Join(suite.logs, name+".log"),
		flags: append(flags, "--rate-limit", "off", "--pprof-addr", "127.0.0.1:0"),
	}
	t.Cleanup(s.kill)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the seed is %d, the server's log %s", suite.seed, s.log)
		}
	})
	s.start()
	return s
}

func (s *server) url() string { return "http://" + s.addr }

// start runs the program and waits for the line that says where it listens.
func (s *server) start(more ...string) {
	s.t.Helper()
	args := append([]string{"serve", "--addr", s.addr}, s.db.flags()...)
	cmd := exec.Command(suite.program, append(append(args, s.flags...), more...)...)
	cmd.Env = withoutParley(os.Environ())
	out, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatalf("open the server's log: %v", err)
	}
	defer func() { _ = out.Close() }() // the process has its own
	cmd.Stderr = out
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("start the server: %v", err)
	}
	exited, first := make(chan struct{}), make(chan string, 1)
	go func() {
		in := bufio.NewReader(stdout)
		line, _ := in.ReadString('\n')
		first <- line
		_, _ = io.Copy(io.Discard, in)
		_ = cmd.Wait() // the exit code is looked at where it matters
		close(exited)
	}()
	s.mu.Lock()
	s.cmd, s.exited = cmd, exited
	s.lives++
	s.mu.Unlock()
	select {
	case line := <-first:
		if !strings.Contains(line, s.addr) {
			s.t.Fatalf("the server does not start: %q; see %s\n%s", line, s.log, tail(s.log))
		}
	case <-time.After(patience):
		s.t.Fatalf("the server does not start: see %s\n%s", s.log, tail(s.log))
	}
}

func (s *server) process() (*exec.Cmd, chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cmd, s.exited
}

func (s *server) pid() int {
	cmd, _ := s.process()
	return cmd.Process.Pid
}

// kill ends it as a power cut would.
func (s *server) kill() {
	if cmd, exited := s.process(); cmd != nil {
		_ = cmd.Process.Kill() // it may be gone
		<-exited
	}
}

// stop asks it to go, with everything open, and demands that it goes well.
func (s *server) stop() {
	s.t.Helper()
	cmd, exited := s.process()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Errorf("SIGTERM: %v", err)
	}
	select {
	case <-exited:
	case <-time.After(patience):
		s.t.Errorf("the server does not stop: see %s", s.log)
		s.kill()
	}
	if code := cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("SIGTERM: exit code %d, see %s\n%s", code, s.log, tail(s.log))
	}
}

var profiles = regexp.MustCompile(`msg="serving profiles" url=(\S+)`)

// profileURL is where the present process has its profiles.
func (s *server) profileURL() string {
	s.t.Helper()
	text, err := os.ReadFile(s.log)
	all := profiles.FindAllSubmatch(text, -1)
	if err != nil || len(all) == 0 {
		s.t.Fatalf("the log says nothing of profiles: %v", err)
	}
	return string(all[len(all)-1][1])
}

// complaints demands that nothing was logged as an error, nor as a race or a panic.
func (s *server) complaints(allowed ...string) {
	s.t.Helper()
	text, err := os.ReadFile(s.log)
	if err != nil {
		s.t.Error(err)
	}
	n := 0
	for line := range strings.Lines(string(text)) {
		bad := strings.Contains(line, "level=ERROR") || strings.Contains(line, "DATA RACE") || strings.HasPrefix(line, "panic:")
		for _, a := range allowed {
			bad = bad && !strings.Contains(line, a)
		}
		if bad && n < 5 {
			n++
			s.t.Errorf("the server complains: %s", line)
		}
	}
}

// command runs another command of the program, which must succeed.
func (s *server) command(args ...string) string {
	s.t.Helper()
	cmd := exec.Command(suite.program, args...)
	cmd.Env = withoutParley(os.Environ())
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Errorf("parley %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// tail is the end of a file.
func tail(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// withoutParley drops what would configure a server from outside.
func withoutParley(environ []string) (rest []string) {
	for _, v := range environ {
		if !strings.HasPrefix(v, "PARLEY_") {
			rest = append(rest, v)
		}
	}
	return rest
}

// freePort finds a port for a server that is started again and again. It is none of those that the
// system hands out to outgoing connections, one of which could take it while the server is down.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return addr
	}
	t.Fatal("no free port")
	return ""
}
