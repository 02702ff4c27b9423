package direct

import (
	"runtime"
	"sync"
)

// handful is how many connections a driver takes from the queue at a time, and how many may wait for each before
// another one is called.
const handful = 16

// drivers are the few goroutines that run the turns of all streams, one after the other: what a stream has to do costs
// no switch of goroutines, and no stack that has gone cold. None of them waits for a stream. Where that is to be
// done, another one drives on in its place, and it stays with the stream until that is quiet.
type drivers struct {
	mu     sync.Mutex
	queue  []*conn // have something to do, each once
	next   int     // the first of them; before it are those that were taken
	most   int     // drivers
	all    int     // drivers there are
	idle   int     // those that wait for the queue
	filled sync.Cond
	closed bool
}

// driver is one of them. It belongs to its goroutine.
type driver struct {
	of      *drivers
	retired bool
	hand    [handful]*conn // taken from the queue
	next    int            // of the hand
	many    int            // in it
	trial
}

func (d *drivers) init(most int) { d.most, d.filled.L = most, &d.mu }

// add has the turn of the connection's stream run soon.
func (d *drivers) add(c *conn) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == cap(d.queue) && d.next > len(d.queue)/2 {
		d.queue = d.queue[:copy(d.queue, d.queue[d.next:])]
		clear(d.queue[len(d.queue):cap(d.queue)])
		d.next = 0
	}
	d.queue = append(d.queue, c)
	if len(d.queue)-d.next <= (d.all-d.idle)*handful {
		return // those who drive are enough
	}
	switch {
	case d.idle > 0:
		d.idle--
		d.filled.Signal()
	case d.all < d.most:
		d.all++
		go (&driver{of: d}).run()
	}
}

// deal fills an empty hand from the queue, and waits until it can. It answers false when all is over.
func (d *drivers) deal(to *driver) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.next == len(d.queue) {
		d.queue, d.next = d.queue[:0], 0
		if d.closed {
			d.all--
			return false
		}
		d.idle++
		d.filled.Wait()
	}
	to.next, to.many = 0, copy(to.hand[:], d.queue[d.next:])
	clear(d.queue[d.next : d.next+to.many])
	d.next += to.many
	return true
}

// close has no driver wait any more. What has something to do is still served.
func (d *drivers) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed, d.idle = true, 0
	d.filled.Broadcast()
}

// run drives until all is over, or another one drives in its place. After each hand others may have the processor: a
// request that came meanwhile would have to wait for all streams.
func (d *driver) run() {
	for !d.retired {
		if d.next == d.many {
			runtime.Gosched()
			if !d.of.deal(d) {
				return
			}
		}
		c := d.hand[d.next]
		d.hand[d.next] = nil
		d.next++
		c.pump(d)
	}
}

// retire comes before the goroutine waits for its stream: another one drives on with what this one had in hand. It may
// be called again.
func (d *driver) retire() {
	if d.retired {
		return
	}
	d.retired = true
	go (&driver{of: d.of, hand: d.hand, next: d.next, many: d.many}).run()
}
