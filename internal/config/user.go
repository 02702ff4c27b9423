package config

import (
	"errors"
	"time"

	"github.com/alecthomas/kong"
)

// UserAction is what `parley user` does.
type UserAction string

// The actions.
const (
	UserList     UserAction = "list"
	UserRole     UserAction = "role"
	UserPassword UserAction = "password"
	UserKick     UserAction = "kick"
	UserBan      UserAction = "ban"
	UserUnban    UserAction = "unban"
)

// User is what `parley user` is asked to do, and to which server's data.
type User struct {
	Action   UserAction
	Data     string
	Database Secret

	Name      string // of the user; not with UserList
	Query     string // with UserList: the beginning of names
	JSON      bool   // with UserList
	Role      string // with UserRole
	Reason    string // with UserKick and UserBan
	Until     Moment // with UserBan; zero: until lifted
	For       time.Duration
	Addresses bool // with UserBan
}

// userGrammar is what may follow `parley user`. Flags tagged typed have no variable: they are of one
// act and not of a machine.
type userGrammar struct {
	Data     string `default:"./data" placeholder:"DIR" help:"Data directory of the server."`
	Database Secret `placeholder:"URL" help:"postgres:// URL of the server's database. Empty: SQLite in the data directory."`

	List struct {
		Query string `typed:"only" placeholder:"PREFIX" help:"Only users whose name begins so."`
		JSON  bool   `typed:"only" name:"json" help:"One JSON object a line."`
	} `cmd:"" help:"List the users by name: id, name, role, made, last seen, ban."`
	Role struct {
		Name string `arg:"" help:"The user's name."`
		Role string `arg:"" enum:"member,agent,admin" help:"member, agent or admin."`
	} `cmd:"" help:"Give a user another role. Takes effect at once."`
	Password struct {
		Name string `arg:"" help:"The user's name."`
	} `cmd:"" help:"Set a user's password, read from the terminal or the first line of standard input, and end all their sessions."`
	Kick struct {
		Name   string `arg:"" help:"The user's name."`
		Reason string `typed:"only" placeholder:"TEXT" help:"Shown to the user."`
	} `cmd:"" help:"End all sessions of a user, who may log in again."`
	Ban struct {
		Name      string        `arg:"" help:"The user's name."`
		Until     Moment        `typed:"only" xor:"until,for" placeholder:"TIME" help:"When the ban ends, such as 2030-12-31 or 2030-12-31T18:00:00Z. Without it: when it is lifted."`
		For       time.Duration `typed:"only" xor:"until,for" placeholder:"DURATION" help:"How long the ban holds, such as 72h."`
		Reason    string        `typed:"only" placeholder:"TEXT" help:"Shown to the user."`
		Addresses bool          `typed:"only" help:"Ban the addresses of the user's sessions too."`
	} `cmd:"" help:"Keep a user off the server and end all their sessions."`
	Unban struct {
		Name string `arg:"" help:"The user's name."`
	} `cmd:"" help:"Lift a user's ban."`
}

// Moment is a time as people type it: RFC 3339, or a day, which begins in UTC.
type Moment struct{ time.Time }

// UnmarshalText reads a moment.
func (m *Moment) UnmarshalText(b []byte) (err error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if m.Time, err = time.Parse(layout, string(b)); err == nil {
			return nil
		}
	}
	return errors.New("must be a time such as 2030-12-31 or 2030-12-31T18:00:00Z")
}

// invocation is what was parsed, checked as far as it can be without the server.
func (g *userGrammar) invocation(parsed *kong.Context) (User, error) {
	u := User{Data: g.Data, Database: g.Database, Action: UserAction(parsed.Selected().Name)}
	switch u.Action {
	case UserList:
		u.Query, u.JSON = g.List.Query, g.List.JSON
	case UserRole:
		u.Name, u.Role = g.Role.Name, g.Role.Role
	case UserPassword:
		u.Name = g.Password.Name
	case UserKick:
		u.Name, u.Reason = g.Kick.Name, g.Kick.Reason
	case UserBan:
		u.Name, u.Reason, u.Until, u.For = g.Ban.Name, g.Ban.Reason, g.Ban.Until, g.Ban.For
		u.Addresses = g.Ban.Addresses
	case UserUnban:
		u.Name = g.Unban.Name
	}
	return u, u.check()
}

func (u User) check() error {
	for _, check := range []struct{ flag, reason string }{
		{"data", checkDir(u.Data)},
		{"database", checkDatabase(u.Database)},
		{"for", checkAtLeast(u.For, time.Second)},
	} {
		if check.reason != "" {
			return &UsageError{Flag: check.flag, Reason: check.reason}
		}
	}
	if u.Action != UserList && (u.Name == "" || u.Name == "@") {
		return &UsageError{Reason: "NAME: must not be empty"}
	}
	return nil
}
