package api

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// An older protocol that begins as HTTP lets people in by the API's own measure: whom a request comes from, and whose pages may
// make it.

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
