// Package tests is the black box: the whole program over HTTP, held against openapi.yaml and api.md.
package tests

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"parley/internal/app"
	"parley/internal/pgtest"
	"parley/tests/harness"
)

// unseen are the (operation, status) pairs that no test can bring about, and why.
var unseen = map[harness.Pair]string{}

// asProgram makes the tests' own binary the program.
const asProgram = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(app.Main(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
	}
	code := pgtest.Main(m)
	if err := removeBuilt(); err != nil {
		code = complain(code, "remove the programs: %v", err)
	}
	harness.Client().CloseIdleConnections()
	http.DefaultClient.CloseIdleConnections()
	if err := goleak.Find(); err != nil {
		code = complain(code, "goroutines are left over: %v", err)
	}
	if faults := harness.Faults(); len(faults) > 0 {
		code = complain(code, "answers that are not as the spec says:\n%s", strings.Join(faults, "\n"))
	}
	if code == 0 && everything() {
		code = covered(code)
	}
	os.Exit(code)
}

// callByCall is for tests that make one call after the other, very many of them: under the race detector they would find
// nothing that others do not, and take half of the time.
func callByCall(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("one call after the other: run without -short")
	}
}

// everything says whether no test was left out by a flag.
func everything() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz", "test.bench"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

// covered demands that every answer that the spec lists was seen.
func covered(code int) int {
	uncovered, stale := harness.Uncovered(unseen)
	if len(uncovered) > 0 {
		code = complain(code, "no test brought about: %s", strings.Join(uncovered, ", "))
	}
	if len(stale) > 0 {
		code = complain(code, "take these out of unseen: %s", strings.Join(stale, ", "))
	}
	return code
}

func complain(code int, format string, args ...any) int {
	fmt.Fprintf(os.Stderr, "FAIL: "+format+"\n", args...)
	return max(code, 1)
}
