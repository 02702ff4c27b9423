package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

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

// olderServer is an older protocol on its listener.
type olderServer interface {
	Addr() net.Addr
	Close(ctx context.Context) error
}

// olderProtocol is how one is started.
type olderProtocol struct {
	flag, addr string
	name       string // for the log
	serve      func(l net.Listener) olderServer
}

// olderProtocols are all there are.
func (a *App) olderProtocols(cfg config.Config, o Options) []olderProtocol {
	limited := cfg.RateLimit == config.On
	return []olderProtocol{
		{"line-addr", cfg.LineAddr, "line", func(l net.Listener) olderServer {
			return gateway.ServeLine(l, gateway.LineOptions{
				Chat: a.chat, Broker: a.broker, Log: o.Log, KickAfter: cfg.LineKickAfter,
				English: cfg.LineLang == config.English, RateLimit: limited,
			})
		}},
		{"frame-addr", cfg.FrameAddr, "frame", func(l net.Listener) olderServer {
			return gateway.ServeFrame(l, gateway.FrameOptions{
				Chat: a.chat, Broker: a.broker, Log: o.Log, Limits: a.limits, LeastPassword: cfg.LegacyMinPassword,
			})
		}},
		{"ws-addr", cfg.WSAddr, "websocket", func(l net.Listener) olderServer {
			return gateway.ServeWS(l, gateway.WSOptions{
				Chat: a.chat, Broker: a.broker, Door: a.api, Log: o.Log, Limits: a.limits, Ping: o.Ping,
			})
		}},
	}
}

// openOlder serves those whose address is given.
func (a *App) openOlder(ctx context.Context, cfg config.Config, o Options, cut func()) error {
	a.older = map[string]olderServer{}
	for _, p := range a.olderProtocols(cfg, o) {
		if p.addr == "" {
			continue
		}
		listener, err := listenOld(ctx, p.flag, p.addr, o, cut)
		if err != nil {
			return err
		}
		o.Log.Info("serving an older protocol", "protocol", p.name, "address", listener.Addr().String())
		a.older[p.flag] = p.serve(listener)
	}
	return nil
}

// closeOlder ends them all at the same time.
func (a *App) closeOlder(ctx context.Context) error {
	var ending sync.WaitGroup
	errs := make(chan error, len(a.older))
	for _, s := range a.older {
		ending.Go(func() { errs <- s.Close(ctx) })
	}
	ending.Wait()
	close(errs)
	var all []error
	for err := range errs {
		all = append(all, err)
	}
	return errors.Join(all...)
}
