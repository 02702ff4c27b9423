package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/api"
	"parley/broker"
	"parley/chat"
	"parley/internal/config"
	"parley/internal/control"
	"parley/internal/direct"
	"parley/internal/limit"
	"parley/internal/metrics"
	"parley/models"
	"parley/store"
)

// patience is how long a stop waits for requests and streams to end.
const patience = 10 * time.Second

// App is a server with all its parts. It listens from New on and answers during Run.
type App struct {
	log      *slog.Logger
	store    *store.Store
	broker   *broker.Broker
	chat     *chat.Service
	api      *api.API
	server   *server
	direct   *direct.Server // nil: streams stay in their handlers
	sliding  *repetition
	control  *control.Server // nil where there is none
	janitor  *chat.Janitor
	profiles *profiles
	limits   *limit.Set             // nil: none
	older    map[string]olderServer // by the flag that names their address
	stopping atomic.Bool
	finisher background
	departed background // ends what a former process left of connections

	closing  sync.Once
	closeErr error
}

// New opens the database, makes the parts and listens; ctx is for the opening only. What it
// cannot do is an error of one line that says which flag or file it is about.
func New(ctx context.Context, cfg config.Config, o Options) (*App, error) {
	o = o.withDefaults()
	if err := cfg.Check(); err != nil {
		return nil, err
	}
	a := &App{log: o.Log}
	if err := a.open(ctx, cfg, o); err != nil {
		return nil, errors.Join(err, a.Close(ctx))
	}
	return a, nil
}

// open makes the parts, the listener last. What it made before an error is for Close.
func (a *App) open(ctx context.Context, cfg config.Config, o Options) (err error) {
	secrets, err := serverTLS(cfg, o.Log)
	if err != nil {
		return err
	}
	// The store needs to know who hears of commits, and they need the store. Nothing
	// is committed before both are there.
	var news publisher
	program := thisBuild()
	m := metrics.New(metrics.Build{
		Version: program.Version, Revision: program.Revision, GoVersion: program.Go,
	}, o.Log)
	a.store, err = store.Open(ctx, store.Options{
		Dir: cfg.Data, URL: cfg.Database.Reveal(), Log: o.Log, Clock: o.Clock,
		BatchSize: o.BatchSize, QueueSize: o.QueueSize, OnCommit: news.committed, OnBatch: m.Committed,
		SlowCommit: o.SlowCommit, Fault: o.Fault,
	})
	if err != nil {
		return fmt.Errorf("%s: %w", databaseFlag(cfg), err)
	}
	tracker := chat.NewTracker(chat.TrackerOptions{
		Clock: o.Clock, Log: o.Log, AwayAfter: cfg.AwayAfter, Limit: cfg.PresenceLimit,
	})
	a.broker = broker.New(broker.Options{
		Log: a.store, Logger: o.Log, Clock: o.Clock, Attendance: tracker, RingSize: o.RingSize, PageSize: o.PageSize,
		Heartbeat: o.Heartbeat, ShutdownSpread: o.Spread,
	})
	service := chat.New(chat.Options{
		Store: a.store, Presence: tracker, Whisper: a.broker, Hasher: chat.NewHasher(o.HashCost), Clock: o.Clock,
		Log: o.Log, Guests: cfg.Guests == config.On, MaxTextBytes: cfg.MaxMessageBytes,
		KickAfter: cfg.KickAfter, SupportLeaveAfter: cfg.SupportLeaveAfter,
	})
	news.chat, news.broker, news.metrics = service, a.broker, m
	m.Watch(metrics.Parts{Store: a.store.Stats, Broker: a.broker.Stats, Chat: service.Stats})
	head, err := a.head(ctx)
	if err != nil {
		return err
	}
	if err := service.Start(ctx); err != nil {
		return fmt.Errorf("%s: %w", databaseFlag(cfg), err)
	}
	a.broker.Start(head)
	a.sliding = repeat(o.Slide, service.SlideHeld)
	a.finisher.start(service.FinishDeletions)
	a.chat = service
	service.Begin(a.broker)
	a.departed.start(a.depart)
	if err := a.openAPI(cfg, o, m); err != nil {
		return err
	}
	if a.profiles, err = openProfiles(ctx, cfg.PprofAddr, o.Log); err != nil {
		return err
	}
	a.server, err = listen(ctx, serving{
		addr: cfg.Addr, handler: a.api, tls: secrets, log: o.Log, stall: o.Stall, body: o.BodyTime, conns: o.Connections,
		cut: m.CutReader,
	})
	if err != nil {
		return err
	}
	if err := a.openOlder(ctx, cfg, o, m.CutReader); err != nil {
		return err
	}
	// A server without it serves all the same: with PostgreSQL, --data may be nowhere to write.
	a.control, err = control.Start(ctx, cfg.Data, control.Handler(service, o.Log), o.Log)
	if err != nil {
		o.Log.Warn("`parley user` cannot reach this server", "error", err)
	}
	if o.Tidy > 0 {
		a.janitor = chat.StartJanitor(service.Chores(cfg.Retention), o.Tidy, o.Log)
	}
	return nil
}

// openAPI makes what answers requests, and what it and the older protocols count calls by.
func (a *App) openAPI(cfg config.Config, o Options, m *metrics.Metrics) (err error) {
	if cfg.RateLimit == config.On {
		if a.limits, err = limit.New(o.Clock); err != nil {
			return err
		}
	}
	if !o.PlainStreams {
		a.direct = direct.New()
	}
	a.api, err = api.New(api.Options{
		Chat: a.chat, Broker: a.broker, Log: a.store, Logger: o.Log, Ready: a.ready,
		MaxTextBytes: cfg.MaxMessageBytes, Limits: a.limits,
		CORSOrigins: cfg.CORSOrigin, TrustedProxies: cfg.TrustedProxy, Served: m.Served, Metrics: m.Handler(),
		Direct: a.direct,
	})
	return err
}

// depart has those depart whom a crash left in the older protocols, also in those that are off now.
func (a *App) depart(ctx context.Context) {
	if err := a.chat.DepartLeft(ctx); err != nil && ctx.Err() == nil {
		a.log.Warn("end the sessions of former connections", "error", err)
	}
}

// databaseFlag names what was opened, for errors.
func databaseFlag(cfg config.Config) string {
	if cfg.Database != "" {
		return fmt.Sprintf("--database %s", cfg.Database)
	}
	return "--data " + cfg.Data
}

func (a *App) head(ctx context.Context) (head int64, err error) {
	err = a.store.View(ctx, func(r chat.Reader) error {
		head, err = r.Head()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("read the log's head: %w", err)
	}
	return head, nil
}

// publisher tells of what was committed: the caches first, so that whoever learns of
// an event from a stream is not served from before it.
type publisher struct {
	chat    *chat.Service
	broker  *broker.Broker
	metrics *metrics.Metrics
}

func (p *publisher) committed(events []models.Event) {
	p.metrics.Published(events)
	p.chat.Observe(events)
	p.broker.Publish(events)
}

func (a *App) ready(ctx context.Context) error {
	if a.stopping.Load() {
		return models.Unavailable(nil, "the server is stopping") // for a load balancer, until the end
	}
	return a.store.Ping(ctx)
}

// background is a goroutine that runs from start to stop.
type background struct {
	cancel  context.CancelFunc
	running sync.WaitGroup
}

func (b *background) start(run func(ctx context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel = cancel
	b.running.Go(func() { run(ctx) })
}

// stop ends it and waits for its end, if it was started.
func (b *background) stop() {
	if b.cancel != nil {
		b.cancel()
		b.running.Wait()
	}
}

// URL is where the server can be reached from this machine.
func (a *App) URL() string { return a.server.url() }

// Addr is the address that it listens on, with the port that port 0 became.
func (a *App) Addr() string { return a.server.listener.Addr().String() }

// OlderAddr is the address of an older protocol, which the flag names; empty where it is off.
func (a *App) OlderAddr(flag string) string {
	if s := a.older[flag]; s != nil {
		return s.Addr().String()
	}
	return ""
}

// Run answers requests until ctx ends or Close is called, neither of which is an error. The end of
// ctx begins what Close does; Close must follow all the same, to wait for it. Run is called once.
func (a *App) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() {
		_ = a.Close(context.WithoutCancel(ctx)) // the caller's Close has the error too
	})()
	return a.server.serve()
}

// Close stops in the order that the package comment tells. When ctx ends or its patience does, streams
// and requests are cut off, which is a warning in the log and no error: what they had been answered
// is on disk. Close may be called again, and from several goroutines: all wait for the first one's
// end and get its result.
func (a *App) Close(ctx context.Context) error {
	a.closing.Do(func() {
		a.stopping.Store(true)
		a.departed.stop()
		a.finisher.stop() // those who wait for it are answered, or they would hold up the stop
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		if a.janitor != nil {
			a.janitor.Close()
		}
		if err := a.closeStreams(ctx); err != nil {
			a.log.Warn("stopped before all clients were done", "error", err)
		}
		a.sliding.stop()
		if a.chat != nil {
			a.chat.Close()
		}
		a.closeErr = a.closeStore()
		a.profiles.close() // the last: they may be of the stop itself
	})
	return a.closeErr
}

// closeStreams ends streams and requests at the same time: the listener must be closed while
// the streams end, or their clients would come right back.
func (a *App) closeStreams(ctx context.Context) error {
	var ending sync.WaitGroup
	var streams, taken, requests, calls, older error
	ending.Go(func() { older = a.closeOlder(ctx) })
	if a.broker != nil {
		ending.Go(func() { streams = a.broker.Close(ctx) })
	}
	if a.server != nil {
		ending.Go(func() { requests = a.server.stop(ctx) })
	}
	if a.control != nil {
		ending.Go(func() { calls = a.control.Close(ctx) })
	}
	ending.Wait()
	taken = a.direct.Close(ctx) // when no handler can hand over another
	if streams != nil {
		streams = fmt.Errorf("end the streams: %w", streams)
	}
	return errors.Join(streams, taken, requests, calls, older)
}

func (a *App) closeStore() error {
	if a.store == nil {
		return nil
	}
	return a.store.Close()
}
