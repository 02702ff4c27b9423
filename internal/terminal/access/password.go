package access

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"parley/internal/config"
	"parley/internal/terminal/plain"
)

// password is the variable's, or asked for on the terminal, which standard input need not be.
func (a *Account) password(ctx context.Context, args config.Access) (string, error) {
	if args.Password != "" {
		return args.Password.Reveal(), nil
	}
	terminal, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return "", errors.New("there is no terminal to ask for the password on: set PARLEY_PASSWORD")
	}
	defer func() { _ = terminal.Close() }() // nothing is lost by it
	fd := int(terminal.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read the terminal's state: %w", err)
	}
	fmt.Fprintf(terminal, "Password of %s on %s: ", plain.Line(args.Login), a.Server)
	defer fmt.Fprintln(terminal)
	type line struct {
		text []byte
		err  error
	}
	typed := make(chan line, 1)
	go func() { // whom a signal leaves over ends with the process, which is about to
		text, err := term.ReadPassword(fd)
		typed <- line{text, err}
	}()
	select {
	case l := <-typed:
		if l.err != nil {
			return "", fmt.Errorf("read the password: %w", l.err)
		}
		return string(l.text), nil
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}
