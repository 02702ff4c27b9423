package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// proxies are the networks of the reverse proxies in front of the server. Only what comes from
// them may say by X-Forwarded-For and X-Forwarded-Proto whom it comes from; anybody else could
// write there what they like.
type proxies []netip.Prefix

func parseProxies(list []string) (proxies, error) {
	p := make(proxies, 0, len(list))
	for _, text := range list {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, fmt.Errorf("trusted proxy %q: %w", text, err)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		p = append(p, prefix)
	}
	return p, nil
}

func (p proxies) has(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// secure says whether the client speaks TLS, to us or to a proxy of ours.
func (s *server) secure(c *gin.Context) bool {
	if c.Request.TLS != nil {
		return true
	}
	if len(s.proxies) == 0 {
		return false
	}
	return s.proxies.has(peerOf(c.Request)) && strings.EqualFold(c.GetHeader("X-Forwarded-Proto"), "https")
}

// client is where the request comes from: the peer, or where that is a proxy of ours the last address in X-Forwarded-For that
// is none.
func (p proxies) client(r *http.Request) netip.Addr {
	from := peerOf(r)
	if !p.has(from) {
		return from
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && p.has(from); i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		from = hop.Unmap().WithZone("")
	}
	return from
}

// peerOf is the other end of the request's connection.
func peerOf(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return peer.Addr().Unmap().WithZone("")
}
