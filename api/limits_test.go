package api

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/internal/limit"
)

// tableRow is a line of the table of limits in the spec's description.
var tableRow = regexp.MustCompile("(?m)^    \\| (`.*) \\| (account|address|name) \\| (\\d+) \\| ([\\d.]+ m?s) \\|$")

// What people are told of the limits is what holds, and the spec has a 429 wherever one does.
func TestLimitsAreDocumented(t *testing.T) {
	t.Parallel()
	var want, got []string
	for _, l := range limit.All {
		want = append(want, fmt.Sprintf("%v by %v: %v, %v", l.Operations, l.By, l.Burst, l.Every))
	}
	for _, row := range tableRow.FindAllStringSubmatch(string(specYAML), -1) {
		var operations []string
		for _, name := range regexp.MustCompile("`(.*?)`").FindAllStringSubmatch(row[1], -1) {
			operations = append(operations, name[1])
		}
		every, err := time.ParseDuration(strings.ReplaceAll(row[4], " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%v by %v: %v, %v", operations, row[2], row[3], every))
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the spec's description has\n%s\nthe code\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
