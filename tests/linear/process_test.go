package linear

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
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait for a process. It is no measure of speed.
const patience = time.Minute

// build makes the program once for all tests.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "parley")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// server is a process that is killed and started again at the same address, with the same data.
type server struct {
	t      *testing.T
	args   []string
	cmd    *exec.Cmd
	exited chan struct{}
	said   *lines
}

// lines is what a process complains of.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// start runs the program and waits for the line that says where it listens.
func (s *server) start() error {
	s.cmd, s.exited, s.said = exec.Command(s.args[0], s.args[1:]...), make(chan struct{}), &lines{}
	s.cmd.Env = withoutParley(os.Environ())
	s.cmd.Stderr = s.said
	stdout, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	s.cmd.Stdout = write
	if err := errors.Join(s.cmd.Start(), write.Close()); err != nil {
		return errors.Join(err, stdout.Close())
	}
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait() // a kill is an error
		close(exited)
	}(s.cmd, s.exited)
	listens := make(chan string, 1)
	go func() {
		defer func() { _ = stdout.Close() }()
		in := bufio.NewReader(stdout)
		line, _ := in.ReadString('\n')
		listens <- line
		_, _ = io.Copy(io.Discard, in)
	}()
	select {
	case line := <-listens:
		if !strings.Contains(line, "http://") {
			<-s.exited
			return fmt.Errorf("start the server: it says %q\n%s", line, s.said)
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("start the server: it says nothing\n%s", s.said)
	}
}

// end stops it with a signal. It is none of the test's business how long that takes.
func (s *server) end(signal syscall.Signal) error {
	if err := s.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %v: %w", signal, err)
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(patience):
		_ = s.cmd.Process.Kill() // what is wrong is said already
		return fmt.Errorf("%v does not end the server\n%s", signal, s.said)
	}
}

// serve starts a server of its own for a test, which ends it.
func serve(t *testing.T, program string, more ...string) (s *server, url string) {
	t.Helper()
	addr := freePort(t)
	s = &server{t: t, args: append([]string{
		program, "serve", "--addr", addr, "--data", t.TempDir(), "--rate-limit", "off",
	}, more...)}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.end(syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	})
	return s, "http://" + addr
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

// freePort finds a port for a server that is started again and again: none of those that the system hands out to
// outgoing connections, one of which could take it while the server is down.
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

// door is where clients wait while the server is down.
type door struct {
	mu   sync.Mutex
	open chan struct{} // closed while the server listens
}

func (d *door) shut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open = make(chan struct{})
}

func (d *door) reopen() {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.open)
}

func (d *door) wait(ctx context.Context) error {
	d.mu.Lock()
	open := d.open
	d.mu.Unlock()
	select {
	case <-open:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
