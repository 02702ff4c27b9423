package config

import (
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Command is what the program is asked to do.
type Command string

// The commands. Helped says that help was asked for and printed: nothing is left to do.
const (
	Serve       Command = "serve"
	Chat        Command = "chat"
	Users       Command = "user"
	CheckHealth Command = "health"
	Version     Command = "version"
	Backup      Command = "backup"
	Restore     Command = "restore"
	Check       Command = "check"
	Send        Command = "send"
	Tail        Command = "tail"
	Bench       Command = "bench"
	BenchFloor  Command = "bench-floor"
	Helped      Command = "help"
)

// Invocation is one start of the program.
type Invocation struct {
	Command Command
	Config  Config      // with Serve
	Chat    ChatArgs    // with Chat
	User    User        // with Users
	Unknown []string    // variables named PARLEY_… that no flag has
	Health  Health      // with CheckHealth
	JSON    bool        // with Version
	Backup  BackupArgs  // with Backup
	Restore RestoreArgs // with Restore
	Check   CheckArgs   // with Check
	Send    SendArgs    // with Send
	Tail    TailArgs    // with Tail
	Bench   BenchArgs   // with Bench
	Floor   FloorArgs   // with BenchFloor
}

// Health is what `parley health` can be told. Addr and TLSCert are the server's own flags, so
// that in its environment the command finds it by itself.
type Health struct {
	URL     string `arg:"" optional:"" name:"url" help:"What to ask; without a path, /readyz there. Without a URL: the server on this machine that --addr names."`
	Addr    string `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address that the server listens on."`
	TLSCert string `name:"tls-cert" placeholder:"FILE" help:"The server's certificate, where it serves HTTPS."`
}

// UsageError is a start that cannot be: one line for the one who typed it.
type UsageError struct {
	Flag     string // without dashes; empty where it is about no flag
	Variable string // where the value came from the environment
	Reason   string
}

// Error implements error.
func (e *UsageError) Error() string {
	switch {
	case e.Variable != "":
		return fmt.Sprintf("%s (flag --%s): %s", e.Variable, e.Flag, e.Reason)
	case e.Flag != "":
		return fmt.Sprintf("--%s: %s", e.Flag, e.Reason)
	default:
		return e.Reason
	}
}

// grammar is what may follow the program's name.
type grammar struct {
	Serve   Config      `cmd:"" default:"withargs" help:"Run the server, in the foreground, until SIGINT or SIGTERM."`
	Chat    ChatArgs    `cmd:"" help:"Chat in this terminal, or by lines where input or output is none."`
	User    userGrammar `cmd:"" help:"Manage accounts: list, role, password, kick, ban, unban. Works while the server runs."`
	Send    SendArgs    `cmd:"" help:"Send a message: exit code 0 if it is stored, 1 if it was refused, 75 if that is not known."`
	Tail    TailArgs    `cmd:"" help:"Print messages as they are said, or events as JSON, and resume where it stopped."`
	Health  Health      `cmd:"" help:"Ask a server whether it is ready: exit code 0 if so, else 1."`
	Backup  BackupArgs  `cmd:"" help:"Copy the data to a file, also while a server runs on them."`
	Restore RestoreArgs `cmd:"" help:"Put a backup into a data directory."`
	Check   CheckArgs   `cmd:"" help:"Look for damage in the data or in a backup, also while a server runs on them."`
	Bench   BenchArgs   `cmd:"" help:"Measure the server beside its peers, on this machine: speed, memory, and that nothing is lost."`
	Floor   FloorArgs   `cmd:"" name:"bench-floor" hidden:"" help:"The built-in peer of parley bench."`
	Version struct {
		JSON bool `help:"As one JSON object."`
	} `cmd:"" help:"Print which build of the program this is."`
}

// Parse reads the arguments after the program's name and the environment in the form of
// os.Environ. Help, where it is asked for, goes to out. Errors are UsageErrors.
func Parse(args, environ []string, out io.Writer) (Invocation, error) {
	var g grammar
	helped := false
	env := readEnvironment(environ)
	parser, err := kong.New(&g, options(out, env, func(int) { helped = true })...)
	if err != nil {
		return Invocation{}, fmt.Errorf("build the command line: %w", err)
	}
	if err := checkCommand(parser, args); err != nil {
		return Invocation{}, err
	}
	parsed, err := parser.Parse(withOldFlags(args))
	switch {
	case helped:
		return Invocation{Command: Helped}, nil
	case err != nil:
		return Invocation{}, usageError(err)
	}
	// What follows a command's name, such as `health <url>`, names its arguments.
	name, _, _ := strings.Cut(parsed.Command(), " ")
	in := Invocation{Command: Command(name)}
	var read checker
	switch in.Command {
	case Serve:
		in.Config, in.Unknown, read = g.Serve, env.unknown(parser.Model), g.Serve
	case Chat:
		g.Chat.Password = env.password()
		in.Chat, read = g.Chat, g.Chat
	case Users:
		in.User, err = g.User.invocation(parsed)
		return in, env.blame(err)
	case Backup:
		in.Backup, read = g.Backup, g.Backup
	case Restore:
		in.Restore, read = g.Restore, g.Restore
	case Check:
		in.Check, read = g.Check, g.Check
	case Send:
		g.Send.Password = env.password()
		in.Send, read = g.Send, g.Send
	case Tail:
		g.Tail.Password = env.password()
		in.Tail, read = g.Tail, g.Tail
	case Bench:
		in.Bench, read = g.Bench, g.Bench
	default:
		in.Health, in.Floor, in.JSON = g.Health, g.Floor, g.Version.JSON
		return in, nil
	}
	if err := read.Check(); err != nil {
		return Invocation{}, env.blame(err)
	}
	return in, nil
}

// checker are arguments that kong has read and that may still not go together.
type checker interface{ Check() error }

func options(out io.Writer, env *environment, exit func(int)) []kong.Option {
	return []kong.Option{
		kong.Name("parley"),
		kong.Description("Parley is a chat server. Without a command it serves: parley --addr :9000"),
		kong.Writers(out, out),
		kong.Exit(exit),
		kong.Resolvers(env),
		kong.ValueFormatter(describe),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 80}),
	}
}

// describe is a flag's help with its default and, where it has one, its variable.
func describe(v *kong.Value) string {
	if v.Flag == nil || v.Name == "help" || v.Tag.Has(onlyTyped) && !v.HasDefault {
		return v.Help
	}
	if v.Tag.Has(onlyTyped) {
		return fmt.Sprintf("%s [default %s]", v.Help, v.Default)
	}
	if v.HasDefault {
		return fmt.Sprintf("%s [%s, default %s]", v.Help, variable(v.Name), v.Default)
	}
	return fmt.Sprintf("%s [%s]", v.Help, variable(v.Name))
}

// checkCommand refuses a first word that is no command: `serve`, being the default, would
// take it for an argument.
func checkCommand(parser *kong.Kong, args []string) error {
	if len(args) == 0 || strings.HasPrefix(args[0], "-") {
		return nil
	}
	known := func(n *kong.Node) bool { return n.Name == args[0] }
	if slices.ContainsFunc(parser.Model.Children, known) {
		return nil
	}
	return &UsageError{Reason: fmt.Sprintf("there is no command %q; see parley --help", args[0])}
}

// usageError makes kong's errors ours.
func usageError(err error) error {
	if e, ok := errors.AsType[*UsageError](err); ok {
		return e
	}
	reason := err.Error()
	flag, rest, aboutFlag := strings.Cut(reason, ": ")
	switch {
	case aboutFlag && strings.HasPrefix(flag, "--") && strings.Contains(rest, `"EOL"`):
		return &UsageError{Flag: flag[2:], Reason: "needs a value"}
	case aboutFlag && strings.HasPrefix(flag, "--"):
		return &UsageError{Flag: flag[2:], Reason: reword(rest)}
	case strings.HasPrefix(reason, "unknown flag"):
		return &UsageError{Reason: reason + " (parley serve --help lists the server's)"}
	case strings.HasPrefix(reason, `expected "<file>"`):
		return &UsageError{Reason: "name a FILE (parley --help lists what there is)"}
	default:
		return &UsageError{Reason: reason + " (parley --help lists what there is)"}
	}
}

var notOfType = regexp.MustCompile(`^expected (?:a )?(duration|valid \d+ bit int) but got ("(?:[^"\\]|\\.)*")`)

// reword says what would be right, where kong tells of Go's types.
func reword(reason string) string {
	m := notOfType.FindStringSubmatch(reason)
	switch {
	case m == nil:
		return reason
	case m[1] == "duration":
		return "must be a duration such as 90s or 720h, not " + m[2]
	default:
		return "must be a whole number, not " + m[2]
	}
}
