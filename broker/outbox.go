package broker

import "sync"

// maxWrite is the most that is gathered into one write. A greater frame goes alone.
const maxWrite = 16 << 10

type writeBuffer [maxWrite]byte

// buffers are shared by all streams: only one that is just writing several frames has one.
var buffers = sync.Pool{New: func() any { return new(writeBuffer) }}

// outbox gathers frames into writes. A frame that stays alone is written as it is, shared
// with all other streams; from the second on they are copied into a pooled buffer.
type outbox struct {
	sink   Sink
	given  *tally       // counts what was written
	one    []byte       // the only frame so far
	buf    *writeBuffer // or several
	n      int          // bytes of them
	events int          // of the frames, those that are events
}

func (o *outbox) empty() bool { return o.n == 0 }

// add takes a frame, which must stay as it is until the next flush.
func (o *outbox) add(frame []byte) error {
	if o.n > 0 && o.n+len(frame) > maxWrite {
		if err := o.flush(); err != nil {
			return err
		}
	}
	if o.n == 0 {
		o.one, o.n = frame, len(frame)
		return nil
	}
	if o.buf == nil {
		o.buf = buffers.Get().(*writeBuffer)
		copy(o.buf[:], o.one)
		o.one = nil
	}
	o.n += copy(o.buf[o.n:], frame)
	return nil
}

// flush writes what was gathered.
func (o *outbox) flush() error {
	p := o.one
	if o.buf != nil {
		p = o.buf[:o.n]
	}
	err := o.sink.Write(p)
	if err == nil {
		o.given.add(o.events, len(p))
	}
	o.free()
	return err
}

// free forgets what was gathered.
func (o *outbox) free() {
	if o.buf != nil {
		buffers.Put(o.buf)
	}
	o.one, o.buf, o.n, o.events = nil, nil, 0, 0
}
