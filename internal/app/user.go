package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"parley/internal/config"
	"parley/internal/control"
	"parley/models"
)

// userCommand is one run of `parley user`.
type userCommand struct {
	config.User
	server *control.Client
	in     *os.File
	out    io.Writer
	notes  io.Writer // for what is no result
}

// user is `parley user`.
func user(u config.User, in *os.File, stdout, stderr io.Writer) error {
	ctx, release := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer release()
	c := userCommand{User: u, in: in, out: stdout, notes: stderr}
	if u.Action == config.UserPassword {
		// Before the database may be opened: nobody types while it is locked.
		password, err := c.readPassword(ctx)
		if err != nil {
			return err
		}
		return c.with(ctx, func() error { return c.setPassword(ctx, password) })
	}
	return c.with(ctx, func() error { return c.run(ctx) })
}

// with reaches the server, or its database, for the time of one function.
func (c *userCommand) with(ctx context.Context, do func() error) error {
	server, release, err := reach(ctx, c.User, c.notes)
	if err != nil {
		return err
	}
	c.server = server
	err = do()
	if closing := release(); closing != nil {
		return errors.Join(err, closing)
	}
	return err
}

func (c *userCommand) run(ctx context.Context) error {
	switch c.Action {
	case config.UserList:
		return c.list(ctx)
	case config.UserRole:
		u, err := c.server.Role(ctx, control.RoleRequest{Name: c.Name, Role: models.Role(c.Role)})
		return c.say(err, "%s is %s now", u.Name, u.Role)
	case config.UserKick:
		err := c.server.Kick(ctx, control.KickRequest{Name: c.Name, Reason: c.Reason})
		return c.say(err, "%s was kicked: all their sessions have ended", c.name())
	case config.UserBan:
		return c.ban(ctx)
	case config.UserUnban:
		err := c.server.Unban(ctx, control.UnbanRequest{Name: c.Name})
		return c.say(err, "%s is not banned", c.name())
	default:
		return fmt.Errorf("%s is not done here", c.Action)
	}
}

// name is the user's as it was typed, without the @ that may lead it.
func (c *userCommand) name() string { return strings.TrimPrefix(c.Name, "@") }

// say prints a result, or gives the error. What a server says goes to a terminal: without
// control characters.
func (c *userCommand) say(err error, format string, args ...any) error {
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.out, printable(fmt.Sprintf(format, args...)))
	return err
}

func (c *userCommand) ban(ctx context.Context) error {
	r := control.BanRequest{Name: c.Name, Reason: c.Reason, Addresses: c.Addresses}
	switch {
	case !c.Until.IsZero():
		until := models.At(c.Until.Time)
		r.Until = &until
	case c.For != 0:
		until := models.At(time.Now().Add(c.For))
		r.Until = &until
	}
	ban, err := c.server.Ban(ctx, r)
	return c.say(err, "%s is banned %s", c.name(), banText(&ban))
}

func (c *userCommand) setPassword(ctx context.Context, password string) error {
	err := c.server.Password(ctx, control.PasswordRequest{Name: c.Name, Password: password})
	return c.say(err, "%s has a new password: all their sessions have ended", c.name())
}

// readPassword asks for the password twice on a terminal, without showing it; else it is the first
// line of the input.
func (c *userCommand) readPassword(ctx context.Context) (string, error) {
	if fd := int(c.in.Fd()); term.IsTerminal(fd) {
		first, err := c.ask(ctx, fd, "New password for "+printable(c.name())+": ")
		if err != nil {
			return "", err
		}
		again, err := c.ask(ctx, fd, "Again: ")
		if err == nil && first != again {
			err = errors.New("the two are not the same: nothing was changed")
		}
		return first, err
	}
	line, err := bufio.NewReader(c.in).ReadString('\n')
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return "", fmt.Errorf("read the password from standard input: %w", err)
	case line == "":
		return "", errors.New("standard input has no password: write it there as one line")
	}
	return line, nil
}

// ask reads one line that is not shown. Who gives up with a signal gets their terminal back as it was;
// the reading that is left over ends with the process, which is about to.
func (c *userCommand) ask(ctx context.Context, fd int, prompt string) (string, error) {
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read the terminal's state: %w", err)
	}
	type line struct {
		text []byte
		err  error
	}
	typed := make(chan line, 1)
	fmt.Fprint(c.notes, prompt)
	go func() {
		text, err := term.ReadPassword(fd)
		typed <- line{text, err}
	}()
	defer fmt.Fprintln(c.notes)
	select {
	case l := <-typed:
		if l.err != nil {
			return "", fmt.Errorf("read the password: %w", l.err)
		}
		return string(l.text), nil
	case <-ctx.Done():
		return "", errors.Join(errors.New("given up: nothing was changed"), term.Restore(fd, before))
	}
}
