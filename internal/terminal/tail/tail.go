package tail

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"parley/client"
	"parley/internal/config"
	"parley/internal/terminal/access"
)

// batch is how many events are printed between two writes of the cursor while more are waiting.
const batch = 256

// errUnread is standard output that nobody reads any more.
var errUnread = errors.New("nobody reads the output")

// command is one run of `parley tail`.
type command struct {
	config.TailArgs
	account *access.Account
	out     *bufio.Writer
	rooms   *rooms
	cursor  cursor
}

// Run prints what happens until ctx ends or nobody reads out any more, neither of which is an error.
func Run(ctx context.Context, args config.TailArgs, out, notes io.Writer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	release, err := whenUnread(out, func() { cancel(errUnread) })
	if err != nil {
		return err
	}
	defer release()
	c := &command{TailArgs: args, out: bufio.NewWriterSize(out, 64<<10)}
	err = c.run(ctx, notes)
	if ctx.Err() != nil && errors.Is(err, context.Canceled) || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

func (c *command) run(ctx context.Context, notes io.Writer) (err error) {
	if c.cursor, err = openCursor(c.Cursor); err != nil {
		return err
	}
	if c.account, err = access.Open(ctx, c.Access, notes); err != nil {
		return err
	}
	if c.rooms, err = openRooms(ctx, c.account); err != nil {
		return err
	}
	for _, ref := range c.Room {
		if err := c.rooms.choose(ctx, ref, c.Join); err != nil {
			return err
		}
	}
	after, err := c.begin(ctx)
	if err != nil {
		return err
	}
	return c.follow(ctx, client.EventsOptions{After: after, Rooms: c.rooms.filter(), Types: c.asked()})
}

// begin says from where on, nil being from now, and prints the history where that is asked for.
func (c *command) begin(ctx context.Context) (after *int64, err error) {
	switch {
	case c.cursor.at >= 0:
		return new(c.cursor.at), nil
	case c.Last == 0:
		return c.After, nil
	}
	at, err := c.history(ctx)
	if err != nil {
		return nil, err
	}
	return &at, c.settle(at)
}

// item is an event, a lost connection, or the end.
type item struct {
	event client.Event
	lost  error
	wait  time.Duration // with lost: until the next try
	err   error
}

// follow prints events until they end, which is always an error.
func (c *command) follow(ctx context.Context, opts client.EventsOptions) error {
	ctx, cancel := context.WithCancel(ctx)
	items := make(chan item, batch)
	defer func() { // the sender is gone before its caller goes on
		cancel()
		for range items { // until it is closed
		}
	}()
	hand := func(i item) bool {
		select {
		case items <- i:
			return true
		case <-ctx.Done():
			return false
		}
	}
	opts.OnRetry = func(err error, wait time.Duration) {
		hand(item{lost: err, wait: wait})
	}
	go func() {
		defer close(items)
		for e, err := range c.account.Events(ctx, opts) {
			if !hand(item{event: e, err: err}) {
				return
			}
		}
	}()
	return c.take(ctx, items)
}

// take prints what comes, and settles when nothing more is there to print.
func (c *command) take(ctx context.Context, items <-chan item) error {
	at := c.cursor.at
	for n := 1; ; n++ {
		i, err := next(ctx, items)
		if err == nil && i.lost != nil {
			c.account.Waiting(i.lost, i.wait)
			continue
		}
		if err == nil {
			err = c.show(ctx, i.event)
		}
		if err == nil {
			at = i.event.Cursor
		}
		if err == nil && len(items) > 0 && n%batch != 0 {
			continue
		}
		if err := c.settle(at); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
}

// next waits for an item. The error is ctx's, or why nothing more comes.
func next(ctx context.Context, items <-chan item) (item, error) {
	select {
	case i, more := <-items:
		if !more { // only ctx ends them without a word
			return i, ctx.Err()
		}
		if errors.Is(i.err, client.ErrSessionEnded) {
			return i, errors.New("the session has ended: log in again to go on")
		}
		return i, access.Explain(i.err)
	case <-ctx.Done():
		return item{}, ctx.Err()
	}
}

// settle writes what is printed, and then the position behind it.
func (c *command) settle(at int64) error {
	if err := c.out.Flush(); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return c.cursor.move(at)
}
