package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const whole = `package main

import "fmt"

const limit = 3

func main() {
	fmt.Print(double(2), " ")
	say("whole")
}

func double(n int) int {
	if n > limit {
		return 0
	}
	return 2 * n
}

func say(what string) { fmt.Println(what) }
`

// Each mutant lives where it is asked for, and only there.
func TestBlend(t *testing.T) {
	t.Parallel()
	root, broken, out := t.TempDir(), t.TempDir(), t.TempDir()
	write := func(dir, name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(root, "go.mod", "module blended\n\ngo 1.26\n")
	write(root, "main.go", whole)
	mutant := func(name, from, to string) {
		t.Helper()
		text := strings.Replace(whole, from, to, 1)
		if text == whole {
			t.Fatalf("%s breaks nothing", name)
		}
		write(broken, filepath.Join(name, "main.go"), text)
	}
	mutant("thrice", "2 * n", "3 * n")
	mutant("nothing", "if n > limit", "if n < limit")
	mutant("silent", "fmt.Println(what)", "_ = what")
	mutant("both", "2 * n\n}\n\nfunc say(what string) {", "4 * n\n}\n\nfunc say(what string) { what = \"both\";")
	mutant("constant", "limit = 3", "limit = 1")
	mutant("label", "return 2 * n", "again:\n\tif n > 0 {\n\t\tgoto again\n\t}\n\treturn n")
	write(broken, "other/page.html", "<p>")
	taken, err := run(root, broken, out)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"both", "nothing", "silent", "thrice"}; !slices.Equal(taken, want) {
		t.Fatalf("took in %v, want %v", taken, want)
	}
	program := filepath.Join(t.TempDir(), "program")
	build := exec.Command("go", "build", "-overlay", filepath.Join(out, "overlay.json"), "-o", program, ".")
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, said)
	}
	for name, want := range map[string]string{
		"": "4 whole\n", "constant": "4 whole\n", "thrice": "6 whole\n", "nothing": "0 whole\n", "silent": "4 ", "both": "8 both\n",
	} {
		cmd := exec.Command(program)
		cmd.Env = append(os.Environ(), "MUTANT="+name)
		said, err := cmd.Output()
		if err != nil || !bytes.Equal(said, []byte(want)) {
			t.Errorf("%q alive: %q, %v, want %q", name, said, err, want)
		}
	}
}
