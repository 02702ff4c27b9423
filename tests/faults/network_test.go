package faults

import (
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// network is a way to the server that can be made bad. It outlives the server's restarts.
type network struct {
	t                *testing.T
	listen, upstream string
	proxy            *toxiproxy.Proxy
}

// newNetwork opens a way to the server at upstream, host and port, that is bad in the ways of the toxics.
func newNetwork(t *testing.T, upstream string, toxics ...string) *network {
	t.Helper()
	n := &network{t: t, listen: freePort(t), upstream: upstream}
	n.become(toxics...)
	t.Cleanup(func() { n.proxy.Stop() })
	return n
}

// url is where clients find the server by this network.
func (n *network) url() string { return "http://" + n.listen }

// become breaks off all connections and lets new ones in that are bad in these ways, written as toxiproxy's own API has them. With
// none it is a good network. Toxics of open connections are never changed: toxiproxy can wait for ever then.
func (n *network) become(toxics ...string) {
	n.t.Helper()
	if n.proxy != nil {
		n.proxy.Stop()
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	n.proxy = toxiproxy.NewProxy(server, n.t.Name(), n.listen, n.upstream)
	for _, toxic := range toxics {
		if _, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
			n.t.Errorf("add the toxic %s: %v", toxic, err)
		}
	}
	if err := n.proxy.Start(); err != nil {
		n.t.Errorf("start the proxy: %v", err)
	}
}
