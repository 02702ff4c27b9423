package tests

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/version"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/config"
)

// readFile gives a file of the project.
func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// dockerStages are the instructions of each stage of the Dockerfile, without comments and with
// their lines joined.
func dockerStages(t *testing.T) [][]string {
	t.Helper()
	text := regexp.MustCompile(`(?m)^\s*#.*\n`).ReplaceAllString(readFile(t, "Dockerfile"), "")
	text = regexp.MustCompile(`\\\n\s*`).ReplaceAllString(text, "")
	stages := [][]string{nil} // what comes before the first FROM
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "FROM ") {
			stages = append(stages, nil)
		}
		if line != "" {
			stages[len(stages)-1] = append(stages[len(stages)-1], line)
		}
	}
	return stages
}

// The promises of the image that can be read off the Dockerfile.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	stages := dockerStages(t)
	if len(stages) != 3 {
		t.Fatalf("%d stages", len(stages)-1)
	}
	last := stages[2]
	if last[0] != "FROM scratch" {
		t.Errorf("the image is %s: is that small?", last[0])
	}
	for _, want := range []string{
		"USER 65532:65532", "VOLUME /data", `ENTRYPOINT ["/parley"]`, `CMD ["serve"]`,
		"COPY --from=build --chown=65532:65532 /out/data /data",
		"ENV PARLEY_ADDR=:8080 PARLEY_DATA=/data TMPDIR=/data",
	} {
		if !slices.Contains(last, want) {
			t.Errorf("the image lacks %s", want)
		}
	}
	all := slices.Concat(stages...)
	if !slices.ContainsFunc(last, func(s string) bool {
		return strings.HasPrefix(s, "HEALTHCHECK ") && strings.Contains(s, `["/parley", "health"]`)
	}) {
		t.Error("the image does not say how it is")
	}
	for _, line := range all {
		if strings.Contains(line, "GOPROXY") || strings.Contains(line, ":latest") {
			t.Errorf("%s: not for everybody, or not the same every time", line)
		}
	}
	// A module that asks for a newer Go than the image has would not build.
	goMod := regexp.MustCompile(`(?m)^go (\S+)$`).FindStringSubmatch(readFile(t, "go.mod"))
	image := regexp.MustCompile(`GO_VERSION=(\d+\.\d+\.\d+)`).FindStringSubmatch(strings.Join(stages[0], "\n"))
	if goMod == nil || image == nil || version.Compare("go"+image[1], "go"+goMod[1]) < 0 {
		t.Errorf("go.mod wants %v, the image has %v", goMod, image)
	}
}

// The linker says nothing when it is told to set what is not there.
func TestDockerfileSetsVariablesThatAreThere(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../internal/app/version.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var variables []string
	for _, d := range file.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, spec := range g.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					variables = append(variables, name.Name)
				}
			}
		}
	}
	set := regexp.MustCompile(`-X parley/internal/app\.(\w+)=`).FindAllStringSubmatch(readFile(t, "Dockerfile"), -1)
	if len(set) != 2 {
		t.Errorf("the linker sets %v", set)
	}
	for _, s := range set {
		if !slices.Contains(variables, s[1]) {
			t.Errorf("version.go has no variable %s", s[1])
		}
	}
}

// The service waits longer for the end than the server takes, and starts a server that would start.
func TestService(t *testing.T) {
	t.Parallel()
	unit := readFile(t, "examples/systemd/parley.service")
	setting := func(name string) string {
		m := regexp.MustCompile(`(?m)^` + name + `=(.*)$`).FindStringSubmatch(unit)
		if m == nil {
			t.Fatalf("the service does not say %s", name)
		}
		return m[1]
	}
	if d, err := time.ParseDuration(setting("TimeoutStopSec")); err != nil || d <= 10*time.Second {
		t.Errorf("it waits %v, %v", d, err)
	}
	args := strings.Fields(setting("ExecStart"))[1:]
	in, err := config.Parse(args, environmentFile(t), io.Discard)
	if err != nil || len(in.Unknown) > 0 {
		t.Fatalf("%v, unknown: %v", err, in.Unknown)
	}
	if want := "/var/lib/" + setting("StateDirectory"); in.Config.Data != want {
		t.Errorf("the data is in %s, which it may not write: %s", in.Config.Data, want)
	}
	for name, want := range map[string]string{
		"DynamicUser": "yes", "NoNewPrivileges": "yes", "ProtectSystem": "strict", "MemoryDenyWriteExecute": "yes",
		"KillSignal": "SIGTERM", "Restart": "on-failure", "EnvironmentFile": "-/etc/parley.env",
		"RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
	} {
		if got := setting(name); got != want {
			t.Errorf("%s=%s, want %s", name, got, want)
		}
	}
}

// environmentFile is parley.env with every variable in it set.
func environmentFile(t *testing.T) (environ []string) {
	t.Helper()
	text := readFile(t, "examples/systemd/parley.env")
	for _, m := range regexp.MustCompile(`(?m)^#?(PARLEY_\w+=.*)$`).FindAllStringSubmatch(text, -1) {
		environ = append(environ, m[1])
	}
	return environ
}

// parley.env shows every variable but that of the data directory, with the defaults that --help tells.
func TestEnvironmentFileHasAllVariables(t *testing.T) {
	t.Parallel()
	var help strings.Builder
	if _, err := config.Parse([]string{"serve", "--help"}, nil, &help); err != nil {
		t.Fatal(err)
	}
	environ := environmentFile(t)
	shown := strings.Join(strings.Fields(help.String()), " ")
	for _, m := range regexp.MustCompile(`\[(PARLEY_\w+)(?:, default ([^\]]+))?\]`).FindAllStringSubmatch(shown, -1) {
		name, value := m[1], m[2]
		i := slices.IndexFunc(environ, func(v string) bool { return strings.HasPrefix(v, name+"=") })
		switch {
		case name == "PARLEY_DATA":
		case i < 0:
			t.Errorf("parley.env lacks %s", name)
		case value != "" && environ[i] != name+"="+value:
			t.Errorf("parley.env has %s, the default is %s", strconv.Quote(environ[i]), value)
		}
	}
}
