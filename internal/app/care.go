package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"parley/internal/config"
	"parley/store"
)

// care runs the commands that look after the data. A signal breaks them off, and they leave nothing behind.
func care(in config.Invocation, stdout io.Writer) error {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	var err error
	switch in.Command {
	case config.Backup:
		err = backup(ctx, in.Backup, stdout)
	case config.Restore:
		err = restore(ctx, in.Restore, stdout)
	case config.Check:
		err = check(ctx, in.Check, stdout)
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	return err
}

// backup is `parley backup`.
func backup(ctx context.Context, a config.BackupArgs, stdout io.Writer) error {
	began := time.Now()
	c, err := store.Backup(ctx, a.Data, a.File)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "Backed up %s to %s: %d bytes, head %d, begun %s, took %s\n",
		a.Data, a.File, c.Size, c.Head, began.UTC().Format(time.RFC3339), time.Since(began).Round(time.Millisecond))
	return nil
}

// restore is `parley restore`.
func restore(ctx context.Context, a config.RestoreArgs, stdout io.Writer) error {
	const next = "the next start tells clients that know of more to load anew"
	switch {
	case a.Database != "":
		head, err := store.MarkURL(ctx, a.Database.Reveal())
		if err != nil {
			return fmt.Errorf("--database %s: %w", a.Database, err)
		}
		fmt.Fprintf(stdout, "Marked %s as restored: head %d; %s\n", a.Database, head, next)
		return nil
	case a.File == "":
		r, err := store.Restore(ctx, store.Restoring{Dir: a.Data})
		if err != nil {
			return fmt.Errorf("--data %s: %w", a.Data, err)
		}
		fmt.Fprintf(stdout, "Marked %s as restored: head %d; %s\n", a.Data, r.Head, next)
		return nil
	}
	r, err := store.Restore(ctx, store.Restoring{Dir: a.Data, File: a.File, Force: a.Force, Now: time.Now()})
	if err != nil {
		return err
	}
	aside := ""
	if r.Aside != "" {
		aside = "; the database that was there is " + r.Aside
	}
	fmt.Fprintf(stdout, "Restored %s to %s: %d bytes, head %d%s; %s\n", a.File, a.Data, r.Size, r.Head, aside, next)
	return nil
}

// check is `parley check`.
func check(ctx context.Context, a config.CheckArgs, stdout io.Writer) error {
	place := a.File
	var h store.Health
	var err error
	switch {
	case a.Database != "":
		place = a.Database.String()
		h, err = store.CheckURL(ctx, a.Database.Reveal())
	case a.File != "":
		h, err = store.CheckFile(ctx, a.File)
	default:
		place = a.Data
		h, err = store.CheckFile(ctx, store.DatabaseFile(a.Data))
	}
	if err != nil {
		return fmt.Errorf("check %s: %w", place, err)
	}
	for _, finding := range h.Findings {
		fmt.Fprintln(stdout, finding)
	}
	if n := len(h.Findings); n > 0 {
		return fmt.Errorf("%s is not well, findings: %d", place, n)
	}
	fmt.Fprintf(stdout, "%s is well: head %d, entries %d, messages %d, users %d, holes %d\n",
		place, h.Head, h.Entries, h.Messages, h.Users, h.Holes)
	return nil
}
