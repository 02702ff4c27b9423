package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var defaults = Config{
	Addr: "127.0.0.1:8080", Data: "./data", Guests: On, RateLimit: On,
	AwayAfter: 5 * time.Minute, SupportLeaveAfter: 2 * time.Minute, PresenceLimit: 1000, MaxMessageBytes: 16384,
	LineKickAfter: time.Minute, LineLang: Chinese, LegacyMinPassword: 1,
	LogFormat: LogText, LogLevel: LogLevel(slog.LevelInfo),
}

// Each flag has a default, gives way to its variable, and that to the flag.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	tests := []struct {
		flag, fromEnv, typed string
		field                func(Config) any
		env, arg             any
	}{
		{"addr", ":1", "[::1]:0", func(c Config) any { return c.Addr }, ":1", "[::1]:0"},
		{"data", "/a", "b", func(c Config) any { return c.Data }, "/a", "b"},
		{
			"database", "postgres://a/b", "postgresql://u:p@c/d?x=y", func(c Config) any { return c.Database },
			Secret("postgres://a/b"), Secret("postgresql://u:p@c/d?x=y"),
		},
		{"guests", "off", "on", func(c Config) any { return c.Guests }, Off, On},
		{"rate-limit", "off", "on", func(c Config) any { return c.RateLimit }, Off, On},
		{
			"cors-origin", "https://a.example", "http://b.example:81,*", func(c Config) any { return c.CORSOrigin },
			[]string{"https://a.example"}, []string{"http://b.example:81", "*"},
		},
		{
			"trusted-proxy", "10.0.0.0/8", "::1,127.0.0.1", func(c Config) any { return c.TrustedProxy },
			[]string{"10.0.0.0/8"}, []string{"::1", "127.0.0.1"},
		},
		{"away-after", "0", "90s", func(c Config) any { return c.AwayAfter }, time.Duration(0), 90 * time.Second},
		{"kick-after", "1s", "720h", func(c Config) any { return c.KickAfter }, time.Second, 720 * time.Hour},
		{"support-leave-after", "0", "5m", func(c Config) any { return c.SupportLeaveAfter }, time.Duration(0), 5 * time.Minute},
		{"presence-limit", "0", "1000000", func(c Config) any { return c.PresenceLimit }, 0, 1_000_000},
		{"retention", "720h", "0s", func(c Config) any { return c.Retention }, 720 * time.Hour, time.Duration(0)},
		{"line-addr", ":8888", "127.0.0.1:0", func(c Config) any { return c.LineAddr }, ":8888", "127.0.0.1:0"},
		{"line-kick-after", "0", "90s", func(c Config) any { return c.LineKickAfter }, time.Duration(0), 90 * time.Second},
		{"line-lang", "en", "zh", func(c Config) any { return c.LineLang }, English, Chinese},
		{"frame-addr", ":8889", "127.0.0.1:0", func(c Config) any { return c.FrameAddr }, ":8889", "127.0.0.1:0"},
		{"ws-addr", ":8081", "127.0.0.1:0", func(c Config) any { return c.WSAddr }, ":8081", "127.0.0.1:0"},
		{"legacy-min-password", "128", "8", func(c Config) any { return c.LegacyMinPassword }, 128, 8},
		{"pprof-addr", "localhost:6060", "[::1]:0", func(c Config) any { return c.PprofAddr }, "localhost:6060", "[::1]:0"},
		{"max-message-bytes", "1", "1048576", func(c Config) any { return c.MaxMessageBytes }, 1, 1048576},
		{"log-format", "json", "text", func(c Config) any { return c.LogFormat }, LogJSON, LogText},
		{
			"log-level", "error", "debug", func(c Config) any { return c.LogLevel },
			LogLevel(slog.LevelError), LogLevel(slog.LevelDebug),
		},
	}
	if n := reflect.TypeFor[Config]().NumField(); n != len(tests)+2 { // --tls-cert and --tls-key need each other: see TestTLS

		t.Errorf("Config has %d fields and this table %d lines", n, len(tests))
	}
	for _, tt := range tests {
		variable := "PARLEY_" + strings.ToUpper(strings.ReplaceAll(tt.flag, "-", "_"))
		env := []string{variable + "=" + tt.fromEnv}
		arg := "--" + tt.flag + "=" + tt.typed
		expect(t, nil, nil, tt.field, tt.field(defaults))
		expect(t, nil, []string{variable + "="}, tt.field, tt.field(defaults))
		expect(t, nil, env, tt.field, tt.env)
		expect(t, []string{arg}, env, tt.field, tt.arg)
		expect(t, []string{"serve", arg}, nil, tt.field, tt.arg)
		expect(t, []string{"serve", "--" + tt.flag, tt.typed}, []string{variable + "=\x00bad"}, tt.field, tt.arg)
	}
}

func expect(t *testing.T, args, env []string, field func(Config) any, want any) {
	t.Helper()
	in, err := Parse(args, env, io.Discard)
	if err != nil || in.Command != Serve || !reflect.DeepEqual(field(in.Config), want) {
		t.Errorf("%q %q: got %v, %v; want %v", args, env, field(in.Config), err, want)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	in, err := Parse([]string{"--tls-cert=c.pem"}, []string{"PARLEY_TLS_KEY=k.pem"}, io.Discard)
	if err != nil || in.Config.TLSCert != "c.pem" || in.Config.TLSKey != "k.pem" {
		t.Errorf("got %+v, %v", in.Config, err)
	}
	refuse(t, []string{"--tls-cert=c.pem"}, nil, "--tls-cert: needs --tls-key too")
	refuse(t, nil, []string{"PARLEY_TLS_KEY=k.pem"}, "PARLEY_TLS_KEY (flag --tls-key): needs --tls-cert too")
}

func TestNothingGivenIsServeWithDefaults(t *testing.T) {
	t.Parallel()
	in, err := Parse(nil, []string{"HOME=/root", "PATH"}, io.Discard)
	if err != nil || !reflect.DeepEqual(in, Invocation{Command: Serve, Config: defaults}) {
		t.Errorf("got %+v, %v", in, err)
	}
}

func TestBadValues(t *testing.T) {
	t.Parallel()
	tests := []struct{ flag, value, want string }{
		{"addr", "localhost", `must be HOST:PORT, such as 127.0.0.1:8080, not "localhost"`},
		{"addr", "localhost:http", `must be HOST:PORT, such as 127.0.0.1:8080, not "localhost:http"`},
		{"addr", "localhost:65536", `must be HOST:PORT, such as 127.0.0.1:8080, not "localhost:65536"`},
		{"data", "a\x00b", "must name a directory"},
		{"database", "mysql://u:hunter2@host", "must be a URL like postgres://user:password@host/name"},
		{"database", "postgres://u:hunter2@host:x/\x7f", "must be a URL like postgres://user:password@host/name"},
		{"guests", "yes", `must be on or off, not "yes"`},
		{"rate-limit", "true", `must be on or off, not "true"`},
		{"cors-origin", "example.org", `must be * or like https://example.org, without a path, not "example.org"`},
		{"cors-origin", "*,https://a.example/", `must be * or like https://example.org, without a path, not "https://a.example/"`},
		{"trusted-proxy", "10.0.0.0/33", `must be an IP address or a network such as 10.0.0.0/8, not "10.0.0.0/33"`},
		{"trusted-proxy", "::1,localhost", `must be an IP address or a network such as 10.0.0.0/8, not "localhost"`},
		{"away-after", "1ms", "must be 0 or at least 1s, not 1ms"},
		{"away-after", "5", `must be a duration such as 90s or 720h, not "5"`},
		{"kick-after", "-1h", "must be 0 or at least 1s, not -1h0m0s"},
		{"presence-limit", "-1", "must be from 0 to 1000000, not -1"},
		{"retention", "30s", "must be 0 or at least 1m0s, not 30s"},
		{"line-addr", "8888", `must be HOST:PORT, such as 127.0.0.1:8080, not "8888"`},
		{"line-kick-after", "1ms", "must be 0 or at least 1s, not 1ms"},
		{"line-lang", "de", `must be zh or en, not "de"`},
		{"frame-addr", "8889", `must be HOST:PORT, such as 127.0.0.1:8080, not "8889"`},
		{"ws-addr", "8081", `must be HOST:PORT, such as 127.0.0.1:8080, not "8081"`},
		{"legacy-min-password", "0", "must be from 1 to 128, not 0"},
		{"legacy-min-password", "129", "must be from 1 to 128, not 129"},
		{"pprof-addr", "6060", `must be HOST:PORT, such as 127.0.0.1:8080, not "6060"`},
		{"pprof-addr", "0.0.0.0:6060", `must be on localhost, 127.0.0.1 or [::1], not "0.0.0.0"`},
		{"max-message-bytes", "0", "must be from 1 to 1048576, not 0"},
		{"max-message-bytes", "1048577", "must be from 1 to 1048576, not 1048577"},
		{"max-message-bytes", "16KB", `must be a whole number, not "16KB"`},
		{"log-format", "xml", `must be text or json, not "xml"`},
		{"log-level", "INFO+1", `must be debug, info, warn or error, not "INFO+1"`},
	}
	for _, tt := range tests {
		variable := "PARLEY_" + strings.ToUpper(strings.ReplaceAll(tt.flag, "-", "_"))
		refuse(t, []string{"--" + tt.flag + "=" + tt.value}, nil, "--"+tt.flag+": "+tt.want)
		refuse(t, nil, []string{variable + "=" + tt.value}, variable+" (flag --"+tt.flag+"): "+tt.want)
	}
}

func TestBadCommandLines(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"serf"}, `there is no command "serf"; see parley --help`},
		{[]string{"--adr=:1"}, `unknown flag --adr, did you mean "--addr"? (parley serve --help lists the server's)`},
		{[]string{"--databas=postgres://u:hunter2@h/x"}, `unknown flag --databas, did you mean "--database"? (parley serve --help lists the server's)`},
		{[]string{"serve", "now"}, "unexpected argument now (parley --help lists what there is)"},
		{[]string{"version", "--addr=:1"}, "unknown flag --addr (parley serve --help lists the server's)"},
		{[]string{"--addr"}, "--addr: needs a value"},
		{[]string{"--addr="}, `--addr: must be HOST:PORT, such as 127.0.0.1:8080, not ""`},
		{[]string{"--data="}, "--data: must name a directory"},
	}
	for _, tt := range tests {
		refuse(t, tt.args, nil, tt.want)
	}
}

func refuse(t *testing.T, args, env []string, want string) {
	t.Helper()
	_, err := Parse(args, env, io.Discard)
	var usage *UsageError
	if !errors.As(err, &usage) || err.Error() != want {
		t.Errorf("%q %q:\ngot  %v\nwant %s", args, env, err, want)
	}
	if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n")) {
		t.Errorf("%q %q: the error %q shows a password or has two lines", args, env, err)
	}
}

func TestVersionNeedsNoConfiguration(t *testing.T) {
	t.Parallel()
	in, err := Parse([]string{"version"}, []string{"PARLEY_GUESTS=maybe"}, io.Discard)
	if err != nil || in.Command != Version {
		t.Errorf("got %+v, %v", in, err)
	}
}

func TestUnknownVariablesAreNamed(t *testing.T) {
	t.Parallel()
	env := []string{"PARLEY_PORT=tcp://10.0.0.1", "PARLEY_ADR=:1", "PARLEY_GUESTS=off", "PARLEY_EMPTY=", "HOME=/x"}
	in, err := Parse(nil, env, io.Discard)
	if want := []string{"PARLEY_ADR", "PARLEY_PORT"}; err != nil || !reflect.DeepEqual(in.Unknown, want) {
		t.Errorf("got %q, %v; want %q", in.Unknown, err, want)
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	in, err := Parse([]string{"serve", "--help"}, []string{"PARLEY_GUESTS=maybe"}, &out)
	if err != nil || in.Command != Helped {
		t.Fatalf("got %+v, %v", in, err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	words := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"--addr=HOST:PORT", "[PARLEY_ADDR, default 127.0.0.1:8080]", "[PARLEY_DATA, default ./data]",
		"--database=URL", "[PARLEY_DATABASE]", "--guests=on|off", "[PARLEY_GUESTS, default on]",
		"[PARLEY_MAX_MESSAGE_BYTES, default 16384]", "[PARLEY_LOG_FORMAT, default text]",
		"[PARLEY_LOG_LEVEL, default info]",
	} {
		if !strings.Contains(words, want) {
			t.Errorf("help lacks %q:\n%s", want, out.String())
		}
	}
}

func TestSecretIsNotShown(t *testing.T) {
	t.Parallel()
	for _, in := range []Secret{"postgres://u:hunter2@host/db?password=hunter2", "hunter2", "host=h password=hunter2"} {
		c := Config{Database: in}
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("start", "config", c, "database", in)
		slog.New(slog.NewTextHandler(&log, nil)).Info("start", "config", c, "database", in)
		for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s %q", c, c, c, in, in), log.String()} {
			if strings.Contains(shown, "hunter2") {
				t.Errorf("%s is shown: %s", in.Reveal(), shown)
			}
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("start", "config", defaults)
	if n := reflect.TypeFor[Config]().NumField(); strings.Count(log.String(), "config.") != n {
		t.Errorf("Config has %d fields, and its log line is %s", n, log.String())
	}
	if got := Secret("postgres://u:p@host:5432/db?x=y").String(); got != "postgres://host:5432/db" {
		t.Errorf("got %q, which does not say where the database is", got)
	}
}

func TestUser(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args, env []string
		want      User
	}{
		{[]string{"user", "list"}, nil, User{Action: UserList, Data: "./data"}},
		{
			[]string{"user", "list", "--query=a", "--json"}, []string{"PARLEY_DATA=/d", "PARLEY_DATABASE=postgres://h/x"},
			User{Action: UserList, Data: "/d", Database: "postgres://h/x", Query: "a", JSON: true},
		},
		{[]string{"user", "--data=x", "role", "ann", "agent"}, nil, User{Action: UserRole, Data: "x", Name: "ann", Role: "agent"}},
		{[]string{"user", "password", "ann"}, nil, User{Action: UserPassword, Data: "./data", Name: "ann"}},
		{
			[]string{"user", "kick", "ann", "--reason", "be kind"}, []string{"PARLEY_REASON=no"},
			User{Action: UserKick, Data: "./data", Name: "ann", Reason: "be kind"},
		},
		// What is of one act has no variable.
		{
			[]string{"user", "ban", "ann"}, []string{"PARLEY_REASON=no", "PARLEY_FOR=1h", "PARLEY_GUESTS=maybe"},
			User{Action: UserBan, Data: "./data", Name: "ann"},
		},
		{
			[]string{"user", "ban", "ann", "--until=2030-12-31", "--addresses"}, nil,
			User{
				Action: UserBan, Data: "./data", Name: "ann", Addresses: true,
				Until: Moment{time.Date(2030, 12, 31, 0, 0, 0, 0, time.UTC)},
			},
		},
		{[]string{"user", "ban", "ann", "--for=72h"}, nil, User{Action: UserBan, Data: "./data", Name: "ann", For: 72 * time.Hour}},
		{[]string{"user", "unban", "@ann"}, nil, User{Action: UserUnban, Data: "./data", Name: "@ann"}},
	} {
		in, err := Parse(tt.args, tt.env, io.Discard)
		if err != nil || in.Command != Users || !reflect.DeepEqual(in.User, tt.want) {
			t.Errorf("%q %q: got %+v, %v; want %+v", tt.args, tt.env, in.User, err, tt.want)
		}
	}
	refuse(t, []string{"user", "list"}, []string{"PARLEY_DATABASE=hunter2"},
		"PARLEY_DATABASE (flag --database): must be a URL like postgres://user:password@host/name")
	refuse(t, []string{"user", "ban", "ann", "--until=31.12."}, nil,
		"--until: must be a time such as 2030-12-31 or 2030-12-31T18:00:00Z")
}
