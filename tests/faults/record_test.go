package faults

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"parley/tests/faults/oracle"
)

// theEnd is the text of the last message in the lobby: who gets it has got everything.
const theEnd = "that was all"

// record collects all that happens, for the oracle.
type record struct {
	mu     sync.Mutex
	clock  oracle.Tick
	run    oracle.Run
	events map[int64]string // as first seen: most readers get the same bytes
	faults map[string]int   // broken promises that need no oracle
	counts map[string]int   // what happened, by name
	top    int64            // the highest id that anybody was told of
	over   bool             // nobody changes anything any more
	moved  chan struct{}    // closed when top, a count or over changes
}

func newRecord() *record {
	return &record{events: map[int64]string{}, faults: map[string]int{}, counts: map[string]int{}, moved: make(chan struct{})}
}

func (r *record) tick() oracle.Tick {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock++
	return r.clock
}

// wake needs mu.
func (r *record) wake() {
	close(r.moved)
	r.moved = make(chan struct{})
}

// rose needs mu.
func (r *record) rose(id int64) {
	if id > r.top {
		r.top = id
		r.wake()
	}
}

func (r *record) fault(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults[fmt.Sprintf(format, args...)]++
}

// count notes that something happened.
func (r *record) count(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[what]++
	r.wake()
}

func (r *record) counted(what string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts[what]
}

func (r *record) highest() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.top
}

// await waits until something holds of what was recorded.
func (r *record) await(ctx context.Context, what string, holds func() bool) error {
	for {
		r.mu.Lock()
		done, moved := holds(), r.moved
		r.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, context.Cause(ctx))
		}
	}
}

// grow waits until the log is n entries longer, or all is over.
func (r *record) grow(ctx context.Context, n int64) error {
	to := r.highest() + n
	return r.await(ctx, fmt.Sprintf("entry %d", to), func() bool { return r.over || r.top >= to })
}

// happens waits until something was counted n times more.
func (r *record) happens(ctx context.Context, what string, n int) error {
	to := r.counted(what) + n
	return r.await(ctx, fmt.Sprintf("%d of %q", n, what), func() bool { return r.counts[what] >= to })
}

// finish says whether anybody still changes anything.
func (r *record) finish(over bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = over
	r.wake()
}

func (r *record) sent(s oracle.Send) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run.Sends = append(r.run.Sends, s)
	r.rose(s.ID)
}

func (r *record) movedOne(m oracle.Move) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run.Moves = append(r.run.Moves, m)
}

func (r *record) read(a oracle.Read) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run.Reads = append(r.run.Reads, a)
	r.rose(a.Cursor)
}

func (r *record) saw(g oracle.Glimpse) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.run.Seen = append(r.run.Seen, g)
}

// reader begins the record of one way to follow the log.
func (r *record) reader(name string, user int64) *oracle.Reader {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := &oracle.Reader{Name: name, User: user}
	r.run.Readers = append(r.run.Readers, one)
	return one
}

// connects begins the record of a connection of it.
func (r *record) connects(one *oracle.Reader, asked int64) *oracle.Conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock++
	c := &oracle.Conn{Start: r.clock, Asked: asked}
	one.Conns = append(one.Conns, c)
	return c
}

// brought notes what a connection brought.
func (r *record) brought(c *oracle.Conn, item oracle.Item) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.clock++
	item.At = r.clock
	if item.Kind == oracle.Event {
		if old, ok := r.events[item.Cursor]; ok && old == item.JSON {
			item.JSON = old
		} else if !ok {
			r.events[item.Cursor] = item.JSON
		}
	}
	c.Items = append(c.Items, item)
	if item.Kind != oracle.Whisper && item.Kind != oracle.Ended {
		r.rose(item.Cursor)
	}
}

// complaints are the broken promises that needed no oracle, with their numbers.
func (r *record) complaints() (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, text := range slices.Sorted(maps.Keys(r.faults)) {
		list = append(list, fmt.Sprintf("%s (%d times)", text, r.faults[text]))
	}
	return list
}
