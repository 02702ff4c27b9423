package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	starting = time.Minute      // for a child to say where it listens
	ending   = 15 * time.Second // for a child to end by itself, before it is killed
)

// child is a process that is measured. It is ended by stop, and by the end of the context it was started with.
type child struct {
	name   string
	cmd    *exec.Cmd
	addr   string // host:port
	cancel context.CancelFunc
	exited chan struct{}
	err    error // of its end; to be read after exited
	said   *lastWords
}

// startChild starts a program. Where addr is empty, the first line of its output has its URL; else it is waited for there.
func startChild(ctx context.Context, name, addr, program string, args, environ []string) (*child, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := &child{name: name, addr: addr, cancel: cancel, exited: make(chan struct{}), said: &lastWords{}}
	c.cmd = exec.CommandContext(ctx, program, args...) //nolint:gosec // this very program, or what its caller named
	c.cmd.Cancel = func() error { return c.cmd.Process.Signal(syscall.SIGTERM) }
	c.cmd.WaitDelay = ending
	c.cmd.Env, c.cmd.Stderr = environ, c.said
	stdout, write, err := os.Pipe()
	if err != nil {
		cancel()
		return nil, err
	}
	c.cmd.Stdout = write
	if err := errors.Join(c.cmd.Start(), write.Close()); err != nil {
		cancel()
		return nil, fmt.Errorf("start %s: %w", name, errors.Join(err, stdout.Close()))
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.exited)
	}()
	lines := make(chan string, 1)
	go readFirst(stdout, lines)
	if err := c.ready(ctx, lines); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w: %s", name, err, c.said), c.stop())
	}
	return c, nil
}

// readFirst gives the first line, and reads on so that nobody waits.
func readFirst(r io.ReadCloser, line chan<- string) {
	defer func() { _ = r.Close() }()
	in := bufio.NewReader(r)
	text, _ := in.ReadString('\n') // of a child that says nothing it is empty
	line <- text
	_, _ = io.Copy(io.Discard, in)
}

// ready waits until the child lets somebody in.
func (c *child) ready(ctx context.Context, lines <-chan string) error {
	ctx, cancel := context.WithTimeout(ctx, starting)
	defer cancel()
	if c.addr == "" {
		select {
		case line := <-lines:
			_, rest, _ := strings.Cut(line, "http://")
			c.addr, _, _ = strings.Cut(strings.TrimSpace(rest), " ")
		case <-ctx.Done():
			return ctx.Err()
		}
		if c.addr == "" {
			return errors.New("it does not say where it listens")
		}
	}
	for {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, "tcp", c.addr)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-c.exited:
			return errors.New("it ended")
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return err
		}
	}
}

// stop ends it and waits. An end that it had not been told is an error.
func (c *child) stop() error {
	select {
	case <-c.exited:
		c.cancel()
		return fmt.Errorf("%s ended by itself: %w: %s", c.name, c.err, c.said)
	default:
	}
	c.cancel()
	<-c.exited
	return nil
}

func (c *child) address() string { return c.addr }

// lastWords keeps the end of what a child says on standard error.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (w *lastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	if over := len(w.text) - 2000; over > 0 {
		w.text = append(w.text[:0], w.text[over:]...)
	}
	return len(p), nil
}

// String implements fmt.Stringer.
func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.TrimSpace(string(w.text))
}
