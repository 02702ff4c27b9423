package app

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"parley/internal/config"
)

func TestLogHidesSecrets(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	target := &url.URL{Path: "/v1/events/stream", RawQuery: "ticket=" + secret}
	for _, format := range []config.LogFormat{config.LogText, config.LogJSON} {
		var out bytes.Buffer
		log := newLogger(&out, format, slog.LevelInfo)
		log.Info("a request",
			"token", secret, "session_token", []byte(secret), "Password", secret, "Set-Cookie", []string{secret},
			"authorization", "Bearer "+secret, "ticket", secret, "secret", struct{ S string }{secret},
			"headers", http.Header{"Authorization": {secret}}, "request", &http.Request{URL: target}, "url", target,
			slog.Group("body", "password", secret), "form", url.Values{"password": {secret}})
		log.With("token", secret).WithGroup("g").Info("again", "cookie", secret)
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s: a secret is in\n%s", format, out.String())
		}
		if !strings.Contains(out.String(), "/v1/events/stream") {
			t.Errorf("%s: the path is not in\n%s", format, out.String())
		}
	}
}

func TestLogKeepsWhatIsNoSecret(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := newLogger(&out, config.LogJSON, slog.LevelInfo)
	log.Debug("below the level")
	log.Info("hello", "tokens", 3, "ticket_age", time.Second, "user", "ann")
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if line["tokens"] != 3.0 || line["ticket_age"] != 1e9 || line["user"] != "ann" {
		t.Errorf("got %v", line)
	}
}
