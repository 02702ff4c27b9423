package app

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// limitUnacknowledged is a net.ListenConfig.Control: the kernel ends a connection on which
// sent bytes stay unacknowledged that long, also while they all fit into its buffer, where no
// write would ever block. Connections inherit it from their listener.
func limitUnacknowledged(limit time.Duration) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) {
			// A kernel without it is no reason not to serve: it only notices later.
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(limit.Milliseconds()))
		})
	}
}
