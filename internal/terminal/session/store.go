package session

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"parley/internal/terminal/durable"
)

// ErrNone is a server without a session.
var ErrNone = errors.New("no session is kept")

// Saved is a session on one server.
type Saved struct {
	Server string `json:"server"`
	Token  string `json:"token"`
	Name   string `json:"name"` // at the login: it may have changed
	UserID int64  `json:"user_id"`
}

// String is the session without its token.
func (s Saved) String() string { return fmt.Sprintf("%s (user %d) on %s", s.Name, s.UserID, s.Server) }

// GoString keeps %#v from showing the token.
func (s Saved) GoString() string { return s.String() }

// Store is the directory that sessions are kept in. It is safe for several goroutines and processes.
type Store struct{ dir string }

// Default is the store in the user's config directory.
func Default() (Store, error) {
	config, err := os.UserConfigDir()
	if err != nil {
		return Store{}, fmt.Errorf("find the config directory: %w", err)
	}
	return In(filepath.Join(config, "parley")), nil
}

// In is a store in a directory of its own, which Save makes.
func In(dir string) Store { return Store{dir} }

// Load gives the session on a server, or ErrNone.
func (s Store) Load(server string) (Saved, error) {
	server, name, err := s.file(server)
	if err != nil {
		return Saved{}, err
	}
	content, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Saved{}, ErrNone
	case err != nil:
		return Saved{}, fmt.Errorf("read the session: %w", err)
	}
	var saved Saved
	if err := json.Unmarshal(content, &saved); err != nil || saved.Token == "" || saved.Server != server {
		return Saved{}, fmt.Errorf("the session in %s cannot be read: remove the file and log in again", name) // whose content holds the token
	}
	return saved, nil
}

// Save keeps the session, in the place of the one on the same server, and makes the server the last used one.
func (s Store) Save(saved Saved) error {
	server, name, err := s.file(saved.Server)
	if err != nil {
		return err
	}
	saved.Server = server
	content, err := json.Marshal(saved)
	if err != nil {
		return fmt.Errorf("encode the session: %w", err)
	}
	if err := s.makeDirs(); err != nil {
		return err
	}
	if err := durable.Write(name, append(content, '\n')); err != nil {
		return err
	}
	return s.Use(server)
}

// Forget drops the session on a server. The session itself goes on until it is logged out.
func (s Store) Forget(server string) error {
	_, name, err := s.file(server)
	if err != nil {
		return err
	}
	return durable.Remove(name)
}

// Use makes a server the last used one.
func (s Store) Use(server string) error {
	server, err := Server(server)
	if err != nil {
		return err
	}
	if last, err := s.Last(); err == nil && last == server {
		return nil
	}
	if err := s.makeDirs(); err != nil {
		return err
	}
	return durable.Write(s.lastFile(), []byte(server+"\n"))
}

// Last gives the server that was used last, empty where none was.
func (s Store) Last() (string, error) {
	content, err := os.ReadFile(s.lastFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("read the last server: %w", err)
	}
	return Server(strings.TrimSpace(string(content)))
}

// file gives the server in its one form, and where its session is.
func (s Store) file(server string) (canonical, name string, err error) {
	canonical, err = Server(server)
	return canonical, filepath.Join(s.dir, "sessions", url.QueryEscape(canonical)+".json"), err
}

func (s Store) lastFile() string { return filepath.Join(s.dir, "server") }

// makeDirs makes the directories, for nobody else to look into.
func (s Store) makeDirs() error {
	sessions := filepath.Join(s.dir, "sessions")
	if err := os.MkdirAll(sessions, 0o700); err != nil {
		return fmt.Errorf("make the directory for sessions: %w", err)
	}
	for _, dir := range []string{s.dir, sessions} {
		if err := os.Chmod(dir, 0o700); err != nil { //nolint:gosec // a directory without x is none
			return fmt.Errorf("make the directory for sessions private: %w", err)
		}
	}
	return nil
}
