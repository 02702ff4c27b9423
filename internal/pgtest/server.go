package pgtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	role         = "parley"
	startTimeout = time.Minute
)

// script makes a database directory, runs the server in it until standard input ends, which it
// does when the test binary is gone, however it went, and removes the directory.
// Arguments: the directory, the programs' folder, the port.
const script = `
dir=$1 bin=$2 port=$3
trap 'rm -rf "$dir"' EXIT
trap : INT TERM HUP # an interrupted test run interrupts this too, which must still tidy up
"$bin/initdb" -D "$dir/data" -U parley -A trust -E UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || { cat "$dir/log" >&2; exit 1; }
"$bin/postgres" -D "$dir/data" -p "$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories="$dir" \
  -c fsync=off -c full_page_writes=off -c max_connections=300 -c shared_buffers=64MB >>"$dir/log" 2>&1 &
pid=$!
read -r _
kill -INT "$pid"
wait "$pid"
exit 0
`

// server is a PostgreSQL that belongs to this process.
type server struct {
	port  int
	stdin io.Closer
	done  chan struct{} // closed when it has ended, err being set
	err   error
	say   bytes.Buffer // what the script complained of; read after done
}

func start() (*server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, run, err := ownDir()
	if err != nil {
		return nil, err
	}
	args := append(run, "sh", "-c", script, "sh", dir, bin, strconv.Itoa(port))
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	s := &server{port: port, done: make(chan struct{})}
	cmd.Stderr = &s.say
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	s.stdin = stdin
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start postgres: %w", err)
	}
	go func() {
		defer close(s.done)
		s.err = cmd.Wait()
	}()
	if err := s.wait(); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

func (s *server) url() string {
	u := url.URL{
		Scheme: "postgres", User: url.User(role), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)),
		Path: "/postgres", RawQuery: "sslmode=disable",
	}
	return u.String()
}

// wait returns when the server answers.
func (s *server) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := pgx.Connect(ctx, s.url()); err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-tick.C:
		case <-s.done:
			return fmt.Errorf("postgres ended at once: %s", strings.TrimSpace(s.say.String()))
		case <-ctx.Done():
			return errors.New("postgres does not answer")
		}
	}
}

// stop ends the server and waits for it.
func (s *server) stop() error {
	_ = s.stdin.Close() // fails only if the server is gone already
	<-s.done
	if s.err != nil {
		return fmt.Errorf("%w: %s", s.err, strings.TrimSpace(s.say.String()))
	}
	return nil
}

// programs finds the folder of initdb and postgres: where the PATH's postgres really lies, or
// Debian's newest.
func programs() (string, error) {
	var folders []string
	if path, err := exec.LookPath("postgres"); err == nil {
		folders = append(folders, filepath.Dir(path))
		if target, err := filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(target))
		}
	}
	debian, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", fmt.Errorf("look for postgres: %w", err)
	}
	slices.Reverse(debian)
	folders = append(folders, debian...)
	for _, folder := range folders {
		if executable(filepath.Join(folder, "postgres")) && executable(filepath.Join(folder, "initdb")) {
			return folder, nil
		}
	}
	return "", errors.New("PARLEY_TEST_POSTGRES is not set, and the programs initdb and postgres are not installed")
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// ownDir makes a temporary directory for whom the server will run as: it refuses to run as root. run is
// what its command begins with.
func ownDir() (dir string, run []string, err error) {
	dir, err = os.MkdirTemp("", "parley-pg-")
	if err != nil {
		return "", nil, fmt.Errorf("make a directory for postgres: %w", err)
	}
	if os.Geteuid() != 0 {
		return dir, nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUser := strconv.Atoi(u.Uid)
		gid, errGroup := strconv.Atoi(u.Gid)
		if err := errors.Join(errUser, errGroup); err != nil {
			return "", nil, fmt.Errorf("read the ids of %s: %w", name, err)
		}
		if err := os.Chown(dir, uid, gid); err != nil {
			return "", nil, fmt.Errorf("give postgres its directory: %w", err)
		}
		return dir, []string{"runuser", "-u", name, "--"}, nil
	}
	return "", nil, errors.New("postgres refuses to run as root, and there is no user postgres or nobody")
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
