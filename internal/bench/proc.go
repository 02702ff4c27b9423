package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"
)

// clockTick is the unit of times in /proc/PID/stat, the same on all of Linux.
const clockTick = 10 * time.Millisecond

// family is a process with the children of its first thread, by id: all that nginx has.
func family(pid int) ([]int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil, err
	}
	pids := []int{pid}
	for field := range bytes.FieldsSeq(text) {
		child, err := strconv.Atoi(string(field))
		if err != nil {
			return nil, fmt.Errorf("children of %d: %w", pid, err)
		}
		pids = append(pids, child)
	}
	return pids, nil
}

// cpuOf is the user and system time that a process and its children have used.
func cpuOf(pid int) (used time.Duration, err error) {
	pids, err := family(pid)
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		alone, err := cpuAlone(pid)
		if err != nil {
			return 0, err
		}
		used += alone
	}
	return used, nil
}

// cpuAlone is the user and system time that a process has used.
func cpuAlone(pid int) (used time.Duration, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	ticks, err := ticksIn(text)
	return time.Duration(ticks) * clockTick, err
}

// ticksIn adds the 14th and 15th field. The second is a name in brackets, in which anything may be.
func ticksIn(stat []byte) (ticks int64, err error) {
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("%q is no /proc/PID/stat", stat)
	}
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/PID/stat: %w", err)
		}
		ticks += n
	}
	return ticks, nil
}

// memoryOf is the proportional set size of a process and its children, in bytes.
func memoryOf(pid int) (bytes int64, err error) {
	return sumOf(pid, "smaps_rollup", "Pss:")
}

// peakOf is the most memory that a process and its children had resident, in bytes.
func peakOf(pid int) (bytes int64, err error) {
	return sumOf(pid, "status", "VmHWM:")
}

// forgetPeak lets peakOf begin anew, at what is resident now.
func forgetPeak(pid int) (resident int64, err error) {
	pids, err := family(pid)
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
			return 0, err
		}
	}
	return peakOf(pid)
}

// sumOf adds a line of a file in /proc, which counts in kB.
func sumOf(pid int, file, name string) (sum int64, err error) {
	pids, err := family(pid)
	if err != nil {
		return 0, err
	}
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		if err != nil {
			return 0, err
		}
		kb, err := kilobytesIn(text, name)
		if err != nil {
			return 0, err
		}
		sum += kb << 10
	}
	return sum, nil
}

func kilobytesIn(text []byte, name string) (kb int64, err error) {
	for line := range bytes.Lines(text) {
		rest, found := bytes.CutPrefix(line, []byte(name))
		if !found {
			continue
		}
		return strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("kB")))), 10, 64)
	}
	return 0, fmt.Errorf("no %s in %.60q", name, text)
}
