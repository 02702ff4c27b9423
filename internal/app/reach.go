package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	osuser "os/user"
	"time"

	"parley/chat"
	"parley/internal/config"
	"parley/internal/control"
	"parley/models"
	"parley/store"
)

const (
	// reachPatience is how long a command waits for a server that is starting or stopping: it has
	// the database and does not answer.
	reachPatience = 10 * time.Second
	reachAgain    = 100 * time.Millisecond
)

// reach finds the server that runs on the data, by its socket; where there is none, it opens the
// database and does itself what the server would. release ends either.
func reach(ctx context.Context, u config.User, notes io.Writer) (c *control.Client, release func() error, err error) {
	operator := operatorName()
	giveUp := time.Now().Add(reachPatience)
	for {
		c, err = control.Dial(ctx, u.Data, operator)
		if err == nil {
			return c, func() error { return nil }, nil
		}
		if !errors.Is(err, control.ErrNobody) {
			return nil, nil, err
		}
		c, release, err = openDirectly(ctx, u, operator, notes)
		if !errors.Is(err, store.ErrInUse) || time.Now().After(giveUp) {
			return c, release, err
		}
		select {
		case <-time.After(reachAgain):
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
}

// operatorName is who runs the command, for the audit log.
func operatorName() string {
	if u, err := osuser.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}

// openDirectly opens the database for one command. A server on another machine that uses the
// same PostgreSQL is not told, which the operator must know.
func openDirectly(ctx context.Context, u config.User, operator string, notes io.Writer) (*control.Client, func() error, error) {
	log := slog.New(slog.NewTextHandler(notes, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: redact}))
	var service *chat.Service
	db, err := store.Open(ctx, store.Options{
		Dir: u.Data, URL: u.Database.Reveal(), Existing: true, Log: log,
		OnCommit: func(events []models.Event) { service.Observe(events) },
	})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", databaseFlag(config.Config{Data: u.Data, Database: u.Database}), err)
	}
	service = chat.New(chat.Options{
		Store: db, Hasher: chat.NewHasher(chat.HashCost{}), Log: log,
	})
	if u.Database != "" {
		fmt.Fprintf(notes, "parley: no server answers in %s: working on the database itself. "+
			"A server on another machine hears of it when it is started again.\n", u.Data)
	}
	return control.Direct(control.Handler(service, log), operator), db.Close, nil
}
