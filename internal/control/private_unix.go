//go:build unix

package control

import "syscall"

// private gives a socket its mode before it has a name, where the system can (Linux does): nobody can
// open it in between. Elsewhere the mode comes right after.
func private(_, _ string, conn syscall.RawConn) error {
	return conn.Control(func(fd uintptr) { _ = syscall.Fchmod(int(fd), 0o600) })
}
