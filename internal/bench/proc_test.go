package bench

import (
	"os"
	"runtime"
	"testing"
)

func TestTicks(t *testing.T) {
	t.Parallel()
	const stat = "42 (a) name) 1 2) S 1 42 42 0 -1 4194560 1 2 3 4 150 27 9 9 20 0 8 0 100 1 2\n"
	if ticks, err := ticksIn([]byte(stat)); err != nil || ticks != 177 {
		t.Errorf("%d, %v", ticks, err)
	}
	for _, stat := range []string{"", "42 (x) S 1", "42 (x) S 1 42 42 0 -1 4194560 1 2 3 4 x 27 9"} {
		if _, err := ticksIn([]byte(stat)); err == nil {
			t.Errorf("%q is taken", stat)
		}
	}
}

func TestKilobytes(t *testing.T) {
	t.Parallel()
	const rollup = "55e0-7fff ---p 00000000 00:00 0  [rollup]\nRss:     200 kB\nPss:       123 kB\nPss_Dirty:  7 kB\n"
	if kb, err := kilobytesIn([]byte(rollup), "Pss:"); err != nil || kb != 123 {
		t.Errorf("%d, %v", kb, err)
	}
	if _, err := kilobytesIn([]byte(rollup), "VmHWM:"); err == nil {
		t.Error("a line that is not there is found")
	}
}

// What the system says of this very process.
func TestProc(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc")
	}
	if _, err := cpuOf(os.Getpid()); err != nil {
		t.Error(err)
	}
	bytes, err := memoryOf(os.Getpid())
	if err != nil || bytes < 1<<20 {
		t.Errorf("%d bytes, %v", bytes, err)
	}
	if peak, err := peakOf(os.Getpid()); err != nil || peak < 1<<20 {
		t.Errorf("a peak of %d bytes, %v", peak, err)
	}
}
