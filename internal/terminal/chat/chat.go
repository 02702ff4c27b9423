package chat

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"

	"parley/internal/terminal/session"
)

// Options are what `parley chat` is told.
type Options struct {
	Server   string // its URL
	Guest    bool   // come as a guest where no session is kept
	Login    string // the name to log in by, where the session that is kept is not of that name; empty: whoever it is of
	Password string // for Login

	In, Out *os.File
	Notes   io.Writer // for what is no message, where Out is no terminal
	Environ []string
	Store   session.Store
	Clock   func() time.Time // nil: time.Now
}

func (o Options) now() func() time.Time {
	if o.Clock != nil {
		return o.Clock
	}
	return time.Now
}

// Run chats until the one at the terminal has enough or ctx ends.
func Run(ctx context.Context, o Options) error {
	server, err := session.Server(o.Server)
	if err != nil {
		return err
	}
	o.Server = server
	if !term.IsTerminal(int(o.In.Fd())) || !term.IsTerminal(int(o.Out.Fd())) {
		return plainly(ctx, o)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newModel(ctx, o)
	_, err = tea.NewProgram(m, tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithEnvironment(o.Environ)).Run()
	if m.conn != nil {
		m.conn.close()
	}
	if err != nil && !errors.Is(err, tea.ErrInterrupted) && ctx.Err() == nil {
		return fmt.Errorf("use the terminal: %w", err)
	}
	return nil
}
