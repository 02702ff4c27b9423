package config

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// maxNonce is how long a nonce may be, in characters.
const maxNonce = 64

// passwordVariable holds the password of --login. There is no flag: the command line is for all to see.
const passwordVariable = prefix + "PASSWORD"

// Access is which server a command of a client goes to, and as whom.
type Access struct {
	Server   string `placeholder:"URL" help:"Where Parley is, such as https://chat.example. Without it: the server that was last logged in to; else, and with a token, --guest or --login, http://127.0.0.1:8080."`
	Token    Secret `placeholder:"TOKEN" help:"Token of a session or a bot, instead of the session that is kept. Better in the variable: other users of the machine see command lines."`
	Login    string `typed:"only" xor:"who" placeholder:"NAME" help:"Log in, by the password in PARLEY_PASSWORD or asked for, and keep the session for later calls."`
	Guest    bool   `typed:"only" xor:"who" help:"Where no session is kept, come as a guest, and keep the session."`
	Password Secret `kong:"-"` // with Login; empty: to be asked for
}

// SendArgs is what `parley send` is told.
type SendArgs struct {
	Access
	To      *string       `typed:"only" placeholder:"REF" help:"Where to: a channel, a room's id, or @name for one person. Without it: the lobby."`
	Join    bool          `typed:"only" help:"Become a member of the channel first."`
	Lines   bool          `typed:"only" help:"Each line of standard input is a message, sent as it comes."`
	Nonce   string        `typed:"only" placeholder:"NONCE" help:"Made-up word for this message: called again with it, nothing is sent twice. With --lines, line 3 has NONCE-3."`
	Timeout time.Duration `typed:"only" default:"1m" placeholder:"DURATION" help:"How long to try each message; 0: until there is an answer."`
	JSON    bool          `typed:"only" name:"json" help:"Print the message as JSON, instead of its id."`
	Text    []string      `arg:"" optional:"" placeholder:"TEXT" help:"What to say. Without it: standard input, the whole of it."`
}

// TailArgs is what `parley tail` is told.
type TailArgs struct {
	Access
	Room   []string `typed:"only" placeholder:"REF" help:"Only of these rooms: a channel, a room's id, or @name for the conversation with one person."`
	Join   bool     `typed:"only" help:"Become a member of the channels first."`
	Types  []string `typed:"only" placeholder:"TYPE" help:"Only these types of events, such as message.created. Without it: messages, their changes and their end; with --json everything."`
	After  *int64   `typed:"only" placeholder:"N" help:"Begin behind this event or message; 0: with all that is kept. Without it: from now on."`
	Cursor string   `typed:"only" placeholder:"FILE" help:"Keep here how far was printed, and begin there the next time, instead of where --after or --last say."`
	Last   int      `typed:"only" short:"n" placeholder:"N" help:"Begin with the newest N messages, at most 200."`
	JSON   bool     `typed:"only" name:"json" help:"Print the events as they are, one JSON object a line."`
}

// Check says what is wrong with the arguments, as a UsageError.
func (a SendArgs) Check() error {
	return firstReason(a.Access, []reason{
		{"to", checkRef(a.To)},
		{"join", onlyIf(!a.Join || a.To != nil, "goes with --to: everybody is in the lobby")},
		{"lines", onlyIf(!a.Lines || len(a.Text) == 0, "goes without a TEXT: it reads standard input")},
		{"nonce", checkNonce(a.Nonce)},
		{"timeout", checkAtLeast(a.Timeout, time.Second)},
	})
}

// Check says what is wrong with the arguments, as a UsageError.
func (a TailArgs) Check() error {
	return firstReason(a.Access, []reason{
		{"room", checkRefs(a.Room)},
		{"join", onlyIf(!a.Join || len(a.Room) > 0, "goes with --room: everybody is in the lobby")},
		{"after", onlyIf(a.After == nil || *a.After >= 0, "must be 0 or an id")},
		{"last", checkRange(a.Last, 0, 200)},
		{"last", onlyIf(a.Last == 0 || a.After == nil, "goes without --after: both say where to begin")},
		{"last", onlyIf(a.Last == 0 || !a.JSON, "goes without --json: what was said is no event any more; see --after")},
	})
}

// reason is what is wrong with a flag, empty where nothing is.
type reason struct{ flag, text string }

func firstReason(a Access, more []reason) error {
	for _, r := range append([]reason{
		{"server", checkServer(a.Server)},
		{"token", checkToken(a.Token)},
		{"token", onlyIf(a.Token == "" || a.Login == "" && !a.Guest, "goes without --login and --guest: they make a session of their own")},
	}, more...) {
		if r.text != "" {
			return &UsageError{Flag: r.flag, Reason: r.text}
		}
	}
	return nil
}

func onlyIf(fine bool, otherwise string) (reason string) {
	if fine {
		return ""
	}
	return otherwise
}

// checkServer never quotes the value: people put passwords into URLs.
func checkServer(server string) (reason string) {
	if server == "" {
		return ""
	}
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "must be a URL such as http://127.0.0.1:8080"
	}
	return ""
}

// checkToken looks for what no header can carry.
func checkToken(token Secret) (reason string) {
	if strings.ContainsFunc(token.Reveal(), func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return "has characters that no token has"
	}
	return ""
}

// checkRef refuses what an unset variable of a script makes: the message must not go to the lobby instead.
func checkRef(ref *string) (reason string) {
	if ref != nil && strings.Trim(*ref, "@# ") == "" {
		return "must be a channel, a room's id or @name, not empty"
	}
	return ""
}

func checkRefs(refs []string) (reason string) {
	for _, ref := range refs {
		if reason := checkRef(&ref); reason != "" {
			return reason
		}
	}
	return ""
}

func checkNonce(nonce string) (reason string) {
	if n := len([]rune(nonce)); n > maxNonce {
		return fmt.Sprintf("must have at most %d characters, not %d", maxNonce, n)
	}
	return ""
}
