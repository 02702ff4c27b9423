package tests

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/tests/harness"
)

// dashboard is what Grafana reads of examples/grafana-dashboard.json, as far as it can be wrong.
type dashboard struct {
	UID        string
	Templating struct {
		List []struct{ Name, Type, Definition string }
	}
	Panels []panel
}

type panel struct {
	ID         int
	Type       string
	Title      string
	GridPos    struct{ H, W, X, Y int }
	Datasource struct{ UID string }
	Targets    []struct {
		RefID, Expr string
		Datasource  struct{ UID string }
	}
}

func readDashboard(t *testing.T) dashboard {
	t.Helper()
	file, err := os.ReadFile("../examples/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var d dashboard
	if err := json.Unmarshal(file, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// metricName finds the metrics in a query; Grafana's and PromQL's own words have no such beginning.
var metricName = regexp.MustCompile(`\b(?:parley|go|process)_[a-z0-9_]+`)

// labelNames finds what a query groups or selects by.
var labelNames = regexp.MustCompile(`by \(([a-z_, ]+)\)|([a-z_]+)=~?"`)

// Every query of the dashboard asks for metrics, and labels, that the server has.
func TestDashboardAsksForWhatThereIs(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	s.User("ann").Send("lobby", "hello")
	s.Do("GET", "/metrics").Want(200) // so that requests were counted
	series := string(s.Do("GET", "/metrics").Want(200).Body)
	has := func(name string) bool {
		return strings.Contains(series, "\n"+name+"{") || strings.Contains(series, "\n"+name+" ")
	}
	asked := map[string]bool{}
	check := func(where, query string) {
		names := metricName.FindAllString(query, -1)
		if len(names) == 0 {
			t.Errorf("%s asks for nothing: %s", where, query)
		}
		for _, name := range names {
			asked[name] = true
			if !has(name) {
				t.Errorf("%s asks for %s, which the server does not have", where, name)
			}
		}
		for _, found := range labelNames.FindAllStringSubmatch(query, -1) {
			for label := range strings.SplitSeq(found[1]+found[2], ", ") {
				if label != "instance" && !strings.Contains(series, label+`="`) { // Prometheus adds the instance
					t.Errorf("%s uses the label %s, which no metric has", where, label)
				}
			}
		}
	}
	d := readDashboard(t)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			check(p.Title, target.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			check(v.Name, v.Definition)
		}
	}
	for line := range strings.Lines(series) {
		name, isType := strings.CutPrefix(line, "# TYPE parley_")
		if !isType {
			continue
		}
		name = "parley_" + strings.Fields(name)[0]
		if !asked[name] && !asked[name+"_bucket"] {
			t.Errorf("%s is on no panel", name)
		}
	}
}

// It can be imported anywhere: its source of data is asked for, and no panel lies on another.
func TestDashboardIsWellFormed(t *testing.T) {
	t.Parallel()
	d := readDashboard(t)
	if d.UID == "" || !slices.ContainsFunc(d.Templating.List, func(v struct{ Name, Type, Definition string }) bool {
		return v.Name == "datasource" && v.Type == "datasource"
	}) {
		t.Error("there is no uid, or no variable for the source of data")
	}
	ids := map[int]bool{}
	taken := map[[2]int]string{}
	for _, p := range d.Panels {
		if ids[p.ID] || p.ID == 0 || p.Title == "" {
			t.Errorf("panel %q has the id %d", p.Title, p.ID)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok || x >= 24 {
					t.Fatalf("panel %q lies on %q at %d, %d", p.Title, other, x, y)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("panel %q asks %q", p.Title, p.Datasource.UID)
		}
		for _, target := range p.Targets {
			if target.Datasource.UID != "${datasource}" || !strings.Contains(target.Expr, `instance=~"$instance"`) {
				t.Errorf("panel %q: %+v", p.Title, target)
			}
		}
	}
}
