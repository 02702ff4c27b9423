package chat

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"parley/models"
)

// Options are what a Service is made of. Store and Hasher are required.
type Options struct {
	Store             Store
	Presence          *Tracker  // nil: nobody is online
	Whisper           Whisperer // nil: nobody is told
	Hasher            *Hasher
	Clock             Clock        // nil: time.Now
	Log               *slog.Logger // nil: discarded
	Guests            bool
	MaxTextBytes      int           // of a message; 0: DefaultMaxText
	KickAfter         time.Duration // an idle session is ended; 0: never
	SupportLeaveAfter time.Duration // a visitor away for longer has left support; 0: never
	SessionCacheOf    int           // sessions kept in memory; 0: DefaultSessionCache
}

// Defaults of Options.
const (
	DefaultMaxText      = 16 << 10
	DefaultSessionCache = 50_000
)

// Service is the rules at work. It is safe for concurrent use.
type Service struct {
	store    Store
	presence *Tracker
	whisper  Whisperer
	hasher   *Hasher
	now      Clock
	log      *slog.Logger
	guests   bool
	maxText  int
	started  time.Time
	sessions *sessionCache
	tickets  *ticketDesk
	uses     *useDesk
	barrier  barrier
	readings readLog
	finisher *finisher
	exports  *exportDesk
	scrubs   *scrubber
	desk     *desk
	lookUps  chan struct{} // one token for each session being read
	touches  *toucher
	floorNow lastNow
	idle     *idler

	stop    chan struct{} // closed by Close, ends the goroutines of Begin
	stopped sync.Once
	running sync.WaitGroup
}

// New makes a Service.
func New(o Options) *Service {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Presence == nil {
		o.Presence = NewTracker(TrackerOptions{Clock: o.Clock, Log: o.Log})
	}
	if o.Whisper == nil {
		o.Whisper = silence{}
	}
	if o.MaxTextBytes == 0 {
		o.MaxTextBytes = DefaultMaxText
	}
	if o.SessionCacheOf == 0 {
		o.SessionCacheOf = DefaultSessionCache
	}
	return &Service{
		store: o.Store, presence: o.Presence, whisper: o.Whisper, hasher: o.Hasher, now: o.Clock, log: o.Log,
		guests: o.Guests, maxText: o.MaxTextBytes, started: o.Clock(),
		sessions: newSessionCache(o.SessionCacheOf), tickets: newTicketDesk(), uses: newUseDesk(),
		finisher: newFinisher(), exports: newExportDesk(),
		lookUps: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		touches: newToucher(o.Store, o.Log),
		scrubs:  newScrubber(func(ctx context.Context) error { return o.Store.Scrub(ctx) }, o.Log),
		desk:    newDesk(o),
		idle:    &idler{after: o.KickAfter, now: o.Clock, store: o.Store, log: o.Log},
		stop:    make(chan struct{}),
	}
}

// Start does what must be done before the first call.
func (s *Service) Start(ctx context.Context) error {
	if err := s.loadBans(ctx); err != nil {
		return err
	}
	if err := s.callFinisher(ctx); err != nil {
		return err
	}
	return s.closeLeftTickets(ctx)
}

// Begin starts what the rules do by themselves: presence is announced by tell, last uses are written
// down, idle sessions end. It is called once, when the store and tell are at work.
func (s *Service) Begin(tell Announcer) {
	s.presence.Start(tell, s.store, s.touches.note)
	s.running.Go(func() { s.touches.loop(s.stop) })
	ctx, cancel := context.WithCancel(context.Background())
	s.running.Go(func() { <-s.stop; cancel() })
	s.running.Go(func() { s.scrubs.loop(ctx) })
	s.running.Go(func() { s.tend(s.stop) })
	if s.idle.after > 0 {
		s.running.Go(func() { s.idle.loop(s.stop) })
	}
}

// Close ends what Begin started and waits for it; last uses that were not written down are then. It is
// called before the store is closed.
func (s *Service) Close() {
	s.stopped.Do(func() { close(s.stop) })
	s.presence.Close()
	s.running.Wait()
}

// guarded makes a panic an error, as a request's panic is one: what the server does by itself must not end
// it either.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}

// Acted notes that the actor did something, as opposed to looking: it ends being away, and idleness begins
// anew.
func (s *Service) Acted(a Actor) {
	s.presence.Act(a.User.ID)
	s.idle.act(a)
}

// Observe tells the caches what was committed. The store calls it in id order, before the
// command's caller gets its answer, so that nobody who was told of a change can still
// be served from before it.
func (s *Service) Observe(events []models.Event) {
	for i := range events {
		switch events[i].Type {
		case models.MessageDeleted:
			s.scrubs.ring() // whether or not its caller is still there
		case models.SupportUpdated:
			s.desk.ring()
		}
		switch c := events[i].Change; c.Kind {
		case models.SessionGone, models.UserAltered:
			s.sessions.forget(c.UserID)
			if c.Kind == models.SessionGone {
				s.idle.forget(c.SessionID)
			}
		case models.BanSet, models.BanLifted:
			s.observeBan(&events[i])
		case models.UserGone:
			s.sessions.forget(c.UserID)
			s.finisher.ring() // whether or not its caller is still there
		}
	}
}

// Actor is who makes a call: an account by one of its sessions; or the operator, who is no account
// and may only administer.
type Actor struct {
	User     models.User
	Session  models.Session
	Address  string // where the call comes from, for bans and the audit log
	Operator string // the name on the server's machine of who acts at its command line; else empty
}

// acting reads the actor's account anew inside a command: its role and name may have
// changed since the request came in, and nothing that was under way may follow a ban.
func acting(r Reader, a Actor) (models.User, error) {
	u, err := r.User(a.User.ID)
	if errors.Is(err, ErrNotFound) {
		return u, models.Refuse(models.CodeUnauthorized, "the account is no more")
	}
	if err != nil {
		return u, fmt.Errorf("read the acting user: %w", err)
	}
	if tx, ok := r.(Tx); ok && u.BannedUntil.After(tx.Now().Time) {
		return u, errSession() // which the ban has ended
	}
	return u, nil
}

// found turns a look-up's ErrNotFound into the refusal a client reads.
func found(err error, what string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrNotFound):
		return models.NotFound(what)
	default:
		return fmt.Errorf("read %s: %w", what, err)
	}
}

// view is Store.View for a value.
func view[T any](ctx context.Context, s *Service, read func(r Reader) (T, error)) (T, error) {
	var out T
	err := s.store.View(ctx, func(r Reader) (err error) {
		out, err = read(r)
		return err
	})
	return out, err
}

// do is Store.Do for a value.
func do[T any](ctx context.Context, s *Service, write func(tx Tx) (T, error)) (T, error) {
	var out T
	err := s.store.Do(ctx, func(tx Tx) (err error) {
		out, err = write(tx)
		return err
	})
	if err != nil {
		var none T // where ctx has ended, the command may still be at work on out
		return none, err
	}
	return out, nil
}
