package bench

import (
	"slices"
	"testing"
	"time"
)

// book makes a ledger of messages by the connections that send them, all in room 0 and accepted.
func book(conns ...int) *ledger {
	l := newLedger(slices.Max(conns)+1, []int32{2, 1})
	for _, conn := range conns {
		number, _ := l.begin(conn, 0, time.Now())
		l.accept(number)
	}
	return l
}

// A sink that drops, doubles or swaps is noticed.
func TestLedgerFinds(t *testing.T) {
	t.Parallel()
	good := []uint32{0, 1, 2, 3, 4}
	for name, tt := range map[string]struct {
		conns   []int
		streams [][]uint32
		want    faults
	}{
		"nothing":                        {[]int{0, 1, 0, 1, 0}, [][]uint32{good, good}, faults{}},
		"another order of connections":   {[]int{0, 1, 0, 1, 0}, [][]uint32{{1, 0, 3, 2, 4}, {1, 0, 3, 2, 4}}, faults{}},
		"a dropped one":                  {[]int{0, 0, 0, 0, 0}, [][]uint32{good, {0, 1, 3, 4}}, faults{Missing: 1}},
		"a dropped one of the first":     {[]int{0, 0, 0, 0, 0}, [][]uint32{{0, 1, 3, 4}, good}, faults{Missing: 1}},
		"the end":                        {[]int{0, 0, 0, 0, 0}, [][]uint32{good, {0, 1, 2}}, faults{Missing: 2}},
		"all":                            {[]int{0, 0, 0, 0, 0}, [][]uint32{good, nil}, faults{Missing: 5}},
		"a doubled one":                  {[]int{0, 0, 0, 0, 0}, [][]uint32{good, {0, 1, 1, 2, 3, 4}}, faults{Doubled: 1}},
		"one that comes again":           {[]int{0, 0, 0, 0, 0}, [][]uint32{{0, 1, 2, 3, 4, 0}, good}, faults{Doubled: 1}},
		"two that are swapped":           {[]int{0, 0, 0, 0, 0}, [][]uint32{good, {0, 2, 1, 3, 4}}, faults{OutOfOrder: 1}},
		"swapped in the first":           {[]int{0, 0, 0, 0, 0}, [][]uint32{{0, 2, 1, 3, 4}}, faults{OutOfOrder: 1}},
		"two streams that disagree":      {[]int{0, 1, 0, 1, 0}, [][]uint32{{0, 1, 2, 3, 4}, {1, 0, 2, 3, 4}}, faults{OutOfOrder: 1}},
		"what nobody sent":               {[]int{0, 0, 0, 0, 0}, [][]uint32{append(slices.Clone(good), 77)}, faults{OutOfOrder: 1}},
		"dropped, doubled and disagreed": {[]int{0, 1, 0, 1, 0}, [][]uint32{good, {1, 0, 0, 3, 4}}, faults{1, 1, 1}},
	} {
		if got := book(tt.conns...).check(0, tt.streams); got != tt.want {
			t.Errorf("%s: %+v, want %+v", name, got, tt.want)
		}
	}
}

// What was not accepted may be there or not; what went to another room may not.
func TestLedgerOfRooms(t *testing.T) {
	t.Parallel()
	l := book(0, 0)
	l.begin(0, 0, time.Now()) // 2: whether it was accepted is not known
	other, _ := l.begin(0, 1, time.Now())
	l.accept(other)
	if f := l.check(0, [][]uint32{{0, 1}, {0, 1, 2}}); f.sum() != 0 {
		t.Errorf("%+v", f)
	}
	if f := l.check(0, [][]uint32{{0, 1, other}}); f != (faults{OutOfOrder: 1}) {
		t.Errorf("a message of another room: %+v", f)
	}
	if f := l.check(1, [][]uint32{nil}); f != (faults{Missing: 1}) {
		t.Errorf("nothing in the other room: %+v", f)
	}
}

// A connection is told when the last stream has its message, and times count from when it was due.
func TestLedgerTells(t *testing.T) {
	t.Parallel()
	l := newLedger(2, []int32{2})
	due := l.began.Add(time.Second)
	number, ok := l.begin(1, 0, due)
	if !ok || !l.delivered() {
		t.Fatal("what is not accepted is owed to nobody")
	}
	l.accept(number)
	took, measured := l.got(number, due.Add(3*time.Millisecond))
	if took != 3*time.Millisecond || !measured || l.delivered() || len(l.all[1]) != 0 {
		t.Fatalf("after one of two: %v, %v, %v", took, measured, l.delivered())
	}
	l.measure()
	if _, measured = l.got(number, due); measured || !l.delivered() || len(l.all[1]) != 1 || len(l.all[0]) != 0 {
		t.Errorf("after both: %v, %v, told %d", measured, l.delivered(), len(l.all[1]))
	}
	if _, known := l.got(5, due); known {
		t.Error("a message that nobody sent is measured")
	}
}
