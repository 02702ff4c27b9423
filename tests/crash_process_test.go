package tests

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for a process or a page. It is no measure of speed.
const patience = 30 * time.Second

// process is a running program of ours.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	url    string
	line   string // the line on standard output that had the URL
	stderr *shared
	exited chan struct{}
	err    error // of Wait; to be read after exited
}

// shared is a buffer that is read while the process writes.
type shared struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

var urlInLine = regexp.MustCompile(`http://[^\s)]+`)

// launch starts a command and waits for the line that says where it listens. It is killed with
// the test if it still runs.
func launch(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	p, err := tryLaunch(t, cmd)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func tryLaunch(t *testing.T, cmd *exec.Cmd) (*process, error) {
	t.Helper()
	p := &process{t: t, cmd: cmd, stderr: &shared{}, exited: make(chan struct{})}
	cmd.Env = append(withoutParley(os.Environ()), cmd.Env...)
	cmd.Stderr = p.stderr
	stdout, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout = write
	if err := errors.Join(cmd.Start(), write.Close()); err != nil {
		return nil, errors.Join(err, stdout.Close())
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(p.kill)
	first := make(chan string, 1)
	go func() {
		defer func() { _ = stdout.Close() }()
		in := bufio.NewReader(stdout)
		line, _ := in.ReadString('\n')
		first <- line
		_, _ = io.Copy(io.Discard, in)
	}()
	select {
	case p.line = <-first:
	case <-time.After(patience):
		return nil, fmt.Errorf("no line after %v\n%s", patience, p.stderr)
	}
	p.url = urlInLine.FindString(p.line)
	if p.url == "" {
		p.wait()
		return nil, fmt.Errorf("no URL in %q; %v\n%s", p.line, p.err, p.stderr)
	}
	return p, nil
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

// unlimited are the flags for senders that are no people.
var unlimited = []string{"--rate-limit", "off"}

// serve starts a server with its data in dir.
func serve(t *testing.T, program, dir, addr string, more ...string) *process {
	t.Helper()
	p := launch(t, exec.Command(program, append([]string{"serve", "--addr", addr, "--data", dir}, more...)...))
	if !strings.HasSuffix(p.url, addr) && !strings.HasSuffix(addr, ":0") {
		t.Fatalf("%q does not name %s", p.line, addr)
	}
	return p
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v: %v\n%s", s, err, p.stderr)
	}
}

// kill ends it as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone
	<-p.exited
}

// wait gives the exit code.
func (p *process) wait() int {
	p.t.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.t.Errorf("the process does not end\n%s", p.stderr)
		p.kill()
	}
	return p.cmd.ProcessState.ExitCode()
}

// freePort finds a port for a server that is started again and again. It is none of those that the
// system hands out to outgoing connections, one of which could take it while the server is down.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 20_000+rand.IntN(10_000))
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

// eventually tries until it works.
func eventually(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

// dropConnections lets go of connections to servers that are gone.
func dropConnections() { plain.CloseIdleConnections() }
