package gateway

import (
	"net/http"
	"net/netip"
)

// Door says who may come in by a request, by the same measure as the API.
type Door interface {
	// Address is where the request comes from.
	Address(r *http.Request) netip.Addr
	// Allows says whether the request comes from no page, or from one that may make it.
	Allows(r *http.Request) bool
}
