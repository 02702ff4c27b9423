package tests

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// house says what of ours each package may import, and why no more. Arrows point inward: a
// package that is not here is not part of the house yet.
var house = map[string]struct {
	may     []string
	inTests []string // only in files named _test.go
	why     string
}{
	"":           {may: []string{"internal/app"}, why: "main only calls the one function that runs the program"},
	"models":     {why: "the words that all else is built on are plain data"},
	"chat":       {may: []string{"models"}, why: "the rules declare the Store that they need, and so run without a database or HTTP"},
	"store":      {may: []string{"models", "chat"}, why: "storage runs chat's commands and knows nothing of streams or HTTP"},
	"broker":     {may: []string{"models"}, why: "the fan-out reads gaps back through an interface of its own and knows no rules"},
	"bus":        {may: []string{"models"}, why: "nodes tell each other that the log grew, and no more"},
	"bus/memory": {may: []string{"models", "bus"}, why: "an adapter knows its interface only"},
	"bus/nats":   {may: []string{"models", "bus"}, why: "an adapter knows its interface only"},
	"bus/postgres": {
		may: []string{"models", "bus"}, inTests: []string{"internal/pgtest"},
		why: "an adapter knows its interface only",
	},
	"api":     {may: []string{"models", "chat", "broker", "internal/direct", "internal/limit"}, why: "HTTP speaks to the rules and the fan-out, never to the database"},
	"gateway": {may: []string{"models", "chat", "broker", "internal/limit"}, why: "the older protocols are another face of the same rules"},
	"web":     {why: "the pages are clients of the API like any other"},
	"client":  {why: "people import it into programs of their own"},
	"internal/terminal/chat": {
		may: []string{"client", "internal/terminal/session"}, why: "the terminal is a client like any other",
	},
	"internal/terminal/durable": {
		why: "a file that is whole at any moment is a thing of the disk alone",
	},
	"internal/terminal/session": {
		may: []string{"internal/terminal/durable"}, why: "who one is lies on the disk; what to do with it the commands know",
	},
	"internal/terminal/plain": {
		why: "what is harmless on a terminal is a matter of characters alone",
	},
	"internal/terminal/access": {
		may: []string{"client", "internal/config", "internal/terminal/plain", "internal/terminal/session"},
		why: "the terminal is a client like any other",
	},
	"internal/terminal/send": {
		may: []string{"client", "internal/config", "internal/terminal/access"},
		why: "the terminal is a client like any other",
	},
	"internal/terminal/tail": {
		may: []string{"client", "internal/config", "internal/terminal/access", "internal/terminal/durable", "internal/terminal/plain"},
		why: "the terminal is a client like any other",
	},
	"internal/limit": {may: []string{"models"}, why: "how often is counted alike whatever protocol somebody speaks"},
	"internal/config": {
		why: "what an operator says is read before anything is there",
	},
	"internal/control": {
		may: []string{"models", "chat"}, why: "the operator's socket is another face of the same rules",
	},
	"internal/metrics": {
		may: []string{"models", "chat", "store", "broker", "api"},
		why: "it reads the numbers that the parts keep, so that none of them knows Prometheus",
	},
	"internal/direct": {
		may: []string{"broker"}, inTests: []string{"models"},
		why: "what is special about streams on connections of their own is in one place, and knows the fan-out only",
	},
	"internal/app": {
		may: []string{"models", "chat", "store", "broker", "bus", "bus/memory", "bus/nats", "bus/postgres", "api", "gateway", "web", "internal/bench", "internal/config", "internal/control", "internal/direct", "internal/limit", "internal/metrics", "internal/terminal/chat", "internal/terminal/send", "internal/terminal/session", "internal/terminal/tail"},
		why: "the composition root knows all parts, but is no client itself",
	},
	"internal/pgtest": {why: "a database for tests depends on nothing that is tested"},
	"tests": {
		may: []string{"client", "internal/app", "internal/config", "internal/pgtest", "tests/harness"},
		why: "the black box sees what clients see",
	},
	"tests/faults": {
		may: []string{"internal/pgtest", "tests/faults/oracle"}, why: "it sees a process, its answers and its database's rows, and nothing of its code",
	},
	"tests/faults/oracle": {why: "who judges the server shares no code with it"},
	"tests/harness": {
		may: []string{"client", "internal/app", "internal/config", "internal/pgtest"},
		why: "the black box sees what clients see",
	},
	"tests/mutants/blend": {
		why: "what breaks the program is no part of it",
	},
	"tests/linear": {
		may: []string{"client", "internal/pgtest"}, why: "the black box sees what clients see, in a module of its own for what it needs of others",
	},
	"examples":     {may: []string{"client"}, why: "an example is somebody's own program"},
	"examples/bot": {may: []string{"client"}, why: "an example is somebody's own program"},
	"internal/bench": {
		may: []string{"client", "internal/config"}, why: "the load comes from outside, as clients do",
	},
}

// helpers may be imported by the tests of every package.
var helpers = []string{"internal/pgtest"}

// guests are packages of others that only some of ours may import, tests included. A path
// stands for what lies below it too.
var guests = []struct {
	path string
	only []string
	why  string
}{
	{"gorm.io", []string{"store"}, "store is the only user of GORM, so that a query is looked for in one place"},
	{"github.com/pressly/goose", []string{"store"}, "migrations belong to the database"},
	{"github.com/mattn/go-sqlite3", []string{"store", "tests/faults"}, "which database it is only store knows"},
	{"github.com/jackc/pgx", []string{"store", "internal/pgtest", "bus/postgres", "tests/faults"}, "which database it is only store knows"},
	{"database/sql", []string{"store", "tests/faults"}, "SQL outside of store would be beside the log and its single writer"},
	{"github.com/gin-gonic/gin", []string{"api"}, "*gin.Context never leaves api: others take r.Context()"},
	{"github.com/prometheus", []string{"internal/metrics", "tests"}, "the parts keep plain numbers; what is made of them is seen in one place"},
	{"github.com/swaggest/swgui", []string{"api"}, "the API's page is a part of the API"},
	{"charm.land/bubbletea", []string{"internal/terminal/chat"}, "how a screen is drawn is said in one place"},
	{"github.com/charmbracelet/x", []string{"internal/terminal/chat", "tests"}, "how a screen is drawn is said in one place"},
	{"github.com/coder/websocket", []string{"gateway", "tests"}, "WebSockets are one face of the server, beside HTTP"},
	{"github.com/creack/pty", []string{"tests"}, "a pseudo-terminal is for looking at the program from outside"},
	{"go.mau.fi/util", []string{"models"}, "what is an emoji is said in one place"},
	{"github.com/alecthomas/kong", []string{"internal/config"}, "flags are read in one place"},
	{
		"net/http", []string{"api", "client", "gateway", "web", "bus/nats", "internal/app", "internal/bench", "internal/control", "internal/direct", "internal/metrics", "tests", "tests/faults", "tests/harness", "tests/linear", "examples", "internal/terminal/chat"},
		"the rules, the storage and the fan-out serve every protocol",
	},
}

// importing is one import of a file.
type importing struct {
	from   string // the package, below the module's root
	path   string
	inTest bool
}

func TestImportsKeepToTheHouse(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for file, imports := range readImports(t, "..") {
		for _, i := range imports {
			seen[i.from] = true
			if fault := i.fault(); fault != "" {
				t.Errorf("%s: %s", file, fault)
			}
		}
	}
	for _, name := range []string{"", "models", "chat", "store", "broker", "api", "client", "internal/app"} {
		if !seen[name] {
			t.Errorf("no import of package %q was found: does this test look at the right place?", name)
		}
	}
}

// fault says what is wrong with the import, if anything.
func (i importing) fault() string {
	room, known := house[i.from]
	if !known {
		return fmt.Sprintf("package %s is not in the table of tests/imports_test.go: say there what it may import, and why", i.from)
	}
	if ours, ok := strings.CutPrefix(i.path, "parley/"); ok {
		allowed := slices.Contains(room.may, ours) || ours == i.from ||
			i.inTest && (slices.Contains(room.inTests, ours) || slices.Contains(helpers, ours))
		if !allowed {
			return fmt.Sprintf("%s must not import %s: %s", display(i.from), ours, room.why)
		}
		return ""
	}
	for _, g := range guests {
		if (i.path == g.path || strings.HasPrefix(i.path, g.path+"/")) && !slices.Contains(g.only, i.from) {
			return fmt.Sprintf("%s must not import %s: %s", display(i.from), i.path, g.why)
		}
	}
	return ""
}

func display(pkg string) string {
	if pkg == "" {
		return "main"
	}
	return pkg
}

// readImports reads what every Go file below root imports, whatever its build tags.
func readImports(t *testing.T, root string) map[string][]importing {
	t.Helper()
	found := map[string][]importing{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if notOurs(entry.Name()) && path != root {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(path, ".go") {
			found[path], err = importsOf(root, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// notOurs tells directories without packages of this module: tools has modules of its own.
func notOurs(dir string) bool {
	return strings.HasPrefix(dir, ".") || slices.Contains([]string{"tools", "testdata", "node_modules", "data", "bin"}, dir)
}

func importsOf(root, path string) ([]importing, error) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	from := strings.TrimPrefix(filepath.ToSlash(dir), ".")
	// A file without imports is one of its package all the same.
	imports := []importing{{from: from, path: "parley/" + from}}
	for _, spec := range file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		imports = append(imports, importing{from: from, path: name, inTest: strings.HasSuffix(path, "_test.go")})
	}
	return imports, nil
}

// The table would be worth little if nothing broke it.
func TestImportsThatAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		i    importing
		want string // "" for what is allowed
	}{
		{importing{"models", "parley/chat", false}, "models must not import chat"},
		{importing{"chat", "parley/models", false}, ""},
		{importing{"chat", "parley/store", true}, "chat must not import store"},
		{importing{"chat", "parley/internal/pgtest", true}, ""},
		{importing{"chat", "parley/internal/pgtest", false}, "chat must not import internal/pgtest"},
		{importing{"api", "gorm.io/gorm", false}, "only user of GORM"},
		{importing{"api", "gorm.io/gorm/clause", true}, "only user of GORM"},
		{importing{"store", "gorm.io/driver/sqlite", false}, ""},
		{importing{"gateway", "github.com/gin-gonic/gin", false}, "*gin.Context never leaves api"},
		{importing{"broker", "net/http", false}, "broker must not import net/http"},
		{importing{"client", "parley/models", true}, "programs of their own"},
		{importing{"", "parley/store", false}, "main must not import store"},
		{importing{"utils", "fmt", false}, "utils is not in the table"},
		{importing{"store", "github.com/jackc/pgxlisten", false}, ""},
	}
	for _, tt := range tests {
		got := tt.i.fault()
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.i, got, tt.want)
		}
	}
}
