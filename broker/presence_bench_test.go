package broker_test

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"parley/broker"
	"parley/models"
)

// devNull is a client that reads everything at once.
type devNull struct{}

func (devNull) Write([]byte) error { return nil }

// BenchmarkPresenceRoom10000 is the worst room: 10,000 people in one room beside the lobby come back at
// once, and each hears of all others. Reported are the heap that it leaves while it lasts, and what a publish
// takes meanwhile against quiet.
func BenchmarkPresenceRoom10000(b *testing.B) {
	const people = 10_000
	var before []models.Event
	ids := make([]int64, people)
	for i := range ids {
		ids[i] = int64(i) + 2
		before = append(before, joined(9, ids[i]))
	}
	w := mustWorld(b, broker.Options{}, before...)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, id := range ids {
		s, err := w.b.Subscribe(ctx, of(id))
		if err != nil {
			b.Fatal(err)
		}
		all.Go(func() { _ = s.Run(ctx, devNull{}) })
	}
	defer all.Wait()
	defer cancel()
	quiet := publishTimes(w, 400)
	base := heap()
	var storm []time.Duration
	for b.Loop() {
		w.announce(false, models.Online, ids...)
		storm = append(storm, publishTimes(w, 400)...)
	}
	b.ReportMetric(float64(heap()-base)/people, "heap-B/person")
	slices.Sort(storm)
	slices.Sort(quiet)
	b.ReportMetric(float64(storm[len(storm)/2])/float64(quiet[len(quiet)/2]), "p50-ratio")
	b.ReportMetric(float64(storm[len(storm)*99/100])/float64(quiet[len(quiet)*99/100]), "p99-ratio")
}

// publishTimes publishes to one user and takes the time until it was written.
func publishTimes(w *world, n int) []time.Duration {
	wrote := make(chan struct{}, 16)
	ctx, cancel := context.WithCancel(context.Background())
	s, err := w.b.Subscribe(ctx, of(1))
	if err != nil {
		w.t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Run(ctx, ringing(wrote)) }()
	<-wrote // ready
	times := make([]time.Duration, n)
	for i := range times {
		began := time.Now()
		w.publish(toUser(1))
		<-wrote
		times[i] = time.Since(began)
		time.Sleep(2 * time.Millisecond)
	}
	cancel()
	<-done
	return times
}

type ringing chan struct{}

func (c ringing) Write([]byte) error {
	c <- struct{}{}
	return nil
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
