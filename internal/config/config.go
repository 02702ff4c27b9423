package config

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxMessageBytes bounds --max-message-bytes: a message is held in memory once for all
// who read it, and its event must fit a reader's buffers.
const maxMessageBytes = 1 << 20

// maxPresence bounds --presence-limit: each one online is announced to all others.
const maxPresence = 1_000_000

// maxLegacyPassword bounds --legacy-min-password: longer passwords than that are rare enough to lock everybody out.
const maxLegacyPassword = 128

// Config is everything that `parley serve` can be told. Fields are flags; the tags are
// their defaults and their help.
type Config struct {
	Addr              string        `default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Address to listen on. Port 0 takes a free one."`
	Data              string        `default:"./data" placeholder:"DIR" help:"Directory for everything that the server keeps; made when missing."`
	Database          Secret        `placeholder:"URL" help:"postgres:// URL of the database. Empty: SQLite in the data directory."`
	Guests            Switch        `default:"on" placeholder:"on|off" help:"Whether people may come without a password."`
	RateLimit         Switch        `default:"on" placeholder:"on|off" help:"Whether calls are limited by account and by address."`
	CORSOrigin        []string      `name:"cors-origin" placeholder:"ORIGIN" help:"Origins whose pages may call the API by bearer token or ticket, never by cookie, such as https://example.org; * is any."`
	TrustedProxy      []string      `placeholder:"CIDR" help:"Addresses or networks of reverse proxies whose X-Forwarded-For and X-Forwarded-Proto count."`
	TLSCert           string        `name:"tls-cert" placeholder:"FILE" help:"Certificate chain in PEM: serves HTTPS. Read again when it changes."`
	TLSKey            string        `name:"tls-key" placeholder:"FILE" help:"Private key of --tls-cert in PEM."`
	AwayAfter         time.Duration `default:"5m" placeholder:"DURATION" help:"Time without acting after which somebody online is away; 0: never."`
	KickAfter         time.Duration `default:"0" placeholder:"DURATION" help:"Time without acting after which a session is ended; 0: never."`
	SupportLeaveAfter time.Duration `default:"2m" placeholder:"DURATION" help:"Time away after which a visitor's conversation with support is closed; 0: never."`
	PresenceLimit     int           `default:"1000" placeholder:"N" help:"Members of only the lobby are announced while fewer than this are online."`
	Retention         time.Duration `default:"0" placeholder:"DURATION" help:"How long events can be resumed from; messages stay. 0: for ever."`
	MaxMessageBytes   int           `default:"16384" placeholder:"N" help:"Longest text of a message, 1 to 1048576."`
	LineAddr          string        `placeholder:"HOST:PORT" help:"Address of the line protocol, for nc; without a host, loopback. Empty: off."`
	LineKickAfter     time.Duration `default:"60s" placeholder:"DURATION" help:"Time without a word after which a line connection is ended; 0: never."`
	LineLang          LineLang      `default:"zh" placeholder:"zh|en" help:"Language of the server's own lines there."`
	FrameAddr         string        `placeholder:"HOST:PORT" help:"Address of the length-framed JSON protocol; without a host, loopback. Empty: off."`
	WSAddr            string        `placeholder:"HOST:PORT" help:"Address of the older WebSocket protocols; without a host, loopback. Empty: off."`
	LegacyMinPassword int           `default:"1" placeholder:"BYTES" help:"Shortest password that the older protocols take, 1 to 128."`
	PprofAddr         string        `placeholder:"HOST:PORT" help:"Loopback address for profiles under /debug/pprof/. Empty: none."`
	LogFormat         LogFormat     `default:"text" placeholder:"text|json" help:"Form of the log lines on standard error."`
	LogLevel          LogLevel      `default:"info" placeholder:"LEVEL" help:"Least level logged: debug, info, warn or error."`
}

// LogValue is the configuration in a log line, with the secrets hidden.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("addr", c.Addr), slog.String("data", c.Data), slog.Any("database", c.Database),
		slog.String("guests", string(c.Guests)), slog.String("rate_limit", string(c.RateLimit)),
		slog.Any("cors_origin", c.CORSOrigin), slog.Any("trusted_proxy", c.TrustedProxy),
		slog.String("tls_cert", c.TLSCert), slog.String("tls_key", c.TLSKey),
		slog.Duration("away_after", c.AwayAfter), slog.Duration("kick_after", c.KickAfter), slog.Duration("support_leave_after", c.SupportLeaveAfter),
		slog.Int("presence_limit", c.PresenceLimit), slog.Duration("retention", c.Retention),
		slog.Int("max_message_bytes", c.MaxMessageBytes), slog.String("line_addr", c.LineAddr),
		slog.Duration("line_kick_after", c.LineKickAfter), slog.String("line_lang", string(c.LineLang)),
		slog.String("frame_addr", c.FrameAddr), slog.String("ws_addr", c.WSAddr), slog.Int("legacy_min_password", c.LegacyMinPassword),
		slog.String("pprof_addr", c.PprofAddr),
		slog.String("log_format", string(c.LogFormat)), slog.String("log_level", c.LogLevel.String()),
	)
}

// Secret is a value that no log line and no error shows, such as a URL with a password.
type Secret string

// Reveal gives the value itself.
func (s Secret) Reveal() string { return string(s) }

// String shows a URL without its password and parameters, and nothing of anything else.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(string(s))
	if err != nil || u.Host == "" {
		return "(hidden)"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// GoString keeps %#v from showing the value.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText keeps encoders from showing the value.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue keeps slog from showing the value.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Switch is a flag that is `on` or `off`.
type Switch string

// The positions of a switch.
const (
	On  Switch = "on"
	Off Switch = "off"
)

// UnmarshalText reads on or off.
func (s *Switch) UnmarshalText(b []byte) error {
	if *s = Switch(b); *s != On && *s != Off {
		return fmt.Errorf("must be on or off, not %q", b)
	}
	return nil
}

// LineLang is the language of what the line protocol says itself.
type LineLang string

// The languages of the line protocol.
const (
	Chinese LineLang = "zh"
	English LineLang = "en"
)

// UnmarshalText reads zh or en.
func (l *LineLang) UnmarshalText(b []byte) error {
	if *l = LineLang(b); *l != Chinese && *l != English {
		return fmt.Errorf("must be zh or en, not %q", b)
	}
	return nil
}

// LogFormat is the form of log lines.
type LogFormat string

// The forms of log lines.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)

// UnmarshalText reads text or json.
func (f *LogFormat) UnmarshalText(b []byte) error {
	if *f = LogFormat(b); *f != LogText && *f != LogJSON {
		return fmt.Errorf("must be text or json, not %q", b)
	}
	return nil
}

// LogLevel is the least level that is logged.
type LogLevel slog.Level

// Level implements slog.Leveler.
func (l LogLevel) Level() slog.Level { return slog.Level(l) }

// String is the level as the flag takes it.
func (l LogLevel) String() string { return strings.ToLower(l.Level().String()) }

// UnmarshalText reads one of slog's four levels by its name.
func (l *LogLevel) UnmarshalText(b []byte) error {
	names := []string{"debug", "info", "warn", "error"}
	if !slices.Contains(names, string(b)) {
		return fmt.Errorf("must be debug, info, warn or error, not %q", b)
	}
	return (*slog.Level)(l).UnmarshalText(b)
}

// Check says what is wrong with the values, each alone and all together. The error is a
// UsageError.
func (c Config) Check() error {
	for _, check := range []struct{ flag, reason string }{
		{"addr", checkAddr(c.Addr)},
		{"data", checkDir(c.Data)},
		{"database", checkDatabase(c.Database)},
		{"cors-origin", checkOrigins(c.CORSOrigin)},
		{"trusted-proxy", checkProxies(c.TrustedProxy)},
		{"tls-cert", needs(c.TLSCert, c.TLSKey, "tls-key")},
		{"tls-key", needs(c.TLSKey, c.TLSCert, "tls-cert")},
		{"away-after", checkAtLeast(c.AwayAfter, time.Second)},
		{"kick-after", checkAtLeast(c.KickAfter, time.Second)},
		{"support-leave-after", checkAtLeast(c.SupportLeaveAfter, time.Second)},
		{"presence-limit", checkRange(c.PresenceLimit, 0, maxPresence)},
		{"retention", checkAtLeast(c.Retention, time.Minute)},
		{"max-message-bytes", checkRange(c.MaxMessageBytes, 1, maxMessageBytes)},
		{"line-addr", checkOptional(c.LineAddr)},
		{"line-kick-after", checkAtLeast(c.LineKickAfter, time.Second)},
		{"frame-addr", checkOptional(c.FrameAddr)},
		{"ws-addr", checkOptional(c.WSAddr)},
		{"legacy-min-password", checkRange(c.LegacyMinPassword, 1, maxLegacyPassword)},
		{"pprof-addr", checkLoopback(c.PprofAddr)},
	} {
		if check.reason != "" {
			return &UsageError{Flag: check.flag, Reason: check.reason}
		}
	}
	return nil
}

func checkDir(dir string) (reason string) {
	if dir == "" || strings.ContainsRune(dir, 0) {
		return "must name a directory"
	}
	return ""
}

func checkRange(n, least, most int) (reason string) {
	if n < least || n > most {
		return fmt.Sprintf("must be from %d to %d, not %d", least, most, n)
	}
	return ""
}

// checkAtLeast takes 0, which turns something off, and what is not too short to be meant.
func checkAtLeast(d, least time.Duration) (reason string) {
	if d != 0 && d < least {
		return fmt.Sprintf("must be 0 or at least %s, not %s", least, d)
	}
	return ""
}

// needs says that a flag that is set wants its other half.
func needs(value, other, flag string) (reason string) {
	if value != "" && other == "" {
		return "needs --" + flag + " too"
	}
	return ""
}

// checkOrigins takes what browsers send as Origin: a scheme, a host and perhaps a port.
func checkOrigins(origins []string) (reason string) {
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if origin != "*" && (err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || origin != u.Scheme+"://"+u.Host) {
			return fmt.Sprintf("must be * or like https://example.org, without a path, not %q", origin)
		}
	}
	return ""
}

func checkProxies(proxies []string) (reason string) {
	for _, proxy := range proxies {
		if _, err := netip.ParsePrefix(proxy); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(proxy); err != nil {
			return fmt.Sprintf("must be an IP address or a network such as 10.0.0.0/8, not %q", proxy)
		}
	}
	return ""
}

// checkLoopback takes no name but localhost: what a name stands for can change.
func checkLoopback(addr string) (reason string) {
	if addr == "" {
		return ""
	}
	if reason := checkAddr(addr); reason != "" {
		return reason
	}
	host, _, _ := net.SplitHostPort(addr)
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return fmt.Sprintf("must be on localhost, 127.0.0.1 or [::1], not %q", host)
	}
	return ""
}

func checkAddr(addr string) (reason string) {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Sprintf("must be HOST:PORT, such as 127.0.0.1:8080, not %q", addr)
	}
	return ""
}

// checkOptional is checkAddr for a listener that need not be.
func checkOptional(addr string) (reason string) {
	if addr == "" {
		return ""
	}
	return checkAddr(addr)
}

// checkDatabase never quotes the value: it may hold a password.
func checkDatabase(s Secret) (reason string) {
	if s == "" {
		return ""
	}
	u, err := url.Parse(s.Reveal())
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return "must be a URL like postgres://user:password@host/name"
	}
	return ""
}
