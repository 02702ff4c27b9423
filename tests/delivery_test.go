package tests

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"parley/client"
	"parley/internal/app"
	"parley/tests/harness"
)

// scene is a server that behaves in one way, and what can be asked of its readers there.
type scene struct {
	name string
	with harness.Option
	// behind says that streams may read on in the log at any time. What is revoked before they get
	// there is gone for them, so that nobody may delete a room that the oracle must know of.
	behind bool
}

var scenes = []scene{
	{name: "live", with: harness.Tune(func(o *app.Options) { o.Heartbeat = 50 * time.Millisecond })},
	{name: "from the log", behind: true, with: harness.Tune(func(o *app.Options) {
		o.RingSize, o.PageSize, o.Heartbeat = 2, 3, 20*time.Millisecond
	})},
	{name: "in the handlers", with: plainStreams()},
	{name: "live on PostgreSQL", with: harness.Postgres()},
}

// TestDelivery lets a crowd write, come and go while everybody reads in every way there is,
// and then holds what each reader got against the oracle.
//
// PARLEY_TEST_LONG=N makes N rounds of it, PARLEY_TEST_SEED=N repeats the dice of a round; what the
// scheduler does is another matter.
func TestDelivery(t *testing.T) {
	t.Parallel()
	rounds := max(1, fromEnv(t, "PARLEY_TEST_LONG"))
	for round := range rounds {
		for _, s := range scenes {
			seed := fromEnv(t, "PARLEY_TEST_SEED")
			if seed == 0 {
				seed = rand.IntN(1 << 30)
			}
			t.Run(fmt.Sprintf("%s %d", s.name, round+1), func(t *testing.T) {
				t.Parallel()
				t.Logf("PARLEY_TEST_SEED=%d", seed)
				deliver(t, s, uint64(seed))
			})
		}
	}
}

// fromEnv reads a number; 0 where there is none.
func fromEnv(t *testing.T, name string) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

const (
	membersThere = 3
	guestsThere  = 4
	deedsEach    = 100
)

func deliver(t *testing.T, s scene, seed uint64) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	t.Cleanup(plain.CloseIdleConnections)
	l := newLedger()
	crowd := &town{server: harness.Start(t, s.with).URL(), http: harness.Client(), ledger: l, behind: s.behind}
	if err := crowd.settle(ctx, membersThere, guestsThere, seed); err != nil {
		t.Fatal(err)
	}
	readers := crowd.read(ctx, seed)
	if err := readers.opened(ctx); err != nil {
		cancel()
		t.Fatal(errors.Join(err, readers.wait()))
	}
	began := time.Now()
	if err := crowd.live(ctx); err != nil {
		cancel()
		t.Fatal(errors.Join(err, readers.wait()))
	}
	end := crowd.finish(ctx, t)
	if err := readers.wait(); err != nil {
		t.Fatal(err)
	}
	b := readBooks(l, end)
	t.Logf("%d entries, %d messages, %d edits, %d deletions, %d channels, %d readers in %v",
		len(b.entries), len(l.said), len(l.edits), len(l.deletes), len(l.rooms), len(l.readers), time.Since(began).Round(time.Millisecond))
	b.report(t)
	crowd.replay(ctx, t, b, seed)
	crowd.compare(ctx, t, b)
}

// report names every broken promise.
func (b *books) report(t *testing.T) {
	t.Helper()
	for _, f := range append(b.ledger.faults, b.faults...) {
		t.Error(f)
	}
	for _, r := range b.ledger.readers {
		for _, f := range b.check(r) {
			t.Error(f)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
}

// readers are the goroutines that follow.
type readers struct {
	all    []*follower
	errs   chan error
	cancel context.CancelFunc
}

// read starts all readers of the people who stay.
func (t *town) read(ctx context.Context, seed uint64) *readers {
	ctx, cancel := context.WithCancel(ctx)
	rs := &readers{errs: make(chan error, 16*len(t.people)), cancel: cancel}
	start := func(f *follower, connect func(context.Context) error) {
		rs.all = append(rs.all, f)
		go func() {
			err := f.run(ctx, connect)
			if err != nil {
				cancel() // one is enough
			}
			rs.errs <- err
		}()
	}
	for i, p := range t.people {
		tap := newFollower("tap", p, seed)
		tap.tap, tap.steady = true, p.fixed && !t.behind // a rename, too, makes a stream read on in the log
		start(tap, tap.sse)

		cutSSE := newFollower("cut SSE", p, seed+1)
		cutSSE.after, cutSSE.cut = 0, true
		start(cutSSE, cutSSE.sse)

		awayLines := newFollower("cut NDJSON, away at times", p, seed+2)
		awayLines.cut, awayLines.away = true, true
		start(awayLines, awayLines.lines)

		poll := newFollower("poll", p, seed+3)
		poll.cut = true
		start(poll, poll.poll)

		iterator := newFollower("client.Events", p, seed+4)
		iterator.after = 0
		start(iterator, iterator.iterate)

		types := newFollower("messages and members only", p, seed+5)
		types.types = []client.EventType{client.EventTypeMessageCreated, client.EventTypeMessageUpdated, client.EventTypeMemberJoined}
		types.filter = func(e entry) bool { return slices.Contains(types.types, e.kind) }
		types.cut = true
		start(types, []func(context.Context) error{types.sse, types.poll}[i%2])

		rooms := newFollower("lobby only", p, seed+6)
		rooms.rooms = []string{"lobby"}
		rooms.filter = func(e entry) bool { return e.room == 0 || e.room == lobby }
		rooms.cut, rooms.away = true, true
		start(rooms, rooms.lines)
	}
	return rs
}

// opened waits until each has its first connection: the taps must see everything.
func (rs *readers) opened(ctx context.Context) error {
	for _, f := range rs.all {
		select {
		case <-f.opened:
		case err := <-rs.errs:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// wait gives the first error, after all have ended.
func (rs *readers) wait() error {
	defer rs.cancel()
	var first error
	for range rs.all {
		if err := <-rs.errs; err != nil && first == nil {
			first = err
		}
	}
	return first
}

// live lets everybody act until they have done their deeds.
func (t *town) live(ctx context.Context) error {
	errs := make(chan error, len(t.people))
	for _, p := range t.people {
		go func() { errs <- p.live(ctx, deedsEach) }()
	}
	var all error
	for range t.people {
		all = errors.Join(all, <-errs)
	}
	return all
}

// finish says the last word, which everybody gets, and gives its id.
func (t *town) finish(ctx context.Context, tb testing.TB) int64 {
	tb.Helper()
	if err := t.people[0].say(ctx, "", theEnd, ""); err != nil {
		tb.Fatal(err)
	}
	t.ledger.finish()
	return t.ledger.highest()
}

// replay reads everything again in each way, from the beginning and from a place in between: all
// must give what the oracle says is kept.
func (t *town) replay(ctx context.Context, tb testing.TB, b *books, seed uint64) {
	tb.Helper()
	end := t.ledger.highest()
	var all sync.WaitGroup
	defer all.Wait()
	for _, p := range t.people {
		t.replayBy(ctx, tb, b, p, 0, seed, &all)
		t.replayBy(ctx, tb, b, p, 1+p.dice.Int64N(end-1), seed, &all)
	}
}

func (t *town) replayBy(ctx context.Context, tb testing.TB, b *books, p *person, after int64, seed uint64, all *sync.WaitGroup) {
	tb.Helper()
	want := b.kept(p.id, after)
	for name, connect := range ways {
		f := newFollower(fmt.Sprintf("replay after %d by %s", after, name), p, seed)
		f.after, f.cut = after, name == "cut SSE"
		all.Go(func() {
			if err := f.run(ctx, connect(f)); err != nil {
				tb.Error(err)
				return
			}
			got := make([]int64, len(f.got))
			for i, a := range f.got {
				got[i] = a.id
			}
			if !slices.Equal(got, want) {
				tb.Errorf("%s: %s", f.name, difference(got, want))
			}
			b.buried(f.reader, func(format string, args ...any) { tb.Errorf(f.name+": "+format, args...) })
		})
	}
}

// ways are the ways to follow the log.
var ways = map[string]func(*follower) func(context.Context) error{
	"SSE":     func(f *follower) func(context.Context) error { return f.sse },
	"cut SSE": func(f *follower) func(context.Context) error { return f.sse },
	"NDJSON":  func(f *follower) func(context.Context) error { return f.lines },
	"poll":    func(f *follower) func(context.Context) error { return f.poll },
}
