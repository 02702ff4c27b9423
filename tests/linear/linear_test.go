package linear

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"parley/internal/pgtest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

// TestLinearizable: whatever people do at once, and however often the server dies, all that they are answered is as if one
// had acted after the other. And a history that is wrong in one place is found to be so.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	program := build(t)
	for name, flags := range map[string]func(t *testing.T) []string{
		"sqlite":   func(*testing.T) []string { return nil },
		"postgres": func(t *testing.T) []string { return []string{"--database", pgtest.DSN(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rounds(t, func(t *testing.T, seed uint64) {
				history, first := run(t, program, seed, flags(t)...)
				first.check(t, history)
				if !t.Failed() {
					plantAll(t, first, history)
				}
			})
		})
	}
}

// rounds plays one round, or with SOAK=30m as many as begin within that time. SEED=… makes the same choices as a round that
// printed it; how the clients' calls fall upon each other no seed says.
func rounds(t *testing.T, play func(t *testing.T, seed uint64)) {
	t.Helper()
	seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	given := err == nil
	if !given && os.Getenv("SEED") != "" {
		t.Fatal("SEED: ", err)
	}
	var soak time.Duration
	if text := os.Getenv("SOAK"); text != "" {
		if soak, err = time.ParseDuration(text); err != nil {
			t.Fatal("SOAK: ", err)
		}
	}
	for began, n := time.Now(), 0; n == 0 || time.Since(began) < soak; n++ {
		if !given || n > 0 {
			seed = rand.Uint64()
		}
		t.Run("seed "+strconv.FormatUint(seed, 10), func(t *testing.T) { play(t, seed) })
		if t.Failed() {
			t.Logf("the same choices again: SEED=%d", seed)
			return
		}
	}
}
