package tests

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"parley/internal/pgtest"
)

// benchReport is what `parley bench --json` writes, as far as it is looked at here.
type benchReport struct {
	Workloads []struct {
		Workload string `json:"workload"`
		Runs     []struct {
			Peer       string             `json:"peer"`
			Round      int                `json:"round"`
			Messages   int64              `json:"messages"`
			Deliveries int64              `json:"deliveries"`
			Missing    int                `json:"missing"`
			Doubled    int                `json:"doubled"`
			OutOfOrder int                `json:"out_of_order"`
			Figures    map[string]float64 `json:"figures"`
		} `json:"runs"`
	} `json:"workloads"`
}

// benchSize makes everything tiny.
var benchSize = []string{
	"--seconds", "0.05", "--streams", "10", "--rooms", "4", "--senders", "3", "--idle", "4,8", "--back", "6", "--stored", "30,90",
}

// parleyBench is a call of `parley bench`, with the tests' own binary as the program and as its children.
func parleyBench(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, slices.Concat([]string{"bench", "--dir", dir}, benchSize, args)...)
	cmd.Env = append(withoutParley(os.Environ()), asProgram+"=1", "PARLEY_ADDR=not-for-children")
	return cmd
}

// Every workload runs on every peer, nothing is lost, and nothing is left behind. How fast it was is not looked at.
func TestBench(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		t.Skip("parley bench needs Linux")
	}
	fans := []string{"steady", "open", "bursts", "closed", "rooms"}
	others := []string{"sends", "one", "idle-4", "idle-8"}
	stored := []string{"restart", "history", "growth"}
	for _, tt := range []struct{ peers, workloads []string }{
		{[]string{"parley", "floor"}, fans},
		{[]string{"parley", "floor"}, others},
		{[]string{"parley"}, append(stored, "storm")},
		{[]string{"hijacked", "nchan"}, append(fans, others...)},
		{[]string{"nchan"}, []string{"storm"}},
	} {
		t.Run(strings.Join(append(tt.peers, tt.workloads[0]), " "), func(t *testing.T) {
			t.Parallel()
			if testing.Short() && tt.peers[0] == "parley" {
				t.Skip("the load is the same with the others, and the server has its own tests: run without -short")
			}
			if slices.Contains(tt.peers, "nchan") {
				needNchan(t)
			}
			dir, file := t.TempDir(), filepath.Join(t.TempDir(), "report.json")
			cmd := parleyBench(t, dir, append([]string{"--rounds", "1", "--peers", strings.Join(tt.peers, ","), "--json", file}, tt.workloads...)...)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			checkBench(t, readBench(t, file), tt.peers, tt.workloads, string(out))
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// needNchan skips the test where nginx or its module is missing, but not in CI.
func needNchan(t *testing.T) {
	t.Helper()
	findNginx(t)
	found, err := filepath.Glob("/usr/*/nginx/modules/ngx_nchan_module.so")
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 && os.Getenv("CI") == "true" {
		t.Fatal("CI must have nginx's module nchan")
	}
	if len(found) == 0 {
		t.Skip("nginx has no module nchan: that peer is not tested")
	}
}

func readBench(t *testing.T, file string) (r benchReport) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// checkBench looks at counts only.
func checkBench(t *testing.T, r benchReport, peers, workloads []string, out string) {
	t.Helper()
	fans := map[string]int64{"steady": 10, "open": 10, "bursts": 10, "closed": 10, "rooms": 2} // streams that get each message
	seen, messages := []string{}, int64(0)
	for _, w := range r.Workloads {
		if !strings.Contains(out, "\n"+w.Workload+": ") {
			t.Errorf("%s has no table\n%s", w.Workload, out)
		}
		for _, run := range w.Runs {
			seen = append(seen, w.Workload+" "+run.Peer)
			messages += run.Messages
			if run.Missing+run.Doubled+run.OutOfOrder != 0 || run.Round != 1 || len(run.Figures) == 0 {
				t.Errorf("%s: %+v", w.Workload, run)
			}
			if fan := fans[w.Workload]; run.Deliveries != fan*run.Messages && fan > 0 {
				t.Errorf("%s on %s: %d deliveries of %d messages", w.Workload, run.Peer, run.Deliveries, run.Messages)
			}
		}
	}
	var want []string
	for _, w := range workloads {
		for _, p := range peers {
			want = append(want, w+" "+p)
		}
	}
	if slices.Sort(seen); !slices.Equal(seen, slices.Sorted(slices.Values(want))) || messages == 0 {
		t.Errorf("%d messages in %q, want %q", messages, seen, want)
	}
}

// On PostgreSQL too, where the database must be empty: what is in one that is not may be somebody's.
func TestBenchOnPostgres(t *testing.T) {
	t.Parallel()
	callByCall(t)
	database, file := pgtest.DSN(t), filepath.Join(t.TempDir(), "report.json")
	args := []string{"--rounds", "1", "--peers", "parley", "--database", database, "--json", file, "bursts", "sends", "growth"}
	out, err := parleyBench(t, t.TempDir(), args...).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "growth: left out: it needs two servers") {
		t.Fatalf("%v\n%s", err, out)
	}
	checkBench(t, readBench(t, file), []string{"parley"}, []string{"bursts", "sends"}, string(out))
	out, err = parleyBench(t, t.TempDir(), args...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "the database is not empty: nothing was measured") {
		t.Errorf("a second time: %v\n%s", err, out)
	}
}

// A signal ends the children, and takes their data away.
func TestBenchInterrupted(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		t.Skip("parley bench needs Linux")
	}
	dir := t.TempDir()
	cmd := parleyBench(t, dir, "--seconds", "600", "--peers", "parley", "steady")
	said := &shared{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	err := eventually(t.Context(), func() error {
		found, err := filepath.Glob(filepath.Join(dir, "*", "*", "data", "parley.db"))
		if err == nil && len(found) == 0 {
			err = os.ErrNotExist
		}
		return err
	})
	if err != nil {
		t.Errorf("no server was started: %v\n%s", err, said)
	}
	children := childrenOf(t, cmd.Process.Pid)
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("an interrupted bench ended well")
	}
	for _, pid := range children {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("child %d still runs: %v", pid, err)
		}
	}
	if len(children) == 0 {
		t.Error("no child was seen")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v\n%s", left, err, said)
	}
}

// childrenOf gives the children of all threads of a process.
func childrenOf(t *testing.T, pid int) (pids []int) {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, _ := os.ReadFile(file) // a thread may have ended
		for field := range strings.FieldsSeq(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, child)
		}
	}
	return pids
}

// What is no workload is refused before anything is started.
func TestBenchRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"stedy"}, `parley: there is no workload "stedy"; see parley bench --list`},
		{[]string{"--peers", "nginx"}, `parley: --peers: must be of parley, floor, hijacked, nchan, not "nginx"`},
		{[]string{"--stored", "9,3"}, "parley: --stored: must be two numbers, the smaller first"},
	} {
		cmd := parleyBench(t, dir, tt.args...)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != 2 || strings.TrimSpace(string(out)) != tt.want {
			t.Errorf("%q: exit code %d\n%s", tt.args, code, out)
		}
	}
}
