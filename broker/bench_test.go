package broker_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"parley/broker"
	"parley/models"
)

// benchHead lets all ids of a benchmark have the same number of digits, so that deliveries can
// be counted by bytes.
const benchHead = 1_000_000_000

// crowd is many streams whose sinks only count.
type crowd struct {
	b     *broker.Broker
	next  int64
	size  int // of a frame
	json  []byte
	count atomic.Int64
	goal  atomic.Int64
	done  chan struct{}
}

// stillLog never moves: whatever the streams get comes from the ring.
type stillLog struct{ rooms func(user int64) []int64 }

func (l stillLog) Standing(_ context.Context, user int64) (models.Standing, error) {
	return models.Standing{UserID: user, Head: benchHead, Oldest: 1, Rooms: l.rooms(user)}, nil
}

func (l stillLog) Page(context.Context, int64, int64, int) (models.LogPage, error) {
	return models.LogPage{}, fmt.Errorf("the log was read")
}

type countingSink struct {
	c      *crowd
	opened bool
}

func (s *countingSink) Write(p []byte) error {
	n := len(p) / s.c.size
	if !s.opened { // ready counts as one
		s.opened, n = true, 1
	}
	if s.c.count.Add(int64(n)) == s.c.goal.Load() {
		s.c.done <- struct{}{}
	}
	return nil
}

// mustCrowd opens n streams, stream i being user i+1's.
func mustCrowd(tb testing.TB, n int, rooms func(user int64) []int64) *crowd {
	tb.Helper()
	c := &crowd{
		b:    broker.New(broker.Options{Log: stillLog{rooms}}),
		next: benchHead + 1,
		json: fmt.Appendf(nil, `{"text":%q}`, strings.Repeat("x", 200)),
		done: make(chan struct{}, 1),
	}
	c.size = len(c.json) + len(fmt.Sprintf("id: %d\ndata: \n\n", c.next))
	c.goal.Store(int64(n))
	c.b.Start(benchHead)
	ctx, cancel := context.WithCancel(context.Background())
	var streams sync.WaitGroup
	for i := range n {
		s, err := c.b.Subscribe(ctx, of(int64(i)+1))
		if err != nil {
			tb.Fatal(err)
		}
		streams.Go(func() { _ = s.Run(ctx, &countingSink{c: c}) })
	}
	<-c.done
	tb.Cleanup(func() {
		cancel()
		streams.Wait()
		if err := c.b.Close(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// batch makes events for the rooms given, one each.
func (c *crowd) batch(events []models.Event, rooms ...int64) []models.Event {
	for _, room := range rooms {
		events = append(events, models.Event{
			ID: c.next, Type: models.MessageCreated, RoomID: room, Audience: models.InRoom(room), JSON: c.json,
		})
		c.next++
	}
	return events
}

// expect says how many deliveries follow; wait waits for them.
func (c *crowd) expect(n int) { c.count.Store(0); c.goal.Store(int64(n)) }
func (c *crowd) wait()        { <-c.done }

func oneRoom(int64) []int64 { return []int64{9} }

func (c *crowd) report(b *testing.B, perOp int) {
	b.ReportMetric(float64(perOp*b.N)/b.Elapsed().Seconds(), "deliveries/s")
}

// BenchmarkBurst1000: 1,000 streams, 32 events published one by one as fast as may be.
func BenchmarkBurst1000(b *testing.B) {
	c := mustCrowd(b, 1000, oneRoom)
	var events []models.Event
	b.ReportAllocs()
	for b.Loop() {
		c.expect(32 * 1000)
		for range 32 {
			events = c.batch(events[:0], 9)
			c.b.Publish(events)
		}
		c.wait()
	}
	c.report(b, 32*1000)
}

// BenchmarkSteady: 1,000 streams, one event at a time, the next when all have it.
func BenchmarkSteady(b *testing.B) {
	c := mustCrowd(b, 1000, oneRoom)
	var events []models.Event
	b.ReportAllocs()
	for b.Loop() {
		c.expect(1000)
		events = c.batch(events[:0], 9)
		c.b.Publish(events)
		c.wait()
	}
	c.report(b, 1000)
}

// BenchmarkManyRooms: 1,000 rooms of two streams each; an event in one room after the other.
func BenchmarkManyRooms(b *testing.B) {
	c := mustCrowd(b, 2000, func(user int64) []int64 { return []int64{(user + 1) / 2} })
	var events []models.Event
	room := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		c.expect(2)
		room = room%1000 + 1
		events = c.batch(events[:0], room)
		c.b.Publish(events)
		c.wait()
	}
	c.report(b, 2)
}

// BenchmarkPublish: what the writer's goroutine pays, with nobody there.
func BenchmarkPublish(b *testing.B) {
	c := mustCrowd(b, 1, func(int64) []int64 { return nil })
	var events []models.Event
	b.ReportAllocs()
	for b.Loop() {
		events = c.batch(events[:0], 9)
		c.b.Publish(events)
	}
}

// From Publish to Sink.Write nothing is allocated for a stream: what an event costs, its entry and
// its frame, is shared by all.
func TestNoAllocationPerDelivery(t *testing.T) {
	c := mustCrowd(t, 1000, oneRoom)
	events := make([]models.Event, 0, 8)
	for _, rooms := range [][]int64{{9}, {9, 9, 9, 9, 9, 9, 9, 9}} {
		deliveries := 1000 * len(rooms)
		allocs := testing.AllocsPerRun(20, func() {
			c.expect(deliveries)
			events = c.batch(events[:0], rooms...)
			c.b.Publish(events)
			c.wait()
		})
		// The bound has room for sync.Pool, which drops buffers at random under -race; one
		// allocation in a write would be 0.125 and more.
		if each := allocs / float64(deliveries); each > 0.05 {
			t.Errorf("%d events: %.3f allocations a delivery, %v in all", len(rooms), each, allocs)
		}
	}
}
