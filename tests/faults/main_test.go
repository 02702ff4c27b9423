package faults

import (
	"errors"
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"parley/internal/pgtest"
)

// suite is what all scenarios share.
var suite struct {
	program string // the server, built once
	logs    string // where the servers' logs lie; kept when a test fails
	seed    uint64
	soak    time.Duration // how long to go on; 0: each scenario once
	began   time.Time
}

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("32") // scenarios mostly wait, and for each other at times
	}
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	fmt.Printf("FAULTS_SEED=%d\n", suite.seed)
	code := pgtest.Main(m)
	if code != 0 {
		fmt.Printf("again: FAULTS_SEED=%d go test ./...; the servers' logs are in %s\n", suite.seed, suite.logs)
		return code
	}
	if err := os.RemoveAll(suite.logs); err != nil {
		fmt.Fprintln(os.Stderr, "FAIL:", err)
		return 1
	}
	return 0
}

// prepare reads the environment and builds the server.
func prepare() (err error) {
	suite.began = time.Now()
	suite.seed = rand.Uint64()
	if text := os.Getenv("FAULTS_SEED"); text != "" {
		if suite.seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			return fmt.Errorf("FAULTS_SEED: %w", err)
		}
	}
	if text := os.Getenv("SOAK"); text != "" {
		if suite.soak, err = time.ParseDuration(text); err != nil {
			return fmt.Errorf("SOAK: %w", err)
		}
	}
	if suite.logs, err = os.MkdirTemp("", "parley-faults-"); err != nil {
		return fmt.Errorf("make a directory for the logs: %w", err)
	}
	suite.program = filepath.Join(suite.logs, "parley")
	args := []string{"build", "-o", suite.program}
	if os.Getenv("FAULTS_RACE") != "" {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, ".")...)
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("go build: %w\n%s", err, out), os.RemoveAll(suite.logs))
	}
	return nil
}

// onBoth runs a scenario on SQLite and on PostgreSQL: once, or in the long form again and again until the time is over.
func onBoth(t *testing.T, test func(t *testing.T, db *database)) {
	t.Helper()
	t.Parallel()
	for name, open := range map[string]func(*testing.T) *database{"sqlite": newSQLite, "postgres": newPostgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if suite.soak == 0 {
				test(t, open(t))
				return
			}
			for round := 0; !t.Failed() && (round == 0 || time.Since(suite.began) < suite.soak); round++ {
				t.Run(fmt.Sprint(round), func(t *testing.T) { test(t, open(t)) })
			}
		})
	}
}

// more multiplies what happens in the long form.
func more(n int) int {
	if suite.soak > 0 {
		return 4 * n
	}
	return n
}

// diceFor gives the random choices of one actor of a test: the same for the same seed.
func diceFor(t *testing.T, who string) *rand.Rand {
	t.Helper()
	h := fnv.New64a()
	_, _ = h.Write([]byte(t.Name() + "/" + who)) // a hash's Write gives no error
	return rand.New(rand.NewPCG(suite.seed, h.Sum64()))
}
