package harness

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

// The places where the database can be made to fail.
const (
	Begin  = "begin"  // a transaction or a snapshot
	Read   = "read"   // a query
	Insert = "insert" // a statement that writes
	Commit = "commit"
)

// errFault is what the database says while it is broken.
var errFault = errors.New("the test broke the database")

// fault is the hook that the store asks. It costs nothing while no fault is set.
func (p *program) fault(op string) error {
	if f := p.broken.Load(); f != nil {
		return (*f)(op)
	}
	return nil
}

// Break makes the database refuse the operations, all of them where none is named, until Mend:
// the server answers 503.
func (s *Server) Break(ops ...string) {
	f := func(op string) error {
		if len(ops) == 0 || slices.Contains(ops, op) {
			return errFault
		}
		return nil
	}
	s.p.broken.Store(&f)
}

// Failing is Break for one operation; failed is closed when it was tried.
func (s *Server) Failing(op string) (failed <-chan struct{}) {
	tried := make(chan struct{})
	once := sync.OnceFunc(func() { close(tried) })
	f := func(o string) error {
		if o != op {
			return nil
		}
		once()
		return errFault
	}
	s.p.broken.Store(&f)
	return tried
}

// BreakAfter lets n such operations pass and makes the database refuse all later ones until Mend.
func (s *Server) BreakAfter(op string, n int) {
	var passed atomic.Int64
	f := func(o string) error {
		if o == op && passed.Add(1) > int64(n) {
			return errFault
		}
		return nil
	}
	s.p.broken.Store(&f)
}

// Panic makes the next queries and writes panic, as a fault of the program would, until Mend: the
// server answers 500. What the server remembers is forgotten first, so that it must ask.
func (s *Server) Panic() {
	s.tb.Helper()
	s.Break(Begin)
	s.Do("POST", "/v1/guest").Want(503)
	f := func(op string) error {
		if op == Read || op == Insert {
			panic("the test broke the program")
		}
		return nil
	}
	s.p.broken.Store(&f)
}

// Hold makes the database wait before the operation until release is called, which also ends every fault.
func (s *Server) Hold(op string) (release func()) {
	hold := make(chan struct{})
	f := func(o string) error {
		if o == op {
			<-hold
		}
		return nil
	}
	s.p.broken.Store(&f)
	return sync.OnceFunc(func() {
		s.Mend()
		close(hold)
	})
}

// HoldEach is Hold, and puts a token into held for each operation that waits.
func (s *Server) HoldEach(op string, held chan<- struct{}) (release func()) {
	hold := make(chan struct{})
	f := func(o string) error {
		if o == op {
			held <- struct{}{}
			<-hold
		}
		return nil
	}
	s.p.broken.Store(&f)
	return sync.OnceFunc(func() {
		s.Mend()
		close(hold)
	})
}

// HoldOne makes the next such operation wait until release is called; others pass it. held is closed when it
// waits.
func (s *Server) HoldOne(op string) (held <-chan struct{}, release func()) { return s.HoldNth(op, 1) }

// HoldNth is HoldOne for the nth such operation from now on.
func (s *Server) HoldNth(op string, n int64) (held <-chan struct{}, release func()) {
	waits, hold := make(chan struct{}), make(chan struct{})
	var count atomic.Int64
	f := func(o string) error {
		if o == op && count.Add(1) == n {
			close(waits)
			<-hold
		}
		return nil
	}
	s.p.broken.Store(&f)
	return waits, sync.OnceFunc(func() { close(hold) })
}

// Count counts the operations from now on, until Mend.
func (s *Server) Count(op string) (count func() int) {
	var n atomic.Int64
	f := func(o string) error {
		if o == op {
			n.Add(1)
		}
		return nil
	}
	s.p.broken.Store(&f)
	return func() int { return int(n.Load()) }
}

// Mend ends every fault.
func (s *Server) Mend() { s.p.broken.Store(nil) }
