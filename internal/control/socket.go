package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	socketName = "parley.sock"
	// maxPath is what every system takes as a socket's path: the least, macOS's, is 104 bytes with a NUL.
	maxPath     = 100
	dialTimeout = 5 * time.Second
)

// ErrTaken says that a server answers in the directory already.
var ErrTaken = errors.New("another server answers on the control socket of this directory")

// address gives a path to the directory's socket that is short enough for the system, good until
// release is called.
func address(dir string) (path string, release func(), err error) {
	path = filepath.Join(dir, socketName)
	if len(path) <= maxPath {
		return path, func() {}, nil
	}
	// Linux has a short name for every open directory.
	open, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	short := fmt.Sprintf("/proc/self/fd/%d/%s", open.Fd(), socketName)
	if _, err := os.Stat(filepath.Dir(short)); err != nil {
		return "", nil, errors.Join(fmt.Errorf("%s: too long for a socket's path: use a shorter --data", path), open.Close())
	}
	return short, func() { _ = open.Close() }, nil
}

// connect opens a connection to the directory's server.
func connect(ctx context.Context, dir string) (net.Conn, error) {
	path, release, err := address(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNobody
	}
	if err != nil {
		return nil, err
	}
	defer release()
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "unix", path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTDIR):
		return nil, ErrNobody
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s belongs to the account that runs the server: use that one",
			filepath.Join(dir, socketName))
	case err != nil:
		return nil, fmt.Errorf("open %s: %w", filepath.Join(dir, socketName), err)
	}
	return conn, nil
}

// listen makes the directory's socket, in place of one that nobody answers on. ErrTaken where somebody
// does.
func listen(ctx context.Context, dir string) (net.Listener, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data directory: %w", err)
	}
	switch conn, err := connect(ctx, dir); {
	case err == nil:
		_ = conn.Close()
		return nil, ErrTaken
	case !errors.Is(err, ErrNobody):
		return nil, err
	}
	name := filepath.Join(dir, socketName)
	if err := removeStale(name); err != nil {
		return nil, err
	}
	path, release, err := address(dir)
	if err != nil {
		return nil, err
	}
	defer release()
	config := net.ListenConfig{Control: private}
	l, err := config.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", name, err)
	}
	if unix, ok := l.(*net.UnixListener); ok {
		unix.SetUnlinkOnClose(false) // it would take the short path
	}
	socket := &socket{Listener: l, name: name}
	if err := os.Chmod(name, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect the control socket: %w", err), socket.Close())
	}
	return socket, nil
}

// removeStale takes a dead socket away, and nothing else.
func removeStale(name string) error {
	info, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look at the control socket: %w", err)
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is in the way: it is no socket", name)
	}
	if err := os.Remove(name); err != nil {
		return fmt.Errorf("remove the old control socket: %w", err)
	}
	return nil
}

// socket is a listener that removes its file.
type socket struct {
	net.Listener
	name string
}

// Close implements net.Listener. The file goes first: whoever comes now finds nobody.
func (s *socket) Close() error {
	err := os.Remove(s.name)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, s.Listener.Close())
}
