//go:build !linux

package bench

import (
	"os"
	"runtime"
)

func syncData(file *os.File) error { return file.Sync() }

func inMemory(string) bool { return false }

func fileLimit() int { return 10_000 }

func kernel() string { return runtime.GOOS }

func diskDir() string { return os.TempDir() }
