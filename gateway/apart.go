package gateway

import (
	"log/slog"
	"runtime/debug"
)

// guarded makes a panic a line of the log: what one client sends must not end the server.
func guarded(log *slog.Logger, do func()) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("a connection panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	do()
}

// apart runs do on a goroutine of its own, whose stack goes with it, and waits for it.
func apart(log *slog.Logger, do func()) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		guarded(log, do)
	}()
	<-ended
}
