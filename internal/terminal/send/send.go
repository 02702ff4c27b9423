package send

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"parley/client"
	"parley/internal/config"
	"parley/internal/terminal/access"
)

// ErrUnfinished is an end by patience or a signal, before the server had said yes or no.
var ErrUnfinished = errors.New("unfinished")

// command is one run of `parley send`.
type command struct {
	config.SendArgs
	account *access.Account
	in      io.Reader
	out     io.Writer
	notes   io.Writer
}

// Run sends what the arguments or in say, and prints what was stored to out. The error is ErrUnfinished where patience or
// ctx ended before the server had answered; after any other, the message is not stored.
func Run(ctx context.Context, args config.SendArgs, in io.Reader, out, notes io.Writer) error {
	c := &command{SendArgs: args, in: in, out: out, notes: notes}
	if args.Lines {
		if err := c.enter(ctx); err != nil {
			return err
		}
		return c.lines(ctx)
	}
	text := strings.Join(args.Text, " ")
	if len(args.Text) == 0 {
		var err error
		if text, err = c.whole(ctx); err != nil {
			return err
		}
	}
	if err := check(text); err != nil {
		return err
	}
	if err := c.enter(ctx); err != nil {
		return err
	}
	return c.say(ctx, text, args.Nonce)
}

// enter finds the account, and goes into the channel where that is asked for.
func (c *command) enter(ctx context.Context) (err error) {
	ctx, cancel := c.patience(ctx)
	defer cancel()
	if c.account, err = access.Open(ctx, c.Access, c.notes); err == nil && c.Join {
		err = c.account.Try(ctx, func(ctx context.Context) error {
			_, err := c.account.Join(ctx, strings.TrimPrefix(*c.To, "#"))
			return err
		})
	}
	if unanswered(err) {
		return c.unfinished(ctx, "nothing was sent")
	}
	return err
}

// say sends one message and prints it.
func (c *command) say(ctx context.Context, text, nonce string) error {
	if nonce == "" {
		nonce = rand.Text()
	}
	message := client.SendRequest{Text: text, Nonce: &nonce}
	if c.To != nil {
		message.To = client.To(*c.To)
	}
	ctx, cancel := c.patience(ctx)
	defer cancel()
	var sent client.Message
	err := c.account.Try(ctx, func(ctx context.Context) (err error) {
		sent, err = c.account.Send(ctx, message)
		return err
	})
	switch {
	case unanswered(err):
		return c.unfinished(ctx, "the message may be stored or not; with --nonce "+nonce+" it is not stored twice")
	case err != nil:
		return err
	}
	c.print(sent)
	return nil
}

// print says what was stored. That it cannot be printed changes nothing of that.
func (c *command) print(sent client.Message) {
	if !c.JSON {
		fmt.Fprintln(c.out, sent.ID)
		return
	}
	lines := json.NewEncoder(c.out)
	lines.SetEscapeHTML(false)
	if err := lines.Encode(sent); err != nil {
		c.account.Note("message %d is stored, but cannot be printed: %v", sent.ID, err)
	}
}

// patience bounds the time for one message.
func (c *command) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.Timeout == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.Timeout)
}

// unanswered tells that a context ended a call from what the server said.
func unanswered(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// unfinished says what ended ctx, and what follows from it.
func (c *command) unfinished(ctx context.Context, follows string) error {
	why := "interrupted"
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		why = fmt.Sprintf("no answer in %s", c.Timeout)
	}
	return fmt.Errorf("%w: %s: %s", ErrUnfinished, why, follows)
}

// check refuses what JSON would change on its way. The rest the server says.
func check(text string) error {
	switch {
	case text == "":
		return errors.New("there is no text: nothing was sent")
	case !utf8.ValidString(text):
		return errors.New("the text is not UTF-8: nothing was sent")
	default:
		return nil
	}
}
