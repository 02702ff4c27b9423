package client

import (
	"context"
	"crypto/rand"
)

// Deliver is Send for who must know that it was done: it tries again where no answer came, or a 5xx or a 429, with
// growing pauses, until the server has said yes or no or ctx has ended. By its nonce, which is made up where there is none,
// the message is sent once, however often it is tried.
//
// The error is ctx's, joined with that of the last try, or an *Error of a status that no repetition can change.
func (c *Client) Deliver(ctx context.Context, message SendRequest) (Message, error) {
	if message.Nonce == nil {
		message.Nonce = new(rand.Text())
	}
	var sent Message
	err := Retry(ctx, func(ctx context.Context) (err error) {
		sent, err = c.Send(ctx, message)
		return err
	}, nil)
	return sent, err
}
