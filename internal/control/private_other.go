//go:build !unix

package control

import "syscall"

// private does nothing: the mode comes after the name.
func private(_, _ string, _ syscall.RawConn) error { return nil }
