package app

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"

	"parley/internal/config"
	chatting "parley/internal/terminal/chat"
	"parley/internal/terminal/session"
)

// chatInTerminal is `parley chat`.
func chatInTerminal(args config.ChatArgs, environ []string, stderr io.Writer) error {
	store, err := session.Default()
	if err != nil {
		return err
	}
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	return chatting.Run(ctx, chatting.Options{
		Server: args.Address(), Guest: args.Guest, Login: args.Login, Password: args.Password.Reveal(),
		In: os.Stdin, Out: os.Stdout, Notes: stderr, Environ: environ, Store: store,
	})
}
