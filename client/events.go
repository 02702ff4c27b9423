package client

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"time"
)

// ErrSessionEnded ends Events behind a session.ended event, whose payload has the reason.
var ErrSessionEnded = errors.New("the session has ended")

// EventsOptions say which events are wanted and how patient to be. The zero value is every event from
// now on.
type EventsOptions struct {
	// After is the position to begin behind, an id or a cursor; 0 is all that is kept, nil from now,
	// which is the first `ready`.
	After *int64
	// Rooms and Types narrow the events; see the API. Empty is all.
	Rooms []string
	Types []EventType
	// OnRetry hears of every connection that failed or was cut, and the time until the next try. It runs
	// on the loop's goroutine. End ctx to give up.
	OnRetry func(err error, wait time.Duration)

	// Wait is the least pause before a reconnect until the server's own `retry:` replaces it; 1 s
	// where 0. It doubles with each failure, jittered, up to MaxWait; 30 s where 0.
	Wait, MaxWait time.Duration
	// Silence is how long nothing at all may come before a connection is given up as dead; 40 s where
	// 0. The server sends a heartbeat every 15 s. Time spent in the loop's body does not count.
	Silence time.Duration
}

func (o EventsOptions) withDefaults() EventsOptions {
	o.Wait = orDefault(o.Wait, time.Second)
	o.MaxWait = orDefault(o.MaxWait, 30*time.Second)
	o.Silence = orDefault(o.Silence, 40*time.Second)
	return o
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// Events follows the log over GET /v1/events/stream and reconnects for as long as it makes sense.
// The sequence begins at the first connection and can be ranged over again, from the same options.
//
// Unless the body leaves the loop, the sequence ends with exactly one pair of an error and no event:
// ctx.Err(), ErrSessionEnded behind the event of that name, or an *Error of a 4xx status that no
// repetition can change (401, 403, 422, …; not 429). All else (cut connections, 5xx, 429, frames that
// cannot be read) leads to a new connection from where the last one got to.
//
// A `reset` event means that events were missed: load anew what you show. `ready` comes at
// every connection.
func (c *Client) Events(ctx context.Context, opts EventsOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		f := newFollower(c, opts.withDefaults())
		err := f.follow(ctx, func(e Event) bool { return yield(e, nil) })
		if err != nil {
			yield(Event{}, err)
		}
	}
}

// follower is one run of Events: where it is, and how long to wait before the next connection.
type follower struct {
	client *Client
	opts   EventsOptions
	cursor int64 // -1: none yet
	pauses pauses
}

func newFollower(c *Client, opts EventsOptions) *follower {
	f := &follower{client: c, opts: opts, cursor: -1, pauses: newPauses(opts.Wait, opts.MaxWait)}
	if opts.After != nil {
		f.cursor = *opts.After
	}
	return f
}

// errLeft is the loop's body that wants no more.
var errLeft = errors.New("left")

// follow makes one connection after the other. It gives nil only where the body left.
func (f *follower) follow(ctx context.Context, hand func(Event) bool) error {
	for {
		err := f.connection(ctx, hand)
		switch {
		case errors.Is(err, errLeft):
			return nil
		case final(err):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		wait := f.pauses.next(err)
		if f.opts.OnRetry != nil {
			f.opts.OnRetry(err, wait)
		}
		if err := sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// final tells what no repetition can change. 408, 425 and 429 are refusals of the moment.
func final(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Status >= 400 && e.Status < 500 && !slices.Contains([]int{
			http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests,
		}, e.Status)
	}
	return errors.Is(err, ErrSessionEnded)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
