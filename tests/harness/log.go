package harness

import (
	"context"
	"log/slog"
	"os"
)

// log is quiet, unless PARLEY_TEST_LOG is set. It listens for what a test must know.
func (p *program) log() *slog.Logger {
	out := slog.DiscardHandler
	if os.Getenv("PARLEY_TEST_LOG") != "" {
		out = slog.NewTextHandler(os.Stderr, nil)
	}
	return slog.New(listener{Handler: out, p: p})
}

type listener struct {
	slog.Handler
	p *program
}

// Enabled implements slog.Handler.
func (l listener) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle implements slog.Handler.
func (l listener) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "stopped before all clients were done" {
		l.p.hasty.Store(true)
	}
	if !l.Handler.Enabled(ctx, r.Level) {
		return nil
	}
	return l.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (l listener) WithAttrs(attrs []slog.Attr) slog.Handler {
	return listener{l.Handler.WithAttrs(attrs), l.p}
}

// WithGroup implements slog.Handler.
func (l listener) WithGroup(name string) slog.Handler {
	return listener{l.Handler.WithGroup(name), l.p}
}
