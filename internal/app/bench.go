package app

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"parley/internal/bench"
	"parley/internal/config"
)

// measure runs `parley bench`, or the peer that it starts as a child. The first signal ends the children and takes their data
// away, the second ends the program at once.
func measure(in config.Invocation, stdout, stderr io.Writer) error {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	context.AfterFunc(ctx, release)
	if in.Command == config.BenchFloor {
		return bench.ServeFloor(ctx, in.Floor, stdout)
	}
	return bench.Run(ctx, in.Bench, bench.Host{Version: thisBuild().Version}, stdout, stderr)
}
