package api

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// An older protocol that begins as HTTP lets people in by the API's own measure: whom a request comes from, and whose pages may
// make it.

// Address is where the request comes from, as it is for the API.
func (a *API) Address(r *http.Request) netip.Addr { return a.server.proxies.client(r) }

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
