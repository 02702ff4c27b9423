package api

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/throttled/throttled/v2/store/memstore"

	"parley/models"
)

// guesses slows who tries passwords of one account, from however many addresses. Strangers share
// the account's count. An address from which that account has logged in has one of its own, so that
// strangers who use the other one up do not lock its owner out. nil counts nothing.
type guesses struct {
	strangers *limiter
	friends   *limiter
	known     *memstore.MemStore // a bounded set of names with addresses
}

func newGuesses(l limit, clock func() time.Time) (g *guesses, err error) {
	g = &guesses{}
	if g.strangers, err = newLimiter(l, maxKeys, clock); err != nil {
		return nil, err
	}
	if g.friends, err = newLimiter(l, maxKeys, clock); err != nil {
		return nil, err
	}
	if g.known, err = memstore.New(maxKeys); err != nil {
		return nil, fmt.Errorf("make the set of known addresses: %w", err)
	}
	return g, nil
}

// check counts a login as that name. A name that nobody has counts like any other, and so tells nothing; of
// one that nobody can have only the address is counted.
func (g *guesses) check(ctx context.Context, name string) error {
	if g == nil {
		return nil
	}
	_, key, err := models.UserName(name)
	if err != nil {
		return nil //nolint:nilerr // the login itself refuses it, as it does a wrong password
	}
	friend := friendKey(key, aboutOf(ctx).address)
	if known, _, err := g.known.GetWithTime(friend); err == nil && known > 0 {
		return g.friends.take(ctx, friend)
	}
	return g.strangers.take(ctx, key)
}

// right remembers that the account with that key has logged in from the address.
func (g *guesses) right(key string, from netip.Addr) {
	if g != nil {
		_, _ = g.known.SetIfNotExistsWithTTL(friendKey(key, from), 1, 0) // in memory nothing fails
	}
}

// friendKey is about a name and an address; no name has a NUL.
func friendKey(key string, from netip.Addr) string { return key + "\x00" + addressKey(from) }
