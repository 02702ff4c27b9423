package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"parley/internal/config"
	"parley/internal/terminal/send"
	"parley/models"
)

// The program's exit codes.
const (
	exitOK      = 0  // also after a graceful stop
	exitFailure = 1  // could not start, failed while running, or was ended by a second signal
	exitUsage   = 2  // the command line or a variable is wrong
	exitUnknown = 75 // of `parley send`: whether the message is stored is not known; EX_TEMPFAIL of sysexits.h
)

// Main runs the program and gives its exit code. What went wrong before or after serving is
// one line on stderr.
func Main(args, environ []string, stdout, stderr io.Writer) int {
	in, err := config.Parse(args, environ, stdout)
	if err != nil {
		complain(stderr, err)
		return exitUsage
	}
	switch in.Command {
	case config.Helped:
	case config.Version:
		err = thisBuild().print(stdout, in.JSON)
	case config.CheckHealth:
		err = health(context.Background(), in.Health, stdout)
	case config.Users:
		err = user(in.User, os.Stdin, stdout, stderr)
	case config.Chat:
		err = chatInTerminal(in.Chat, environ, stderr)
	case config.Serve:
		err = serve(in, stdout, stderr)
	case config.Backup, config.Restore, config.Check:
		err = care(in, stdout)
	case config.Send, config.Tail:
		err = terminal(in, os.Stdin, stdout, stderr)
	case config.Bench, config.BenchFloor:
		err = measure(in, stdout, stderr)
	}
	if err != nil {
		complain(stderr, err)
		return exitCode(err)
	}
	return exitOK
}

// exitCode tells values that are wrong from what could not be done.
func exitCode(err error) int {
	if errors.Is(err, send.ErrUnfinished) {
		return exitUnknown
	}
	if _, ok := errors.AsType[*config.UsageError](err); ok || models.CodeOf(err) == models.CodeValidationFailed {
		return exitUsage
	}
	return exitFailure
}

// message is what an error says to somebody at a command line: of a refusal its words, without the code.
func message(err error) string {
	if e, ok := err.(*models.Error); ok { //nolint:errorlint // one that is wrapped has words around it
		return e.Detail
	}
	return err.Error()
}

// complain prints an error on one line, also where a driver made a list of it.
func complain(w io.Writer, err error) {
	var line strings.Builder
	for part := range strings.Lines(message(err)) {
		if line.Len() > 0 && !strings.HasSuffix(line.String(), ":") {
			line.WriteByte(';')
		}
		line.WriteString(" " + strings.TrimSpace(part))
	}
	fmt.Fprintf(w, "parley:%s\n", line.String())
}

// serve is `parley serve`.
func serve(in config.Invocation, stdout, stderr io.Writer) error {
	log := newLogger(stderr, in.Config.LogFormat, in.Config.LogLevel)
	if len(in.Unknown) > 0 {
		log.Warn("environment variables that no flag has are ignored", "variables", in.Unknown)
	}
	ctx, release := untilSignal(log)
	defer release()
	a, err := New(ctx, in.Config, Options{Log: log})
	if err != nil {
		return err
	}
	log.Info("started", "version", thisBuild().Version, "listening", a.Addr(), "config", in.Config)
	fmt.Fprintf(stdout, "Parley listens on %s — try: curl %s/readyz (API: /docs, tour: README.md)\n",
		a.URL(), a.URL())
	if err := errors.Join(a.Run(ctx), a.Close(context.WithoutCancel(ctx))); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// untilSignal gives a context that ends with the first SIGINT or SIGTERM. The second
// ends the process at once: what was answered is on disk, so nothing is lost by it.
func untilSignal(log *slog.Logger) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case s := <-signals:
			log.Info("stopping, a second signal ends at once", "signal", s.String())
			cancel()
		case <-done:
			return
		}
		select {
		case <-signals:
			os.Exit(exitFailure)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
