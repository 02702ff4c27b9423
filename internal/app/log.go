package app

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"parley/api"
	"parley/internal/config"
)

// hidden stands in log lines where a secret was.
const hidden = "(hidden)"

// newLogger writes lines of the form and from the level on, without secrets. What is logged for a
// request carries its id, the same as the answer's X-Request-Id.
func newLogger(w io.Writer, format config.LogFormat, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: redact}
	if format == config.LogJSON {
		return slog.New(api.LogHandler{Handler: slog.NewJSONHandler(w, o)})
	}
	return slog.New(api.LogHandler{Handler: slog.NewTextHandler(w, o)})
}

// redact is the second line of defence: whoever logs leaves secrets out, and whoever forgets
// to is caught by the attribute's name, or by its type where that may hold one.
func redact(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case string, []byte, []string:
		if namesSecret(a.Key) {
			return slog.String(a.Key, hidden)
		}
	case http.Header, *http.Request, *http.Cookie, []*http.Cookie, url.Values, *url.Userinfo:
		return slog.String(a.Key, hidden)
	case *url.URL:
		return slog.String(a.Key, v.Path)
	default:
		if a.Value.Kind() == slog.KindAny && namesSecret(a.Key) {
			return slog.String(a.Key, hidden)
		}
	}
	return a
}

// namesSecret says whether an attribute of that name would hold one. Numbers and times of
// such a name are fine: token_count, ticket_expires.
func namesSecret(key string) bool {
	key = strings.ToLower(key)
	for _, word := range []string{"token", "password", "authorization", "cookie", "ticket", "secret"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}
