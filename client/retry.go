package client

import (
	"context"
	"errors"
	"time"
)

// Retry tries until it works, the server refuses for good, or ctx has ended: where no answer came, or a 5xx or a 429, it
// tries again, with growing pauses. What is tried must be safe to repeat.
//
// onRetry, where it is not nil, hears of every try that failed and the time until the next.
//
// The error is ctx's, joined with that of the last try, or an *Error of a status that no repetition can change.
func Retry(ctx context.Context, try func(ctx context.Context) error, onRetry func(err error, wait time.Duration)) error {
	pauses := newPauses(time.Second, 30*time.Second)
	for {
		err := try(ctx)
		if err == nil || final(err) {
			return err
		}
		wait := pauses.next(err)
		if onRetry != nil && ctx.Err() == nil {
			onRetry(err, wait)
		}
		if ended := sleep(ctx, wait); ended != nil {
			return errors.Join(ended, err)
		}
	}
}
