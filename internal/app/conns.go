package app

import (
	"log/slog"
	"net"
	"sync/atomic"
	"time"
)

// fullWarning is how often, at most, the log says that no connection is free.
const fullWarning = time.Minute

// boundedListener closes connections that are one too many at once, before they cost more than that. Without
// it a flood would take the last file descriptor: the database could open nothing any more, and accepting
// would fail again and again.
type boundedListener struct {
	net.Listener
	most int
	log  *slog.Logger
	open atomic.Int64
	next atomic.Int64 // Unix ns of the next warning
}

// Accept implements net.Listener.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= int64(l.most) {
			return &boundedConn{Conn: conn, of: l}, nil
		}
		l.open.Add(-1)
		_ = conn.Close() // it says nothing that could be lost
		l.warn()
	}
}

func (l *boundedListener) warn() {
	now := time.Now().UnixNano()
	if next := l.next.Load(); now >= next && l.next.CompareAndSwap(next, now+int64(fullWarning)) {
		l.log.Warn("all connections are taken, new ones are closed: raise the open-file limit (ulimit -n)", "most", l.most)
	}
}

// boundedConn gives its place back when it is closed.
type boundedConn struct {
	net.Conn
	of     *boundedListener
	closed atomic.Bool
}

// NetConn is the connection below, as with tls.Conn.
func (c *boundedConn) NetConn() net.Conn { return c.Conn }

// Close implements net.Conn.
func (c *boundedConn) Close() error {
	if !c.closed.Swap(true) {
		defer c.of.open.Add(-1)
	}
	return c.Conn.Close()
}

// maxReserved is how many files, at most, are kept for the database and the rest of the program.
const maxReserved = 512

// mostConnections is how many connections the open-file limit leaves room for; 0: there is none.
func mostConnections(files uint64) int {
	const plenty = 1 << 30
	files = min(files, plenty)
	return int(files - min(files/4, maxReserved))
}
