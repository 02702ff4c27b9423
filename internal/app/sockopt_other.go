//go:build !linux

package app

import (
	"syscall"
	"time"
)

// limitUnacknowledged has no portable form: elsewhere a dead peer is noticed when the
// kernel's buffer is full, or by its keep-alive.
func limitUnacknowledged(time.Duration) func(network, address string, c syscall.RawConn) error {
	return nil
}
