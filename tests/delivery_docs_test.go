package tests

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// deliveryPage is where the promises are said.
const deliveryPage = "../docs/delivery.md"

var (
	aTest     = regexp.MustCompile("`(Test[A-Za-z0-9]+)`")
	aMutant   = regexp.MustCompile("`([a-z]+(?:-[a-z]+)+)`")
	testFunc  = regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9]+)\(`)
	aPromise  = regexp.MustCompile(`(?m)^### (.+)$`)
	mutantOf  = regexp.MustCompile(`(?m)^Test: .*?(Test[A-Za-z0-9]+)`)
	heldParts = []string{"- **Made by:** ", "- **Tests:** ", "- **Mutants:** "}
)

// TestDeliveryPageIsTrue: each test and each mutant that docs/delivery.md names is there, and each promise has some.
func TestDeliveryPageIsTrue(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(deliveryPage)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	known := testsOfTheTree(t)
	for _, name := range aTest.FindAllStringSubmatch(page, -1) {
		if !known[name[1]] {
			t.Errorf("there is no test %s", name[1])
		}
	}
	for _, name := range aMutant.FindAllStringSubmatch(page, -1) {
		patch, err := os.ReadFile(filepath.Join("mutants", name[1]+".patch"))
		if err != nil {
			t.Errorf("mutant %s: %v", name[1], err)
			continue
		}
		if test := mutantOf.FindSubmatch(patch); test == nil || !known[string(test[1])] {
			t.Errorf("mutant %s names no test that is there", name[1])
		}
	}
	at := aPromise.FindAllStringIndex(page, -1)
	if len(at) < 10 {
		t.Errorf("%d promises were found: does this test look at the right place?", len(at))
	}
	for i, from := range at {
		section := page[from[0]:]
		if i+1 < len(at) {
			section = page[from[0]:at[i+1][0]]
		}
		for _, part := range heldParts {
			if !strings.Contains(section, part) {
				title, _, _ := strings.Cut(section, "\n")
				t.Errorf("%s: nothing is said of %s", title, part)
			}
		}
	}
}

// testsOfTheTree are the names of all tests, those of nested modules too.
func testsOfTheTree(t *testing.T) map[string]bool {
	t.Helper()
	known := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != ".." && notOurs(entry.Name()):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		for _, name := range testFunc.FindAllSubmatch(text, -1) {
			known[string(name[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}
