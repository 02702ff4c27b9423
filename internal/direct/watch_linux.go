package direct

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// sendBuffer is what the kernel keeps for a reader, of which it takes twice as much for itself. Left to its own, it
// would give a stalled one megabytes.
const sendBuffer = 128 << 10

// epoll watches all connections by one descriptor, for which Go's own poller waits.
type epoll struct {
	server *Server
	file   *os.File
	raw    syscall.RawConn
}

func newWatcher(s *Server) watcher {
	e, err := newEpoll(s)
	if err != nil {
		return readers{s}
	}
	return e
}

func newEpoll(s *Server) (*epoll, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an epoll: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("make an epoll: %w", err)
	}
	e := &epoll{server: s, file: os.NewFile(uintptr(fd), "epoll")}
	if e.raw, err = e.file.SyscallConn(); err != nil {
		_ = e.file.Close()
		return nil, fmt.Errorf("make an epoll: %w", err)
	}
	go e.loop()
	return e, nil
}

// loop ends when the file is closed.
func (e *epoll) loop() {
	var events [64]unix.EpollEvent
	for {
		n := 0
		err := e.raw.Read(func(fd uintptr) bool {
			var err error
			for n, err = unix.EpollWait(int(fd), events[:], 0); errors.Is(err, unix.EINTR); {
				n, err = unix.EpollWait(int(fd), events[:], 0)
			}
			return n > 0
		})
		if err != nil {
			return
		}
		for _, event := range events[:n] {
			e.server.gone(event.Fd, event.Pad, event.Events&unix.EPOLLERR != 0)
		}
	}
}

// watch has the end of the reader told, also of its half. Once is enough. A connection that the kernel cannot watch
// gets a goroutine.
func (e *epoll) watch(c *conn) {
	if tcp := socketOf(c.Conn); tcp == nil || e.add(tcp, c) != nil {
		readers{e.server}.watch(c)
	}
}

func (e *epoll) add(tcp *net.TCPConn, c *conn) error {
	event := unix.EpollEvent{Events: unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: c.seat, Pad: c.round}
	return control(tcp, func(fd int) error {
		var err error
		closed := e.raw.Control(func(watching uintptr) {
			err = unix.EpollCtl(int(watching), unix.EPOLL_CTL_ADD, fd, &event)
		})
		return errors.Join(closed, err)
	})
}

func (e *epoll) close() { _ = e.file.Close() }

// control does something with the socket's descriptor while it is open.
func control(tcp *net.TCPConn, do func(fd int) error) error {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return err
	}
	var done error
	return errors.Join(raw.Control(func(fd uintptr) { done = do(int(fd)) }), done)
}

// tune bounds what the kernel keeps for the reader.
func tune(tcp *net.TCPConn) {
	// A kernel that does not is no reason not to serve.
	_ = control(tcp, func(fd int) error { return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, sendBuffer) })
}

// mostDrained is how much is read of a client that goes on sending when its stream has ended.
const mostDrained = 64 << 10

// drain reads what has come and does not wait for more.
func drain(tcp *net.TCPConn) {
	_ = control(tcp, func(fd int) error {
		var waste [4 << 10]byte
		for range mostDrained / len(waste) {
			if n, _, err := unix.Recvfrom(fd, waste[:], unix.MSG_DONTWAIT); n <= 0 || err != nil {
				return err
			}
		}
		return nil
	})
}
