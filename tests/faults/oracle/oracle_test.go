package oracle

import (
	"slices"
	"strings"
	"testing"
)

// A run that keeps all promises has no fault.
func TestGoodRun(t *testing.T) {
	t.Parallel()
	for _, f := range Check(story().run) {
		t.Error(f)
	}
}

// TestBrokenRuns breaks one promise at a time: the oracle must say so.
func TestBrokenRuns(t *testing.T) {
	t.Parallel()
	for name, b := range breaks() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := story()
			b.do(f)
			faults := Check(f.run)
			if !slices.ContainsFunc(faults, func(f Fault) bool { return f.Kind == b.want }) {
				t.Errorf("the oracle finds %v, want one that is %q", faults, b.want)
			}
			for _, fault := range faults {
				if text := Explain(f.run, fault); fault.ID != 0 && fault.Kind == Leak && !strings.Contains(text, "log:") {
					t.Errorf("of %v it tells %q", fault, text)
				}
			}
		})
	}
}
