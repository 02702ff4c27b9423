package config

import (
	"net"
	"strconv"
	"strings"
)

// ChatArgs is what `parley chat` is told.
type ChatArgs struct {
	Server string `default:"http://127.0.0.1:8080" placeholder:"URL" help:"Server to talk to."`
	IP     string `typed:"only" name:"ip" placeholder:"HOST" help:"Host of the server, in the place of --server; -ip too, as the oldest client had it."`
	Port   int    `typed:"only" placeholder:"PORT" help:"Port of the server, in the place of --server; -port too."`
	Guest  bool   `typed:"only" xor:"who" help:"Where no session is kept, come as a guest."`
	Login  string `typed:"only" xor:"who" placeholder:"NAME" help:"Log in as NAME, by the password in PARLEY_PASSWORD or, in a terminal, one that is asked for."`

	Password Secret `kong:"-"`
}

// Help is what follows the flags in the command's help.
func (ChatArgs) Help() string {
	return `In a terminal it opens a menu (log in, register, come as a guest) and then the chat. The session is kept, readable by
you alone, so that the next start goes straight in. NO_COLOR is heeded.

Where input or output is no terminal, each line in is a message or a command, and each message is a line out:
"16:47 #lobby ann: Hello everyone". It ends with the input; the exit code is 1 where a line was not done.

  echo "The build is green" | parley chat --guest
`
}

// Check says what is wrong with the arguments, as a UsageError.
func (a ChatArgs) Check() error {
	switch {
	case a.Port < 0 || a.Port > 65535:
		return &UsageError{Flag: "port", Reason: "must be from 1 to 65535, not " + strconv.Itoa(a.Port)}
	case strings.ContainsAny(a.IP, "/@?# "):
		return &UsageError{Flag: "ip", Reason: "must be an address or the name of a host"}
	}
	if reason := checkServer(a.Server); reason != "" {
		return &UsageError{Flag: "server", Reason: reason}
	}
	return nil
}

// Address is the server's URL.
func (a ChatArgs) Address() string {
	if a.IP == "" && a.Port == 0 {
		return a.Server
	}
	host, port := a.IP, a.Port
	if host == "" {
		host = "127.0.0.1"
	}
	if port == 0 {
		port = 8080
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port))
}

// withOldFlags gives the flags of the oldest client, which have one dash, their second one.
func withOldFlags(args []string) []string {
	if len(args) == 0 || args[0] != string(Chat) {
		return args
	}
	out := make([]string, 0, len(args))
	for _, arg := range args {
		name, _, _ := strings.Cut(arg, "=")
		if name == "-ip" || name == "-port" {
			arg = "-" + arg
		}
		out = append(out, arg)
	}
	return out
}
