package tests

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"parley/tests/harness"
)

// tty is `parley chat` in a pseudo-terminal.
type tty struct {
	t      *testing.T
	pty    *os.File
	screen *screen
	raw    *shared // every byte that was written
	exited chan struct{}
	err    error // of Wait; to be read after exited
	home   string
}

// chatAt opens the chat at a size. env are more variables; a HOME among them has its own kept session.
func chatAt(t *testing.T, url string, width, height int, env []string, args ...string) *tty {
	t.Helper()
	x := &tty{t: t, screen: newScreen(width, height), raw: &shared{}, exited: make(chan struct{}), home: t.TempDir()}
	for _, v := range env {
		if home, ok := strings.CutPrefix(v, "HOME="); ok {
			x.home = home
		}
	}
	cmd := program(t, append([]string{"chat", "--server", url}, args...)...)
	cmd.Env = append(cmd.Env, "TERM=xterm-256color", "HOME="+x.home, "XDG_CONFIG_HOME="+x.home+"/config", "TZ=UTC")
	cmd.Env = append(cmd.Env, env...)
	file, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)})
	if err != nil {
		t.Fatal(err)
	}
	x.pty = file
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.Copy(io.MultiWriter(x.screen, x.raw), file) // ends with an error when the program has ended
	}()
	go func() {
		x.err = cmd.Wait()
		<-read
		close(x.exited)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-x.exited
		_ = file.Close()
		if t.Failed() {
			t.Logf("the last screen:\n%s", x.framed())
		}
	})
	return x
}

// program is the program itself, made of the tests' own binary.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	for _, v := range withoutParley(os.Environ()) {
		if !strings.HasPrefix(v, "NO_COLOR=") && !strings.HasPrefix(v, "COLORTERM=") && !strings.HasPrefix(v, "TERM") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, asProgram+"=1")
	return cmd
}

// framed is the screen with a frame around it.
func (x *tty) framed() string {
	var out strings.Builder
	for line := range strings.SplitSeq(x.screen.Text(), "\n") {
		out.WriteString("|" + line + "\n")
	}
	return out.String()
}

// The keys that have no character.
const (
	enterKey, tabKey, escKey = "\r", "\t", "\x1b"
	pageUp, pageDown         = "\x1b[5~", "\x1b[6~"
	ctrlN, ctrlP, ctrlC      = "\x0e", "\x10", "\x03"
)

// keys types.
func (x *tty) keys(keys ...string) *tty {
	x.t.Helper()
	for _, k := range keys {
		if _, err := io.WriteString(x.pty, k); err != nil {
			x.t.Fatalf("type %q: %v", k, err)
		}
	}
	return x
}

// line types a line.
func (x *tty) line(text string) *tty {
	x.t.Helper()
	return x.keys(text, enterKey)
}

// shows waits until the screen shows all of the texts.
func (x *tty) shows(texts ...string) *tty {
	x.t.Helper()
	x.until("the screen shows "+strings.Join(texts, " | "), func(screen string) bool {
		for _, text := range texts {
			if !strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
	return x
}

// hides waits until the screen shows none of the texts.
func (x *tty) hides(texts ...string) *tty {
	x.t.Helper()
	x.until("the screen hides "+strings.Join(texts, " | "), func(screen string) bool {
		for _, text := range texts {
			if strings.Contains(screen, text) {
				return false
			}
		}
		return true
	})
	return x
}

// matches waits until the screen shows what the pattern says.
func (x *tty) matches(pattern string) *tty {
	x.t.Helper()
	re := regexp.MustCompile(pattern)
	x.until("the screen shows /"+pattern+"/", re.MatchString)
	return x
}

func (x *tty) until(what string, ok func(screen string) bool) {
	x.t.Helper()
	harness.Eventually(x.t, what, func() bool {
		select {
		case <-x.exited:
			if !ok(x.screen.Text()) {
				x.t.Fatalf("the program has ended (%v), and never %s", x.err, what)
			}
		default:
		}
		return ok(x.screen.Text())
	})
}

// ends waits until the program has ended well.
func (x *tty) ends() {
	x.t.Helper()
	select {
	case <-x.exited:
		if x.err != nil {
			x.t.Fatalf("the program ended with %v\n%s", x.err, x.raw)
		}
	case <-time.After(patience):
		x.t.Fatal("the program does not end")
	}
}

// resize makes the terminal another size.
func (x *tty) resize(width, height int) {
	x.t.Helper()
	x.screen.mu.Lock()
	x.screen.size(width, height)
	x.screen.mu.Unlock()
	if err := pty.Setsize(x.pty, &pty.Winsize{Rows: uint16(height), Cols: uint16(width)}); err != nil {
		x.t.Fatal(err)
	}
}

// registers goes from the start menu into the chat.
func (x *tty) registers(name string) *tty {
	x.t.Helper()
	x.shows("Log in", "Register").keys("2").shows("Password again")
	x.line(name).line(harness.Password).line(harness.Password)
	return x.shows("#lobby")
}

// relay is an address that stays the same while the server behind it comes and goes.
type relay struct {
	listener net.Listener
	mu       sync.Mutex
	to       string // empty: nobody is there
	conns    map[net.Conn]bool
	all      sync.WaitGroup
}

func newRelay(t *testing.T, s *harness.Server) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{listener: l, conns: map[net.Conn]bool{}}
	r.up(s)
	r.all.Go(r.accept)
	t.Cleanup(func() {
		_ = l.Close()
		r.down()
		r.all.Wait()
	})
	return r
}

func (r *relay) url() string { return "http://" + r.listener.Addr().String() }

func (r *relay) up(s *harness.Server) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = strings.TrimPrefix(s.URL(), "http://")
}

// down cuts all connections and refuses new ones.
func (r *relay) down() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = ""
	for c := range r.conns {
		_ = c.Close()
	}
}

func (r *relay) accept() {
	for {
		in, err := r.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		r.all.Go(func() { r.serve(in) })
	}
}

func (r *relay) serve(in net.Conn) {
	defer r.drop(in)
	r.mu.Lock()
	to := r.to
	r.mu.Unlock()
	if to == "" {
		return
	}
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer r.drop(out)
	if !r.keep(in, out) {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{in, out}, {out, in}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1]) // a cut is what it is for
			_ = way[0].Close()
			_ = way[1].Close()
		})
	}
	both.Wait()
}

func (r *relay) keep(conns ...net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range conns {
		r.conns[c] = true
	}
	return r.to != ""
}

func (r *relay) drop(c net.Conn) {
	_ = c.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}
