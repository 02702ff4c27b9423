package broker

import "sync/atomic"

// Host runs the turns of a stream (Pump).
type Host interface {
	// Resume is called when there is something to do, from any goroutine, which it must not keep. Pump is then to
	// be run, once.
	Resume()
	// Block is called within Open and Pump before they wait for anything but a write: for the log, or for those who
	// hear of the end.
	Block()
}

// waking says whether the host has to be called. Who flags a subscriber calls; the reader says when it begins to
// look at the flags, and rests when it has found none. A call that comes in between is found by the one or told to the
// other: flags are set before the call, and looked at after the beginning.
type waking struct {
	state atomic.Int32
	host  Host // set before the first rest
}

// The states. Before its first rest a subscriber is awake.
const (
	awake   = iota // the reader looks
	called         // the reader is to look, again or for the first time since it was called
	resting        // nobody looks; who calls has the host begin
)

// nudge has the reader look.
func (w *waking) nudge() {
	if w.state.Load() != called && w.state.Swap(called) == resting {
		w.host.Resume()
	}
}

// begin comes before each look.
func (w *waking) begin() { w.state.Store(awake) }

// rest says whether nobody has called since begin. Then the host is called when somebody does.
func (w *waking) rest() bool { return w.state.CompareAndSwap(awake, resting) }

// bell is the host of a goroutine that waits for it.
type bell chan struct{}

func newBell() bell { return make(bell, 1) }

// Resume implements Host.
func (b bell) Resume() {
	select {
	case b <- struct{}{}:
	default: // from a wait that was given up
	}
}

// Block implements Host: the goroutine is the stream's own.
func (bell) Block() {}
