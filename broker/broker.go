package broker

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"parley/models"
)

// What Subscribe, Watch, Run, Pump and Wait may answer.
var (
	// ErrTooManyStreams refuses one stream, or one waiter, more than a session may have.
	ErrTooManyStreams = errors.New("too many streams of this session")
	// ErrClosed says that the broker is closing; the client should come again with its cursor.
	ErrClosed = errors.New("broker is closing")
	// ErrSessionEnded ends the waiters of a session that has ended.
	ErrSessionEnded = errors.New("session has ended")
	// ErrLeft ends a stream whose reader has gone.
	ErrLeft = errors.New("reader has gone")
	// ErrQuiet says that a stream needs no goroutine for now.
	ErrQuiet = errors.New("stream is quiet")
)

// MaxStreams is how many streams, and how many waiters, a session may have open.
const MaxStreams = 32

// Log is what the broker needs of the store. Each call reads one snapshot, which holds at
// least every event that was published before the call.
type Log interface {
	Standing(ctx context.Context, userID int64) (models.Standing, error)
	// Page gives what of the log after the id `after` the user is entitled to.
	Page(ctx context.Context, userID, after int64, limit int) (models.LogPage, error)
}

// Attendance hears who is here: each Arrive is followed by one Depart with the same arguments. It is
// called without any lock of the broker, and may call back.
type Attendance interface {
	Arrive(userID, sessionID int64, poll bool)
	Depart(userID, sessionID int64, poll bool)
}

// nobody counts nobody.
type nobody struct{}

func (nobody) Arrive(int64, int64, bool) {}
func (nobody) Depart(int64, int64, bool) {}

// Options of a Broker. Zero values stand for the defaults named.
type Options struct {
	Log    Log // required
	Logger *slog.Logger
	Clock  func() time.Time // stamps frames without an id; time.Now
	// Attendance hears who is here. An account of which it heard is kept until Forget; without
	// one, until its last reader has gone.
	Attendance Attendance

	RingSize  int // events kept in memory, a power of two; 32,768
	RingBytes int // bytes of them, the oldest evicted; 32 MiB
	PageSize  int // events in a page of the log; 256
	// LagReaders is how many pages of the log are read at once; 4.
	LagReaders int
	// Joins is how many streams read where they stand at once; half the processors. The others wait.
	Joins int
	// Heartbeat is the quiet after which a stream gets a heartbeat; 15 s.
	Heartbeat time.Duration
	// MaxStreamsPerSession bounds the streams of a session, and its waiters; MaxStreams.
	MaxStreamsPerSession int
	// TypingMost is how many streams are told of somebody who types; where more would be, none is. 1000.
	TypingMost int
	// ShutdownSpread is the time over which Close ends the streams, in random order, so that
	// they do not all come back at once. 0: all at once.
	ShutdownSpread time.Duration
}

func (o Options) withDefaults() Options {
	setDefault(&o.RingSize, 32<<10)
	setDefault(&o.RingBytes, 32<<20)
	setDefault(&o.PageSize, 256)
	setDefault(&o.LagReaders, 4)
	setDefault(&o.Joins, max(1, runtime.GOMAXPROCS(0)/2))
	setDefault(&o.Heartbeat, 15*time.Second)
	setDefault(&o.MaxStreamsPerSession, MaxStreams)
	setDefault(&o.TypingMost, 1000)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Attendance == nil {
		o.Attendance = nobody{}
	}
	return o
}

func setDefault[T int | time.Duration](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}

// Broker hands the committed events of one process to its streams and waiters. See the
// package comment for what it guarantees.
type Broker struct {
	opt      Options
	ring     *ring
	index    *index
	dirty    notebook
	board    *board
	whispers *moments
	pages    chan struct{} // one token for each page of the log being read
	joins    chan struct{} // one for each stream that joins

	// routed is the last id whose readers all have been flagged. It lags behind the ring's
	// head; a heartbeat may only speak of what is routed.
	routed atomic.Int64
	ticks  atomic.Int64 // sixteenths of Options.Heartbeat since Start
	cries  atomic.Int64 // how often the crier has looked at the board
	cried  atomic.Int64 // the number on the board up to which all concerned were called

	replayed struct{ pages, events atomic.Int64 } // from the log, for Stats

	stop    chan struct{} // closed by Close, ends the goroutines below
	stopped sync.Once
	running sync.WaitGroup // waker, pacemaker and crier
}

// New makes a broker. It delivers nothing before Start.
func New(o Options) *Broker {
	o = o.withDefaults()
	b := &Broker{
		opt:      o,
		ring:     newRing(o.RingSize, o.RingBytes),
		index:    newIndex(o.MaxStreamsPerSession, o.Attendance != nobody{}),
		board:    newBoard(),
		whispers: newMoments(),
		pages:    make(chan struct{}, o.LagReaders),
		joins:    make(chan struct{}, o.Joins),
		stop:     make(chan struct{}),
	}
	b.dirty.init()
	return b
}

// Start says where the log stands before the first Publish and starts delivering. Events up
// to head are served from the log. Call it once, before Publish and Subscribe.
func (b *Broker) Start(head int64) {
	b.ring.start(head)
	b.routed.Store(head)
	b.running.Go(b.wakeLoop)
	b.running.Go(b.heartLoop)
	b.running.Go(b.cryLoop)
}

// Publish takes events that were just committed: all of the log after Start's head, internal
// ones included, each once, in id order, and from one goroutine at a time. It does not
// block, wait for a reader or fail. What was rewritten in the log (EntriesGone) is not in the broker's
// memory any more when it returns.
func (b *Broker) Publish(events []models.Event) {
	b.whispers.overtaken(events)
	for i := range events {
		if head := b.ring.head.Load(); events[i].ID <= head {
			b.opt.Logger.Error("event published out of order", "id", events[i].ID, "head", head)
			continue
		}
		if c := &events[i].Change; c.Kind == models.EntriesGone {
			b.ring.evict(c.EventIDs)
		}
		b.ring.push(newEntry(events[i]))
	}
	// The ring comes first: whoever is woken by the note finds the events there.
	b.dirty.note(events)
}

// EndSession ends the streams and waiters of a session, after everything that was
// published before the call: its streams write session.ended and Run returns nil. A stream that is
// still reading the log is cut at the end of a page. Committed events with Change SessionGone
// do the same; the first of both counts.
func (b *Broker) EndSession(sessionID int64, reason, detail string) {
	b.dirty.end(sessionID, models.EndedData{Reason: reason, Detail: detail})
}

// Close refuses new streams, ends those there are over Options.ShutdownSpread (Run and Wait
// return ErrClosed), waits until each was released and stops the broker's own goroutines.
// Where ctx ends first, streams are left to their owners and its error is returned.
func (b *Broker) Close(ctx context.Context) error {
	waiters, streams := b.index.shut()
	for _, s := range waiters {
		s.finish(&ending{err: ErrClosed})
	}
	b.endSpread(ctx, streams)
	var err error
	select {
	case <-b.index.empty:
	case <-ctx.Done():
		err = ctx.Err()
	}
	b.stopped.Do(func() { close(b.stop) })
	b.running.Wait()
	return err
}

// endSpread ends the streams evenly over the spread, or at once when ctx ends. The moments are
// absolute, so that late timers do not add up.
func (b *Broker) endSpread(ctx context.Context, streams []*subscriber) {
	rand.Shuffle(len(streams), func(i, j int) { streams[i], streams[j] = streams[j], streams[i] })
	began := time.Now()
	for i, s := range streams {
		due := b.opt.ShutdownSpread * time.Duration(i) / time.Duration(len(streams))
		if wait := due - time.Since(began); wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
			}
		}
		s.finish(&ending{err: ErrClosed})
	}
}
