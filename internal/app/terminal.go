package app

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"parley/internal/config"
	"parley/internal/terminal/send"
	"parley/internal/terminal/tail"
)

// terminal runs the commands that are clients. A reader of standard output that goes away is an error of the write, not
// the end of the process. The second signal ends it at once.
func terminal(in config.Invocation, stdin io.Reader, stdout, stderr io.Writer) error {
	signal.Ignore(syscall.SIGPIPE)
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	context.AfterFunc(ctx, release)
	if in.Command == config.Send {
		return send.Run(ctx, in.Send, stdin, stdout, stderr)
	}
	return tail.Run(ctx, in.Tail, stdout, stderr)
}
