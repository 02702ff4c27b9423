package broker

import (
	"bytes"
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"parley/models"
)

// orderSink holds that every id comes, one after the other.
type orderSink struct{ last int64 }

// noLog must not be needed.
type noLog struct{ Log }

var errNoLog = errors.New("the log was read")

func (noLog) Page(context.Context, int64, int64, int) (models.LogPage, error) {
	return models.LogPage{}, errNoLog
}

var errOrder = errors.New("out of order")

func (o *orderSink) Write(p []byte) error {
	for msg := range bytes.SplitSeq(bytes.TrimSuffix(p, []byte("\n\n")), []byte("\n\n")) {
		id, _, _ := bytes.Cut(bytes.TrimPrefix(msg, []byte("id: ")), []byte("\n"))
		o.last++
		if string(id) != strconv.FormatInt(o.last, 10) {
			return errOrder
		}
	}
	return nil
}

// A heartbeat between an event's publication and its delivery: it may not speak of the event,
// however far the waker has come.
func TestHeartbeatNeverPastAnEvent(t *testing.T) {
	t.Parallel()
	b := New(Options{})
	s := mustReader(t, b, 9)
	got := &lastWrite{}
	s.out.sink = got
	turn := func(want string) {
		t.Helper()
		s.beat.Store(true)
		b.ticks.Add(2 * beats) // quiet for long
		if _, err := s.turn(t.Context()); err != nil || !strings.HasPrefix(string(*got), want) {
			t.Fatalf("wrote %q, %v, want %q", *got, err, want)
		}
	}
	foreign, own := event(1, 1), event(2, 1)
	foreign.Audience, own.Audience = models.InRoom(8), models.InRoom(9)
	b.Publish([]models.Event{foreign, own})
	turn("id: 0\ndata: {\"type\":\"heartbeat\"") // not routed
	b.index.wake(own.Audience, own.ID)           // the waker has flagged, and not yet said so
	turn("id: 2\ndata: x")
	turn("id: 2\ndata: {\"type\":\"heartbeat\"")
	b.wakeAll(b.dirty.swap(newNotes()))
	turn("id: 2\ndata: {\"type\":\"heartbeat\"")
	foreign.ID = 3
	b.Publish([]models.Event{foreign})
	turn("id: 2\ndata: {\"type\":\"heartbeat\"")
	b.wakeAll(b.dirty.swap(newNotes()))
	turn("id: 3\ndata: {\"type\":\"heartbeat\"")
}

// lastWrite is a Sink that keeps what was written last.
type lastWrite []byte

func (w *lastWrite) Write(p []byte) error {
	*w = append((*w)[:0], p...)
	return nil
}

// The orders that doc.go names, hammered without a pause: the publisher, the waker and a reader,
// each on its own. A reader that keeps up gets every event and never needs the log, for which
// there is none here; a step in the wrong order loses one sooner or later.
func TestOrdersUnderFire(t *testing.T) {
	t.Parallel()
	const events, window = 50_000, 256
	b := New(Options{Log: noLog{}, RingSize: 2 * window})
	s := mustReader(t, b, 9)
	got := &orderSink{}
	s.out.sink = got
	var seen atomic.Int64
	published := make(chan struct{})
	go func() {
		defer close(published)
		for id := int64(1); id <= events; id++ {
			for id-seen.Load() > window {
				runtime.Gosched()
			}
			e := event(id, 1)
			if id%2 == 0 {
				e.Audience = models.InRoom(9)
			}
			b.Publish([]models.Event{e})
		}
	}()
	woken := make(chan struct{})
	go func() {
		defer close(woken)
		for spare := newNotes(); b.routed.Load() < events; {
			full := b.dirty.swap(spare)
			b.wakeAll(full)
			spare = full.clear()
			runtime.Gosched()
		}
	}()
	defer func() { // also after a failure
		seen.Store(events)
		<-published
		<-woken
	}()
	for got.last < events {
		if _, err := s.turn(t.Context()); err != nil {
			t.Fatalf("after event %d: %v", got.last, err)
		}
		if s.cursor != got.last {
			t.Fatalf("cursor %d after event %d", s.cursor, got.last)
		}
		seen.Store(got.last)
	}
}
