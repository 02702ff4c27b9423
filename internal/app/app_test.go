package app

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parley/chat"
	"parley/internal/config"
	"parley/internal/pgtest"
)

// TestMain is the program itself where the test process is started again as one; see program.
func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(Main(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
	}
	code := pgtest.Main(m)
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}

// open starts an App over the directory on a free port. Close it with closeApp.
func open(t *testing.T, dir string) *App {
	t.Helper()
	return openConfig(t, testConfig(dir))
}

// openWith is open with flags of the test's own.
func openWith(t *testing.T, dir string, change func(*config.Config)) *App {
	t.Helper()
	cfg := testConfig(dir)
	change(&cfg)
	return openConfig(t, cfg)
}

func openConfig(t *testing.T, cfg config.Config) *App {
	t.Helper()
	a, err := New(t.Context(), cfg, Options{
		HashCost: chat.HashCost{MemoryKiB: 8, Passes: 1}, Spread: 20 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- a.Run(t.Context()) }()
	t.Cleanup(func() {
		closeApp(t, a)
		if err := <-ran; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return a
}

func testConfig(dir string) config.Config {
	return config.Config{
		Addr: "127.0.0.1:0", Data: dir, Guests: config.On, MaxMessageBytes: 16384, LegacyMinPassword: 1,
		LogFormat: config.LogText,
	}
}

func closeApp(t *testing.T, a *App) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := a.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

// call makes a request as the token's owner and decodes the answer.
func call(t *testing.T, method, url, token string, form url.Values) (status int, body map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		t.Fatalf("%s %s: %d, %v", method, url, resp.StatusCode, err)
	}
	return resp.StatusCode, body
}

func TestAppAnswers(t *testing.T) {
	t.Parallel()
	a := open(t, t.TempDir())
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, body := call(t, "GET", a.URL()+path, "", nil); status != 200 || body["status"] != "ok" {
			t.Errorf("%s: %d %v", path, status, body)
		}
	}
}

func TestAppKeepsWhatItWasTold(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "when", "missing")
	first := open(t, dir)
	status, login := call(t, "POST", first.URL()+"/v1/register", "",
		url.Values{"name": {"ann"}, "password": {"correct horse"}})
	token, _ := login["token"].(string)
	if status != 201 || token == "" {
		t.Fatalf("register: %d %v", status, login)
	}
	if status, body := call(t, "POST", first.URL()+"/v1/send", token, url.Values{"text": {"still here"}}); status != 201 {
		t.Fatalf("send: %d %v", status, body)
	}
	closeApp(t, first)

	second := open(t, dir)
	status, history := call(t, "GET", second.URL()+"/v1/rooms/lobby/messages", token, nil)
	messages, _ := history["messages"].([]any)
	if status != 200 || len(messages) != 1 || messages[0].(map[string]any)["text"] != "still here" {
		t.Errorf("after the restart: %d %v", status, history)
	}
}

func TestAppOwnsItsDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := open(t, dir)
	_, err := New(t.Context(), testConfig(dir), Options{})
	if err == nil || strings.Contains(err.Error(), "\n") {
		t.Fatalf("a second one opened the same directory: %v", err)
	}
	if status, _ := call(t, "GET", first.URL()+"/readyz", "", nil); status != 200 {
		t.Errorf("the first is not well any more: %d", status)
	}
	closeApp(t, first)
	open(t, dir)
}

// What could not be started leaves nothing behind that would keep the next from starting.
func TestAppCleansUpAfterAFailedStart(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), open(t, t.TempDir())
	cfg := testConfig(dir)
	cfg.Addr = other.Addr()
	if _, err := New(t.Context(), cfg, Options{}); err == nil || !strings.Contains(err.Error(), "--addr") {
		t.Fatalf("two servers listen on one address: %v", err)
	}
	open(t, dir)
}

func TestAppChecksItsConfig(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t.TempDir())
	cfg.Database = "mysql://u:hunter2@h/x"
	if _, err := New(t.Context(), cfg, Options{}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
}

// A stream ends by itself when the server stops, and does not hold the stop up.
func TestAppEndsStreamsWhenItStops(t *testing.T) {
	t.Parallel()
	a := open(t, t.TempDir())
	_, login := call(t, "POST", a.URL()+"/v1/guest", "", url.Values{"name": {"ann"}})
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.URL()+"/v1/events/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+login["token"].(string))
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 1)
	if _, err := io.ReadFull(resp.Body, first); err != nil {
		t.Fatal(err)
	}
	closeApp(t, a)
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("the stream was cut off and not ended: %v", err)
	}
}

func TestAppIsNotReadyWhileItStops(t *testing.T) {
	t.Parallel()
	a := open(t, t.TempDir())
	a.stopping.Store(true)
	if status, body := call(t, "GET", a.URL()+"/readyz", "", nil); status != 503 {
		t.Errorf("got %d %v", status, body)
	}
	if status, _ := call(t, "GET", a.URL()+"/healthz", "", nil); status != 200 {
		t.Errorf("the process lives, and answers %d", status)
	}
}

func TestAppCloseTwice(t *testing.T) {
	t.Parallel()
	a := open(t, t.TempDir())
	closeApp(t, a)
	closeApp(t, a)
}
