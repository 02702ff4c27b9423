package access

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"parley/client"
	"parley/internal/config"
	"parley/internal/terminal/plain"
	"parley/internal/terminal/session"
)

// attempt is how long one call may take. What takes longer is tried again.
const attempt = 20 * time.Second

// Account is a client that calls as somebody.
type Account struct {
	*client.Client
	Server string
	notes  io.Writer
}

// Open finds the account that the arguments mean, and logs in where they say so. What becomes of it is told on notes.
func Open(ctx context.Context, a config.Access, notes io.Writer) (*Account, error) {
	own := a.Token == "" && a.Login == "" && !a.Guest
	server := cmp.Or(a.Server, session.DefaultServer)
	var store session.Store
	if a.Token == "" {
		var err error
		if store, err = session.Default(); err != nil {
			return nil, err
		}
		if a.Server == "" && own { // never a password or a token to where one happened to be last
			last, err := store.Last()
			if err != nil {
				return nil, err
			}
			server = cmp.Or(last, server)
		}
	}
	server, err := session.Server(server)
	if err != nil {
		return nil, err
	}
	c, err := client.New(server)
	if err != nil {
		return nil, err
	}
	account := &Account{Client: c, Server: server, notes: notes}
	return account, account.enter(ctx, a, store)
}

// enter gives the client its token.
func (a *Account) enter(ctx context.Context, args config.Access, store session.Store) error {
	if args.Token != "" {
		a.SetToken(args.Token.Reveal())
		return nil
	}
	if args.Login != "" {
		password, err := a.password(ctx, args)
		if err != nil {
			return err
		}
		return a.keep(ctx, store, func(ctx context.Context) (client.Session, error) {
			return a.Login(ctx, args.Login, password)
		})
	}
	saved, err := store.Load(a.Server)
	switch {
	case err == nil:
		a.SetToken(saved.Token)
		return nil
	case !errors.Is(err, session.ErrNone):
		return err
	case args.Guest:
		return a.keep(ctx, store, func(ctx context.Context) (client.Session, error) { return a.Guest(ctx, "") })
	}
	return fmt.Errorf("no session is kept for %s: %s", a.Server, ways)
}

// ways is how one gets a session.
const ways = "log in by parley chat or --login NAME, come with --guest, or set PARLEY_TOKEN"

// keep opens a session and keeps it. A try whose answer is lost leaves a session, or a guest, that nobody uses.
func (a *Account) keep(ctx context.Context, store session.Store, open func(context.Context) (client.Session, error)) error {
	var s client.Session
	err := a.Try(ctx, func(ctx context.Context) (err error) {
		s, err = open(ctx)
		return err
	})
	if err != nil {
		return err
	}
	a.Note("logged in to %s as %s", a.Server, s.User.Name)
	return store.Save(session.Saved{Server: a.Server, Token: s.Token, Name: s.User.Name, UserID: s.User.ID})
}

// Try makes a call until the server has answered it or ctx has ended, and notes each failure.
func (a *Account) Try(ctx context.Context, call func(ctx context.Context) error) error {
	err := client.Retry(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, attempt)
		defer cancel()
		return call(ctx)
	}, a.Waiting)
	return Explain(err)
}

// Waiting notes that there is no connection, and when it is tried again.
func (a *Account) Waiting(err error, wait time.Duration) {
	if call, ok := errors.AsType[*url.Error](err); ok {
		err = call.Err // without the address, which says nothing new
	}
	a.Note("%v; trying again in %s", err, wait.Round(100*time.Millisecond))
}

// Note says something that is no result.
func (a *Account) Note(format string, args ...any) {
	fmt.Fprintf(a.notes, "parley: %s\n", plain.Line(fmt.Sprintf(format, args...)))
}

// Explain is an error for who sits at a terminal, with what to do about it.
func Explain(err error) error {
	refusal, refused := errors.AsType[*client.Error](err)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, client.ErrorCodeUnauthorized):
		return &spoken{"the session has ended, or the token is wrong: " + ways, err}
	case refused:
		return &spoken{plain.Line(words(refusal)), err}
	default:
		return err
	}
}

// words is what a refusal says, without what is for programs.
func words(e *client.Error) string {
	text := e.Title
	if e.Detail != nil && *e.Detail != "" {
		text = *e.Detail
	}
	for _, f := range e.Errors {
		text += fmt.Sprintf("; %s: %s", f.Field, f.Detail)
	}
	return text
}

// spoken is an error in other words.
type spoken struct {
	text string
	err  error
}

// Error implements error.
func (s *spoken) Error() string { return s.text }

// Unwrap gives the error itself.
func (s *spoken) Unwrap() error { return s.err }
