package api

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"parley/models"
)

// An older protocol that begins as HTTP lets people in by the API's own measure: whom a request comes from, whose pages may
// make it, and how often. The counts are the same ones, or a client could try twice as often by trying both ways.

// Address is where the request comes from: the peer, or where that is a proxy of ours the last address in X-Forwarded-For that
// is none.
func (a *API) Address(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	from, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	from = from.Unmap().WithZone("")
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && a.server.proxies.has(from); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		from = hop.Unmap().WithZone("")
	}
	return from
}

// Allows says whether the request comes from no page, from one of the host that it is made to, or from one that may call the API.
func (a *API) Allows(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return true
	}
	return a.server.allowsOrigin(r)
}

// TakeGuest counts a guest that is made from the address, and TakeVisitor one who seeks support.
func (a *API) TakeGuest(ctx context.Context, from netip.Addr) error {
	return a.take(ctx, "POST /v1/guest", from)
}

// TakeVisitor counts a visitor: see TakeGuest.
func (a *API) TakeVisitor(ctx context.Context, from netip.Addr) error {
	return a.take(ctx, "POST /v1/support/visitors", from)
}

// TakeLogin counts a try to log in as that name from the address.
func (a *API) TakeLogin(ctx context.Context, name string, from netip.Addr) error {
	if err := a.take(ctx, "POST /v1/login", from); err != nil {
		return err
	}
	return a.server.guesses.check(comingFrom(ctx, from), name)
}

// LoggedIn remembers that somebody has logged in from the address.
func (a *API) LoggedIn(u models.User, from netip.Addr) { a.server.guesses.right(u.Key, from) }

// take counts a call by address, as the operation's limits have it.
func (a *API) take(ctx context.Context, operation string, from netip.Addr) error {
	for _, l := range a.server.operations[operation].limits {
		if err := l.take(comingFrom(ctx, from), addressKey(from)); err != nil {
			return err
		}
	}
	return nil
}

// comingFrom is the context of a call that no request of the API makes.
func comingFrom(ctx context.Context, from netip.Addr) context.Context {
	return context.WithValue(ctx, aboutKey, &about{address: from, answer: http.Header{}})
}
