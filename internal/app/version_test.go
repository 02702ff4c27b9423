package app

import (
	"bytes"
	"encoding/json"
	"reflect"
	"runtime"
	"runtime/debug"
	"testing"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

func stamped(version string, settings ...string) *debug.BuildInfo {
	info := &debug.BuildInfo{Main: debug.Module{Path: "parley", Version: version}}
	for i := 0; i+1 < len(settings); i += 2 {
		info.Settings = append(info.Settings, debug.BuildSetting{Key: settings[i], Value: settings[i+1]})
	}
	return info
}

func TestBuild(t *testing.T) {
	t.Parallel()
	here := " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	tests := []struct {
		name              string
		info              *debug.BuildInfo
		version, revision string // what the linker was told
		want              string
	}{
		{"nothing is known", &debug.BuildInfo{}, "", "", "parley devel"},
		{"go run", stamped("(devel)"), "", "", "parley devel"},
		{"go install of a version", stamped("v1.2.3"), "", "", "parley v1.2.3"},
		{
			"go build in a clean clone",
			stamped("v1.2.3", "vcs", "git", "vcs.revision", commit, "vcs.time", "2026-01-02T03:04:05Z", "vcs.modified", "false"),
			"", "", "parley v1.2.3 (revision 0123456789ab, 2026-01-02T03:04:05Z)",
		},
		{
			"go build in a clone with changes",
			stamped("v1.2.4-0.20260102030405-0123456789ab+dirty", "vcs.revision", commit, "vcs.modified", "true"),
			"", "", "parley v1.2.4-0.20260102030405-0123456789ab+dirty (revision 0123456789ab, modified)",
		},
		{"a container without a repository", stamped("(devel)"), "v1.2.3", commit, "parley v1.2.3 (revision 0123456789ab)"},
		{"a short revision", stamped("(devel)"), "", "0123456", "parley devel (revision 0123456)"},
		{
			"the linker's revision, not the repository's around it",
			stamped("v9.9.9", "vcs.revision", "fedcba", "vcs.time", "2026-01-02T03:04:05Z", "vcs.modified", "true"),
			"v1.2.3", commit, "parley v1.2.3 (revision 0123456789ab)",
		},
	}
	for _, tt := range tests {
		if got := describeBuild(tt.info, tt.version, tt.revision).String(); got != tt.want+here {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want+here)
		}
	}
}

func TestVersionAsJSON(t *testing.T) {
	t.Parallel()
	var stdout, stderr bytes.Buffer
	if code := Main([]string{"version", "--json"}, nil, &stdout, &stderr); code != exitOK || stderr.Len() != 0 {
		t.Fatalf("exit code %d, %s", code, stderr.String())
	}
	var got build
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if want := thisBuild(); got != want || got.Version == "" || got.Go != runtime.Version() {
		t.Errorf("%s, want %+v", stdout.String(), want)
	}
	var keys map[string]any
	b := build{Version: "v1.2.3", Revision: commit, Time: "2026-01-02T03:04:05Z", Modified: true, Go: "go1.26", OS: "linux", Arch: "arm64"}
	stdout.Reset()
	if err := b.print(&stdout, true); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(stdout.Bytes(), &keys); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"version": "v1.2.3", "revision": commit, "time": "2026-01-02T03:04:05Z", "modified": true,
		"go": "go1.26", "os": "linux", "arch": "arm64",
	}
	if !reflect.DeepEqual(keys, want) {
		t.Errorf("%s, want %v", stdout.String(), want)
	}
}
