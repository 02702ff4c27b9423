package tests

import (
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
)

// The program keeps to the runtime's own memory limit: nothing of ours puts another in its place.
func TestMemoryLimitIsRespected(t *testing.T) {
	t.Parallel()
	program := buildProgram(t, ".")
	for limit, want := range map[string]string{"GOMEMLIMIT=96MiB": "1.00663296e+08", "GOMEMLIMIT=": "9.223372036854776e+18"} {
		cmd := exec.Command(program, "serve", "--addr", "127.0.0.1:0", "--data", t.TempDir())
		cmd.Env = append(withoutParley(cmd.Environ()), limit)
		p := launch(t, cmd)
		answer, err := http.Get(p.url + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || !strings.Contains(string(text), "\ngo_gc_gomemlimit_bytes "+want+"\n") {
			t.Errorf("with %s there is no limit of %s: %v", limit, want, err)
		}
	}
}
