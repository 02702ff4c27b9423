package faults

import (
	"strings"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// network is a way to the server that can be made bad. It outlives the server's restarts.
type network struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
}

// newNetwork opens a way to the server at upstream, host and port.
func newNetwork(t *testing.T, upstream string) *network {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, t.Name(), freePort(t), upstream)
	if err := proxy.Start(); err != nil {
		t.Fatalf("start the proxy: %v", err)
	}
	t.Cleanup(proxy.Stop)
	return &network{t: t, proxy: proxy}
}

// url is where clients find the server by this network.
func (n *network) url() string { return "http://" + n.proxy.Listen }

// worsen adds a toxic, written as toxiproxy's own API has it.
func (n *network) worsen(toxic string) {
	n.t.Helper()
	if _, err := n.proxy.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		n.t.Errorf("add the toxic %s: %v", toxic, err)
	}
}

// mend takes all toxics away.
func (n *network) mend() { n.proxy.Toxics.ResetToxics(n.t.Context()) }

// cut breaks all connections off. New ones are taken at once.
func (n *network) cut() {
	n.t.Helper()
	n.proxy.Stop()
	n.start()
}

// start lets connections in again.
func (n *network) start() {
	n.t.Helper()
	if err := n.proxy.Start(); err != nil {
		n.t.Errorf("start the proxy again: %v", err)
	}
}
