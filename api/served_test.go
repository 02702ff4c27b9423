package api

import "testing"

// A code in the log would be a way in for whoever reads it.
func TestLoggedPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/v1/me": "/v1/me", "/v1/rooms/58/invites/7": "/v1/rooms/58/invites/7", "/v1/invites": "/v1/invites",
		"/v1/invites/Zk3v": "/v1/invites/…", "/v1/invites/Zk3v/accept": "/v1/invites/…", "/v1/invites/Zk3v/nothing": "/v1/invites/…",
	} {
		if got := loggedPath(path); got != want {
			t.Errorf("%s is logged as %s", path, got)
		}
	}
}
