package session

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestServer(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"http://127.0.0.1:8080":        "http://127.0.0.1:8080",
		"http://127.0.0.1:8080/":       "http://127.0.0.1:8080",
		"HTTP://Example.ORG:80":        "http://example.org",
		"https://example.org:443/chat": "https://example.org/chat",
		"https://example.org:80//":     "https://example.org:80",
		"http://[::1]:80":              "http://[::1]",
		"http://[::1]:8080":            "http://[::1]:8080",
		"example.org":                  "",
		"127.0.0.1:8080":               "",
		"ftp://example.org":            "",
		"http://":                      "",
		"http://:8080":                 "",
		"http://u:hunter2@example.org": "",
		"http://example.org/?a=b":      "",
		"":                             "",
	} {
		got, err := Server(raw)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", raw, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

func TestStoreKeepsASessionForEachServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "config", "parley")
	s := In(dir)
	if _, err := s.Load("http://a"); !errors.Is(err, ErrNone) {
		t.Errorf("an empty store: %v", err)
	}
	if last, err := s.Last(); last != "" || err != nil {
		t.Errorf("an empty store was last used for %q, %v", last, err)
	}
	a, b := Saved{"http://a", "ta", "ann", 1}, Saved{"https://b:8080/chat", "tb", "张三", 2}
	for _, saved := range []Saved{a, b} {
		saved.Server += "/"
		if err := s.Save(saved); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []Saved{a, b} {
		if got, err := s.Load(want.Server); got != want || err != nil {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
	}
	if last, err := s.Last(); last != b.Server || err != nil {
		t.Errorf("last used was %q, %v", last, err)
	}
	if err := s.Use("http://a:80/"); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time there is nothing to forget
		if err := s.Forget(a.Server); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Load(a.Server); !errors.Is(err, ErrNone) {
		t.Errorf("what was forgotten: %v", err)
	}
	if last, err := s.Last(); last != a.Server || err != nil {
		t.Errorf("last used was %q, %v", last, err)
	}
	if got, err := s.Load(b.Server); got != b || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// A token is as good as a password: nobody else may read it, whatever the modes were before.
func TestStoreIsPrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "parley")
	s := In(dir)
	saved := Saved{"http://a", "hunter2", "ann", 1}
	if err := os.MkdirAll(filepath.Join(dir, "sessions"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, file, _ := s.file(saved.Server)
	if err := os.WriteFile(file, []byte(`{"token":"hunter2`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(saved.Server); err == nil || errors.Is(err, ErrNone) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a broken file: %v", err)
	}
	if err := s.Save(saved); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Dir(file): 0o700, file: 0o600, s.lastFile(): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if shown := fmt.Sprintf("%v %+v %#v %s %q", saved, saved, saved, &saved, saved); strings.Contains(shown, "hunter2") {
		t.Errorf("the token is shown: %s", shown)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "sessions", ".*")); err != nil || len(left) != 0 {
		t.Errorf("left over: %q, %v", left, err)
	}
}

// Whoever reads while others write sees one of the sessions, whole.
func TestStoreWithSeveralAtOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "parley")
	const servers = 4
	of := func(i int) Saved {
		return Saved{fmt.Sprintf("http://s%d", i%servers), strings.Repeat(fmt.Sprint(i), 100), "ann", int64(i)}
	}
	for i := range servers {
		if err := In(dir).Save(of(i)); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	for i := range 4 * servers {
		all.Go(func() {
			if err := In(dir).Save(of(i)); err != nil {
				t.Error(err)
			}
			if got, err := In(dir).Load(of(i).Server); err != nil || got != of(int(got.UserID)) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
	all.Wait()
	for i := range servers {
		if got, err := In(dir).Load(of(i).Server); err != nil || got.Server != of(i).Server {
			t.Errorf("%v, %v", got, err)
		}
	}
}
