package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// built are the programs that tests have asked for, each linked once for all of them: linking takes longer than most tests.
var built struct {
	mu       sync.Mutex
	dir      string // "" until the first is built
	programs map[string]func() (string, error)
}

// buildProgram gives the file of a command of the module: "." is parley itself. It is built without the race detector, so
// that under it the test would find nothing.
func buildProgram(t *testing.T, command string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("a program without the race detector: run without -short")
	}
	program, err := building(command)()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// building is what builds the command when it is first called.
func building(command string) func() (string, error) {
	built.mu.Lock()
	defer built.mu.Unlock()
	if build := built.programs[command]; build != nil {
		return build
	}
	if built.programs == nil {
		built.programs = map[string]func() (string, error){}
	}
	name := fmt.Sprintf("program%d", len(built.programs))
	build := sync.OnceValues(func() (string, error) {
		dir, err := builtDir()
		if err != nil {
			return "", err
		}
		program := filepath.Join(dir, name)
		cmd := exec.Command("go", "build", "-o", program, command)
		cmd.Dir = ".."
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("go build %s: %w\n%s", command, err, out)
		}
		return program, nil
	})
	built.programs[command] = build
	return build
}

// builtDir makes the directory of the programs, which removeBuilt removes: it outlives each test.
func builtDir() (string, error) {
	built.mu.Lock()
	defer built.mu.Unlock()
	if built.dir != "" {
		return built.dir, nil
	}
	dir, err := os.MkdirTemp("", "parley-built-")
	if err != nil {
		return "", fmt.Errorf("make a directory for programs: %w", err)
	}
	built.dir = dir
	return dir, nil
}

// removeBuilt is called behind all tests.
func removeBuilt() error { return os.RemoveAll(built.dir) }
