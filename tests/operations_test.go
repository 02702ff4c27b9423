package tests

import (
	"os"
	"strings"
	"testing"

	"parley/tests/harness"
)

// What docs/operations.md tells operators to watch is there, and all that is there is told of.
func TestOperationsNamesTheMetrics(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "## Metrics and logs")
	section, _, _ = strings.Cut(section, "\n## ")
	s := harness.Start(t)
	s.Do("GET", "/metrics").Want(200)
	series := string(s.Do("GET", "/metrics").Want(200).Body)
	for _, name := range metricName.FindAllString(section, -1) {
		if strings.HasPrefix(name, "parley_") && !strings.Contains(series, "\n"+name) {
			t.Errorf("docs/operations.md names %s, which the server does not have", name)
		}
	}
	for line := range strings.Lines(series) {
		rest, isType := strings.CutPrefix(line, "# TYPE ")
		if !isType || !strings.HasPrefix(rest, "parley_") {
			continue
		}
		name := strings.Fields(rest)[0]
		family := name[:strings.LastIndexByte(name, '_')]
		short := strings.Contains(section, "`…"+strings.TrimPrefix(name, family)+"`") && strings.Contains(section, "`"+family)
		if !strings.Contains(section, name) && !short {
			t.Errorf("docs/operations.md does not name %s", name)
		}
	}
}
