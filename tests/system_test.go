package tests

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/tests/harness"
)

// The server gives out the very document that it is tested by.
func TestSpecDocument(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	root, err := harness.Root()
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(root, "openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	a := s.Do("GET", "/openapi.yaml").Want(200)
	if string(a.Body) != string(file) {
		t.Error("/openapi.yaml is another than the project's")
	}
	if media := a.Header.Get("Content-Type"); !strings.HasPrefix(media, "application/yaml") {
		t.Errorf("/openapi.yaml is %s", media)
	}
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(s.Do("GET", "/openapi.json").Want(200).Body, &doc); err != nil {
		t.Fatal(err)
	}
	for _, o := range harness.TheSpec().Operations() {
		if doc.Paths[o.Path][strings.ToLower(o.Method)] == nil {
			t.Errorf("/openapi.json has no %s %s", o.Method, o.Path)
		}
	}
}

// Health tells the process from its database.
func TestHealth(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ok := func(path string) {
		t.Helper()
		if got := s.Do("GET", path).Want(200).Text(); got != `{"status":"ok"}` {
			t.Errorf("%s says %s", path, got)
		}
	}
	ok("/healthz")
	ok("/readyz")
	s.Break()
	ok("/healthz")
	s.Do("GET", "/readyz").Refused("unavailable")
	s.Mend()
	ok("/readyz")
}

// Every answer has an id of its own.
func TestRequestIDs(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ids := map[string]bool{}
	for range 50 {
		for _, path := range []string{"/healthz", "/nowhere", "/v1/me"} {
			ids[s.Do("GET", path).Header.Get("X-Request-Id")] = true
		}
	}
	if len(ids) != 150 {
		t.Errorf("%d ids of 150 requests", len(ids))
	}
}
