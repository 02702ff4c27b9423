package app

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"parley/chat"
	"parley/internal/config"
)

// page is what was logged; it may be written while it is read.
type page struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.Write(b)
}

func (p *page) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String()
}

// A request's line has the id that its answer had, and nothing of what must stay secret.
func TestLogLinesCarryTheRequestID(t *testing.T) {
	t.Parallel()
	var lines page
	a, err := New(t.Context(), testConfig(t.TempDir()), Options{
		HashCost: chat.HashCost{MemoryKiB: 8, Passes: 1}, Spread: -1,
		Log: newLogger(&lines, config.LogJSON, slog.LevelDebug),
	})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- a.Run(t.Context()) }()

	resp, err := http.PostForm(a.URL()+"/v1/register?ticket=from-the-query",
		url.Values{"name": {"ann"}, "password": {"correct horse"}})
	if err != nil {
		t.Fatal(err)
	}
	var session struct{ Token string }
	if err := json.NewDecoder(resp.Body).Decode(&session); err != nil || session.Token == "" {
		t.Fatalf("register: %v, token %q", err, session.Token)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	closeApp(t, a) // every line of it is written
	if err := <-ran; err != nil {
		t.Fatal(err)
	}

	log := lines.String()
	if id := resp.Header.Get("X-Request-Id"); id == "" || !strings.Contains(log, `"request_id":"`+id+`"`) {
		t.Errorf("no line has the request id %q:\n%s", id, log)
	}
	for _, secret := range []string{session.Token, "correct horse", "correct+horse", "from-the-query"} {
		if strings.Contains(log, secret) {
			t.Errorf("%q is in the log:\n%s", secret, log)
		}
	}
}
