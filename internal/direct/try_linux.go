package direct

import (
	"cmp"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// trial is a write that does not wait. It is kept by who tries, so that nothing is allocated for one.
type trial struct {
	p    []byte
	n    int
	err  error
	send func(fd uintptr) // made once
}

// try writes what the kernel takes of p at once, and gives how much that is. An error says that the connection broke.
func (t *trial) try(socket syscall.RawConn, p []byte) (n int, err error) {
	if t.send == nil {
		t.send = t.sendNow
	}
	t.p, t.n, t.err = p, 0, nil
	closed := socket.Control(t.send)
	t.p = nil
	return t.n, cmp.Or(closed, t.err)
}

// sendNow asks the kernel as a socket, which costs less than as a file.
func (t *trial) sendNow(fd uintptr) {
	p := unsafe.Pointer(unsafe.SliceData(t.p)) //nolint:gosec // sendmsg is what x/sys has without it, for 4 % more
	n, _, errno := unix.Syscall6(unix.SYS_SENDTO, fd, uintptr(p), uintptr(len(t.p)), unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, 0, 0)
	switch errno {
	case 0:
		t.n = int(n)
	case unix.EAGAIN, unix.EINTR:
	default:
		t.err = errno
	}
}
