package tests

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
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
	"--seconds", "0.1", "--streams", "10", "--rooms", "4", "--senders", "3", "--idle", "4,8", "--back", "6", "--stored", "30,90",
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
	for _, peers := range [][]string{{"parley", "floor"}, {"hijacked", "nchan"}} {
		t.Run(strings.Join(peers, " "), func(t *testing.T) {
			t.Parallel()
			if slices.Contains(peers, "nchan") {
				findNginx(t)
			}
			dir, file := t.TempDir(), filepath.Join(t.TempDir(), "report.json")
			cmd := parleyBench(t, dir, "--rounds", "1", "--peers", strings.Join(peers, ","), "--json", file)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			noteWhatIsMissing(t, string(out))
			checkBench(t, readBench(t, file), peers, string(out))
			if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}

// noteWhatIsMissing demands that CI measures nchan: elsewhere it may be missing, which is said.
func noteWhatIsMissing(t *testing.T, out string) {
	t.Helper()
	if !strings.Contains(out, "without nchan") {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Errorf("CI must have nginx's module nchan\n%s", out)
	}
	t.Log("nchan is not installed: it is not tested")
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
func checkBench(t *testing.T, r benchReport, peers []string, out string) {
	t.Helper()
	fans := map[string]int64{"steady": 10, "open": 10, "bursts": 10, "closed": 10, "rooms": 2} // streams that get each message
	seen := map[string]int{}
	messages := int64(0)
	for _, w := range r.Workloads {
		if !strings.Contains(out, "\n"+w.Workload+": ") {
			t.Errorf("%s has no table\n%s", w.Workload, out)
		}
		for _, run := range w.Runs {
			seen[w.Workload+" "+run.Peer]++
			messages += run.Messages
			if run.Missing+run.Doubled+run.OutOfOrder != 0 || run.Round != 1 {
				t.Errorf("%s: %+v", w.Workload, run)
			}
			if fan := fans[w.Workload]; run.Deliveries != fan*run.Messages && fan > 0 {
				t.Errorf("%s on %s: %d deliveries of %d messages", w.Workload, run.Peer, run.Deliveries, run.Messages)
			}
		}
	}
	if messages == 0 {
		t.Error("nothing was sent at all")
	}
	for _, peer := range peers {
		if peer == "nchan" && strings.Contains(out, "without nchan") {
			continue
		}
		want := []string{"steady", "open", "bursts", "closed", "rooms", "sends", "one", "idle-4", "idle-8"}
		switch peer {
		case "nchan":
			want = append(want, "storm")
		case "parley":
			want = append(want, "storm", "restart", "history", "growth")
		}
		for _, name := range want {
			if seen[name+" "+peer] != 1 {
				t.Errorf("%s ran %d times on %s", name, seen[name+" "+peer], peer)
			}
		}
	}
}

// A signal ends the children, and takes their data away.
func TestBenchInterrupted(t *testing.T) {
	t.Parallel()
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
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil { // it has closed its output: so have its children
		t.Error("an interrupted bench ended well")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v\n%s", left, err, said)
	}
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
