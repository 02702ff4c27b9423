package bench

import (
	"sync/atomic"
	"time"
)

// most bounds the messages of one run.
const most = 1 << 20

// ledger knows every message of a run: who sends it when, how many streams are owed it, and whether the server has
// accepted it. All methods may be called at the same time.
type ledger struct {
	began    time.Time
	messages []message
	next     atomic.Uint32
	from     atomic.Uint32   // the first message that is measured
	owed     []int32         // by room: how many streams it has
	all      []chan struct{} // by connection: everybody has what it sent last
}

// message is at most one of a connection's at a time.
type message struct {
	due      int64 // ns since the ledger began
	conn     int32
	room     int32
	left     atomic.Int32 // how many streams do not have it
	accepted atomic.Bool
}

// newLedger is for so many sending connections and rooms with so many streams each.
func newLedger(conns int, owed []int32) *ledger {
	l := &ledger{began: time.Now(), messages: make([]message, most), owed: owed}
	for range conns {
		l.all = append(l.all, make(chan struct{}, 1))
	}
	return l
}

// begin gives the number of a connection's next message; false when there were too many.
func (l *ledger) begin(conn, room int, due time.Time) (number uint32, ok bool) {
	number = l.next.Add(1) - 1
	if number >= most {
		return 0, false
	}
	m := &l.messages[number]
	m.due, m.conn, m.room = int64(due.Sub(l.began)), int32(conn), int32(room)
	m.left.Store(l.owed[room])
	return number, true
}

func (l *ledger) accept(number uint32) { l.messages[number].accepted.Store(true) }

// got notes that one more stream has the message, and gives how long that took; false for a message that nobody sent, or that
// is not measured.
func (l *ledger) got(number uint32, now time.Time) (took time.Duration, measured bool) {
	if number >= l.count() {
		return 0, false
	}
	m := &l.messages[number]
	if m.left.Add(-1) == 0 {
		select {
		case l.all[m.conn] <- struct{}{}:
		default: // somebody has it twice; the check tells
		}
	}
	return now.Sub(l.began) - time.Duration(m.due), number >= l.from.Load()
}

// measure says that what is sent from now on is measured.
func (l *ledger) measure() { l.from.Store(l.next.Load()) }

func (l *ledger) count() uint32 { return min(l.next.Load(), most) }

// delivered says whether every stream has everything that was accepted.
func (l *ledger) delivered() bool { return l.deliveredTo(l.count()) }

// deliveredTo is delivered for the first messages only.
func (l *ledger) deliveredTo(count uint32) bool {
	for i := range count {
		if m := &l.messages[i]; m.accepted.Load() && m.left.Load() > 0 {
			return false
		}
	}
	return true
}

// faults is what went wrong with deliveries. All of it must be 0.
type faults struct {
	Missing    int `json:"missing"`
	Doubled    int `json:"doubled"`
	OutOfOrder int `json:"out_of_order"`
}

func (f *faults) add(o faults) {
	f.Missing += o.Missing
	f.Doubled += o.Doubled
	f.OutOfOrder += o.OutOfOrder
}

func (f faults) sum() int { return f.Missing + f.Doubled + f.OutOfOrder }

// check holds what the streams of one room got against what was accepted there. The order is wrong where a stream has two messages of
// one connection the wrong way round, which sent the second after the answer to the first, or where two streams
// have them in different orders. It is called when nothing comes any more.
func (l *ledger) check(room int, streams [][]uint32) (f faults) {
	place := make([]int32, l.count()) // by message: where the first stream has it, from 1 on
	for i, got := range streams {
		f.add(l.checkStream(room, got, place, i == 0))
	}
	return f
}

func (l *ledger) checkStream(room int, got []uint32, place []int32, first bool) (f faults) {
	seen := make([]bool, len(place))
	last := make([]int64, len(l.all)) // by connection: its newest message here, plus 1
	newest := int32(0)
	for i, number := range got {
		if number >= uint32(len(place)) || int(l.messages[number].room) != room {
			f.OutOfOrder++ // nobody sent it, or not here
			continue
		}
		if seen[number] {
			f.Doubled++
			continue
		}
		seen[number] = true
		if first {
			place[number] = int32(i) + 1
		}
		conn := l.messages[number].conn
		if int64(number) < last[conn] || place[number] != 0 && place[number] < newest {
			f.OutOfOrder++
		}
		last[conn], newest = max(last[conn], int64(number)+1), max(newest, place[number])
	}
	for number := range seen {
		if m := &l.messages[number]; !seen[number] && m.accepted.Load() && int(m.room) == room {
			f.Missing++
		}
	}
	return f
}
