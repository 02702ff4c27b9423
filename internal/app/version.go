package app

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
)

// linkedVersion and linkedRevision are for builds that see no repository, as in a container: the
// linker sets them, by -ldflags "-X parley/internal/app.linkedVersion=v1.2.3". Empty, as in every
// other build, they leave it to what go build and go install stamp by themselves.
var linkedVersion, linkedRevision string

// develVersion is what a program calls itself that was built outside of any version, as by go run.
const develVersion = "devel"

// build says which program this is. What is not known is empty.
type build struct {
	Version  string `json:"version"`            // the module's: v1.2.3, a pseudo-version, or devel
	Revision string `json:"revision,omitempty"` // the commit's hash
	Time     string `json:"time,omitempty"`     // the commit's, RFC 3339
	Modified bool   `json:"modified"`           // files differ from the commit's
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

// thisBuild is the build of the running program.
func thisBuild() build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return describeBuild(info, linkedVersion, linkedRevision)
}

// describeBuild takes what the linker was told before what the go command stamped.
func describeBuild(info *debug.BuildInfo, version, revision string) build {
	b := build{Version: info.Main.Version, Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	if version != "" {
		b.Version = version
	}
	if revision != "" && revision != b.Revision {
		b.Revision, b.Time, b.Modified = revision, "", false // they were another commit's
	}
	if b.Version == "" || b.Version == "(devel)" {
		b.Version = develVersion
	}
	return b
}

// String is the line that `parley version` prints.
func (b build) String() string {
	line := "parley " + b.Version
	var from []string
	if b.Revision != "" {
		from = append(from, "revision "+b.Revision[:min(12, len(b.Revision))])
	}
	if b.Time != "" {
		from = append(from, b.Time)
	}
	if b.Modified {
		from = append(from, "modified")
	}
	if len(from) > 0 {
		line += " (" + strings.Join(from, ", ") + ")"
	}
	return fmt.Sprintf("%s %s %s/%s", line, b.Go, b.OS, b.Arch)
}

// print is what `parley version` does.
func (b build) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(b)
	}
	_, err := fmt.Fprintln(w, b)
	return err
}
