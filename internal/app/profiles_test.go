package app

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"parley/internal/config"
)

// profile asks for a path as somebody who calls the server by that host.
func profile(t *testing.T, url, host string) (status int, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if host != "" {
		r.Host = host
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestProfilesAreOnTheirOwnAddressOnly(t *testing.T) {
	t.Parallel()
	a := openWith(t, t.TempDir(), func(c *config.Config) { c.PprofAddr = "127.0.0.1:0" })
	own := "http://" + a.profiles.listener.Addr().String()
	for path, want := range map[string]struct {
		status int
		text   string
	}{
		"/debug/pprof/":                   {200, "goroutine"},
		"/debug/pprof/goroutine?debug=1":  {200, "goroutine profile: total"},
		"/debug/pprof/heap":               {200, ""},
		"/debug/pprof/symbol":             {200, "num_symbols"},
		"/debug/pprof/trace?seconds=0.01": {200, ""},
		"/debug/pprof/cmdline":            {404, ""}, // may hold the database's password
		"/healthz":                        {404, ""},
	} {
		if status, text := profile(t, own+path, ""); status != want.status || !strings.Contains(text, want.text) {
			t.Errorf("%s: %d %.200q", path, status, text)
		}
		if status, text := profile(t, a.URL()+path, ""); path != "/healthz" && (status != 404 || !strings.Contains(text, "not_found")) {
			t.Errorf("%s on the main address: %d %.200q", path, status, text)
		}
	}
	for host, want := range map[string]int{
		"localhost:6060": 200, "localhost": 200, "[::1]:1": 200, "127.0.0.1": 200,
		"evil.example": 403, "evil.example:6060": 403, "10.0.0.1:6060": 403,
	} {
		if status, _ := profile(t, own+"/debug/pprof/", host); status != want {
			t.Errorf("as %s: %d, want %d", host, status, want)
		}
	}
}

func TestProfilesEndWithTheServer(t *testing.T) {
	t.Parallel()
	a := openWith(t, t.TempDir(), func(c *config.Config) { c.PprofAddr = "127.0.0.1:0" })
	addr := a.profiles.listener.Addr().String()
	closeApp(t, a)
	var d net.Dialer
	if conn, err := d.DialContext(context.Background(), "tcp", addr); err == nil {
		_ = conn.Close()
		t.Error("profiles are served after the end")
	}
}

func TestProfilesAreOffByDefault(t *testing.T) {
	t.Parallel()
	if a := open(t, t.TempDir()); a.profiles != nil {
		t.Error("profiles are served, and nobody asked for them")
	}
}

// What cannot be listened on stops the start, and leaves nothing behind.
func TestProfilesOfAnAddressInUse(t *testing.T) {
	t.Parallel()
	dir, cfg := t.TempDir(), testConfig("")
	cfg.Data, cfg.PprofAddr = dir, open(t, t.TempDir()).Addr()
	if _, err := New(t.Context(), cfg, Options{}); err == nil || !strings.Contains(err.Error(), "--pprof-addr") ||
		strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v", err)
	}
	open(t, dir)
	cfg.PprofAddr = "0.0.0.0:0"
	if _, err := New(t.Context(), cfg, Options{}); err == nil || !strings.Contains(err.Error(), "--pprof-addr") {
		t.Errorf("for all the world: %v", err)
	}
}
