package tests

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"parley/tests/harness"
)

// terminal is where somebody types: a home of their own, and a server that the commands go to.
type terminal struct {
	t   *testing.T
	env []string
}

func newTerminal(t *testing.T, server string) *terminal {
	t.Helper()
	home := t.TempDir()
	return &terminal{t, []string{
		asProgram + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home + "/config",
		"TZ=UTC", "PARLEY_SERVER=" + server,
	}}
}

// as is the same terminal with the user's token in the environment.
func (x *terminal) as(u *harness.User) *terminal { return x.with("PARLEY_TOKEN=" + u.Token) }

func (x *terminal) with(variables ...string) *terminal {
	return &terminal{x.t, append(append([]string{}, x.env...), variables...)}
}

func (x *terminal) command(args ...string) *exec.Cmd {
	x.t.Helper()
	self, err := os.Executable()
	if err != nil {
		x.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(x.t.Context(), 2*patience)
	x.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env = x.env
	return cmd
}

// ran is what came of a command.
type ran struct {
	code           int
	stdout, stderr string
}

// run runs a command to its end.
func (x *terminal) run(input string, args ...string) ran {
	x.t.Helper()
	cmd := x.command(args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &stdout, &stderr
	_ = cmd.Run()
	return ran{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

func (r ran) want(t *testing.T, code int, stdout, stderr string) ran {
	t.Helper()
	if r.code != code || !strings.Contains(r.stdout, stdout) || !strings.Contains(r.stderr, stderr) {
		t.Errorf("exit code %d\nstdout %s\nstderr %s\nwant %d, %q, %q", r.code, r.stdout, r.stderr, code, stdout, stderr)
	}
	return r
}

// running is a command that goes on.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.ReadCloser
	lines  chan string // closed at the end
	stderr *shared
}

func (x *terminal) start(args ...string) *running {
	x.t.Helper()
	r := x.open(args...)
	go func() {
		defer close(r.lines)
		for in := bufio.NewReader(r.out); ; {
			line, err := in.ReadString('\n')
			if err != nil {
				if line != "" {
					r.lines <- line + " (cut off)"
				}
				return
			}
			r.lines <- strings.TrimSuffix(line, "\n")
		}
	}()
	return r
}

// open is start for who reads out themselves.
func (x *terminal) open(args ...string) *running {
	x.t.Helper()
	r := &running{t: x.t, cmd: x.command(args...), lines: make(chan string, 100_000), stderr: &shared{}}
	r.cmd.Stderr = r.stderr
	var err error
	if r.in, err = r.cmd.StdinPipe(); err != nil {
		x.t.Fatal(err)
	}
	out, write, err := os.Pipe()
	if err != nil {
		x.t.Fatal(err)
	}
	r.out, r.cmd.Stdout = out, write
	if err := r.cmd.Start(); err != nil {
		x.t.Fatal(err)
	}
	_ = write.Close()
	x.t.Cleanup(func() {
		if r.cmd.ProcessState == nil {
			_ = r.cmd.Process.Kill()
			_ = r.cmd.Wait()
		}
		_ = out.Close()
	})
	return r
}

// next waits for a line.
func (r *running) next() string {
	r.t.Helper()
	select {
	case line, more := <-r.lines:
		if !more {
			r.t.Fatalf("the output has ended\n%s", r.stderr)
		}
		return line
	case <-time.After(patience):
		r.t.Fatalf("no line after %v\n%s", patience, r.stderr)
		return ""
	}
}

// says waits for words on standard error.
func (r *running) says(words string) {
	r.t.Helper()
	harness.Eventually(r.t, "parley says "+words, func() bool { return strings.Contains(r.stderr.String(), words) })
}

// end closes the input, waits for the exit code and gives what was still printed.
func (r *running) end() (code int, rest []string) {
	r.t.Helper()
	_ = r.in.Close() // it may have ended by itself
	return r.wait()
}

// signalled is the end after a signal, with the input open.
func (r *running) signalled(s os.Signal) (code int, rest []string) {
	r.t.Helper()
	if err := r.cmd.Process.Signal(s); err != nil {
		r.t.Fatal(err)
	}
	return r.wait()
}

// wait waits for the exit code and gives what was still printed.
func (r *running) wait() (code int, rest []string) {
	r.t.Helper()
	for line := range r.lines {
		rest = append(rest, line)
	}
	_ = r.cmd.Wait()
	return r.cmd.ProcessState.ExitCode(), rest
}
