package gateway

import (
	"context"
	"net/http"
	"net/netip"

	"parley/models"
)

// Door says who may come in by a request, by the same measure and the same counts as the API. Each Take refuses what
// is done too often from an address.
type Door interface {
	// Address is where the request comes from.
	Address(r *http.Request) netip.Addr
	// Allows says whether the request comes from no page, or from one that may make it.
	Allows(r *http.Request) bool
	TakeGuest(ctx context.Context, from netip.Addr) error
	TakeVisitor(ctx context.Context, from netip.Addr) error
	TakeLogin(ctx context.Context, name string, from netip.Addr) error
	// LoggedIn remembers that somebody has logged in from the address.
	LoggedIn(u models.User, from netip.Addr)
}
