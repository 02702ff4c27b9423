// Command blend puts the mutants of a program into one build, in which the environment's MUTANT says which of
// them is alive: to compile and link the program for each takes most of the time that the mutants need.
//
//	blend ROOT BROKEN OUT
//
// ROOT is the module, BROKEN a directory with the broken files of each mutant in one of its name. Blend writes to
// OUT what `go build -overlay OUT/overlay.json` takes, and prints the names of the mutants that it has taken in.
// Those that change more than bodies of functions it cannot.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: blend ROOT BROKEN OUT")
		os.Exit(2)
	}
	names, err := run(os.Args[1], os.Args[2], os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, "blend:", err)
		os.Exit(1)
	}
	for _, name := range names {
		fmt.Println(name)
	}
}

// blended is a file and what the mutants make of its functions.
type blended struct {
	whole  source
	bodies map[int][]body
}

func run(root, broken, out string) (taken []string, err error) {
	mutants, err := os.ReadDir(broken)
	if err != nil {
		return nil, err
	}
	files := map[string]*blended{}
	for _, m := range mutants {
		changes, err := changesOf(root, filepath.Join(broken, m.Name()), files)
		if errors.Is(err, errCannot) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name(), err)
		}
		for path, bodies := range changes {
			for i, text := range bodies {
				files[path].bodies[i] = append(files[path].bodies[i], body{m.Name(), text})
			}
		}
		taken = append(taken, m.Name())
	}
	return taken, write(root, out, files)
}

// changesOf reads one mutant: its bodies by file and function.
func changesOf(root, dir string, files map[string]*blended) (map[string]map[int][]byte, error) {
	changes := map[string]map[int][]byte{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		path, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		if filepath.Ext(path) != ".go" {
			return errCannot
		}
		broken, err := readFile(name)
		if err != nil {
			return err
		}
		if files[path] == nil {
			whole, err := readFile(filepath.Join(root, path))
			if err != nil {
				return err
			}
			files[path] = &blended{whole: whole, bodies: map[int][]body{}}
		}
		changes[path], err = changed(files[path].whole, broken)
		return err
	})
	return changes, err
}

func readFile(name string) (source, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return source{}, err
	}
	return read(text)
}

func write(root, out string, files map[string]*blended) error {
	replace := map[string]string{}
	put := func(path string, text []byte) error {
		replace[filepath.Join(root, path)] = filepath.Join(out, path)
		if err := os.MkdirAll(filepath.Join(out, filepath.Dir(path)), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(out, path), text, 0o644)
	}
	for path, f := range files {
		if err := put(path, blend(f.whole, f.bodies)); err != nil {
			return err
		}
		if err := put(filepath.Join(filepath.Dir(path), "mutant_of_this_run.go"), switchFile(f.whole.name)); err != nil {
			return err
		}
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(out, "overlay.json"), overlay, 0o644)
}
