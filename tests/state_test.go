package tests

import (
	"fmt"
	"regexp"
	"testing"

	"parley/tests/harness"
)

// lastSeen is what changes by any call.
var lastSeen = regexp.MustCompile(`"last_seen_at":"[^"]*"`)

// state is all that a user can see of a server: what must not change by what is refused.
func state(u *harness.User) string {
	all := fmt.Sprint(u.Head(), u.Get("/v1/users?limit=200").Want(200).Text(), u.Get("/v1/rooms?limit=200").Want(200).Text(),
		u.Get("/v1/rooms?scope=public&limit=200").Want(200).Text(), u.Get("/v1/rooms/lobby/messages?limit=200").Want(200).Text())
	return lastSeen.ReplaceAllString(all, "")
}

// unchanged demands that nothing was done between its two calls.
func unchanged(t *testing.T, u *harness.User) (check func()) {
	t.Helper()
	before := state(u)
	return func() {
		t.Helper()
		if after := state(u); after != before {
			t.Errorf("refused, and changed from\n%s\nto\n%s", before, after)
		}
	}
}
