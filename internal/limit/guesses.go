package limit

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/throttled/throttled/v2/store/memstore"
)

// Guesses slows who tries passwords of one account, from however many addresses. Strangers share
// the account's count. An address from which that account has logged in has one of its own, so that
// strangers who use the other one up do not lock its owner out.
type Guesses struct {
	strangers *Counter
	friends   *Counter
	known     *memstore.MemStore // a bounded set of names with addresses
}

func newGuesses(l Limit, clock func() time.Time) (g *Guesses, err error) {
	g = &Guesses{}
	if g.strangers, err = newCounter(l, maxKeys, clock); err != nil {
		return nil, err
	}
	if g.friends, err = newCounter(l, maxKeys, clock); err != nil {
		return nil, err
	}
	if g.known, err = memstore.New(maxKeys); err != nil {
		return nil, fmt.Errorf("make the set of known addresses: %w", err)
	}
	return g, nil
}

// Check counts a login as the name of that key. A name that nobody has counts like any other, and so tells nothing.
func (g *Guesses) Check(ctx context.Context, key string, from netip.Addr) (Standing, error) {
	friend := friendKey(key, from)
	if known, _, err := g.known.GetWithTime(friend); err == nil && known > 0 {
		return g.friends.take(ctx, friend)
	}
	return g.strangers.take(ctx, key)
}

// Right remembers that the account with that key has logged in from the address.
func (g *Guesses) Right(key string, from netip.Addr) {
	_, _ = g.known.SetIfNotExistsWithTTL(friendKey(key, from), 1, 0) // in memory nothing fails
}

// friendKey is about a name and an address; no name has a NUL.
func friendKey(key string, from netip.Addr) string { return key + "\x00" + addressKey(from) }
