//go:build !linux

package tests

import "testing"

func testDiskFull(t *testing.T, _ string) {
	t.Skip("only Linux can make the disk of a running process full")
}
