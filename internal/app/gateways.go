package app

import (
	"context"
	"fmt"
	"net"

	"parley/gateway"
	"parley/internal/config"
)

// gatewayConnections is how many connections one of the older protocols has at once, at most: each costs an account and a
// stream, and the API is to have most of what the open-file limit leaves.
const gatewayConnections = 4096

// listenOld opens the address for one of the older protocols. Without a host it is this machine's own only.
func listenOld(ctx context.Context, flag, addr string, o Options, cut func()) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, err)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := listenTCP(ctx, net.JoinHostPort(host, port), o.Stall, cut)
	if err != nil {
		return nil, fmt.Errorf("--%s %s: %w", flag, addr, reasonOf(err))
	}
	most := gatewayConnections
	if o.Connections > 0 {
		most = min(most, max(1, o.Connections/2))
	}
	return &boundedListener{Listener: listener, most: most, log: o.Log}, nil
}

// openLine serves the line protocol at once; without an address it gives nil.
func (a *App) openLine(ctx context.Context, cfg config.Config, o Options, cut func()) (*gateway.Line, error) {
	if cfg.LineAddr == "" {
		return nil, nil //nolint:nilnil // nothing was asked for, and nothing is there
	}
	listener, err := listenOld(ctx, "line-addr", cfg.LineAddr, o, cut)
	if err != nil {
		return nil, err
	}
	o.Log.Info("serving the line protocol", "address", listener.Addr().String())
	return gateway.ServeLine(listener, gateway.LineOptions{
		Chat: a.chat, Broker: a.broker, Log: o.Log, KickAfter: cfg.LineKickAfter,
		English: cfg.LineLang == config.English, RateLimit: cfg.RateLimit == config.On,
	}), nil
}
