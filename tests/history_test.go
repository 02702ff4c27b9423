package tests

import (
	"fmt"
	"slices"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// Every piece of a history, by every pair of bounds, against what the log says.
func TestHistory(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "public")
		var all []int64
		for i := range 7 {
			ann.Send("lobby", "something else")
			all = append(all, ann.Send("tea", fmt.Sprint("number ", i)).ID)
		}
		head := ann.Send("lobby", "the end").ID
		bounds := []int64{-1, 0, 1, all[0] - 1, all[0], all[0] + 1, all[2], all[3], all[6], all[6] + 1, head + 5, 1<<53 - 1}
		for _, after := range bounds {
			for _, before := range bounds {
				if before == 0 || after >= 0 && before >= 0 && after >= before {
					continue // refused; see below
				}
				for _, limit := range []int{1, 2, 7, 200} {
					checkHistory(t, bob, all, head, after, before, limit)
				}
			}
		}
	})
}

// checkHistory asks for one piece; a bound of -1 is not given.
func checkHistory(t *testing.T, u *harness.User, all []int64, head, after, before int64, limit int) {
	t.Helper()
	with := []harness.With{harness.Query("limit", fmt.Sprint(limit))}
	if after >= 0 {
		with = append(with, harness.After(after))
	}
	if before >= 0 {
		with = append(with, harness.Query("before", id(before)))
	}
	got := harness.Into[client.MessageList](u.Get("/v1/rooms/tea/messages", with...).Want(200))
	var want []int64
	for _, m := range all {
		if m > after && (before < 0 || m < before) {
			want = append(want, m)
		}
	}
	if len(want) > limit {
		if after >= 0 {
			want = want[:limit]
		} else {
			want = want[len(want)-limit:]
		}
	}
	ids := make([]int64, 0, len(got.Messages))
	for _, m := range got.Messages {
		ids = append(ids, m.ID)
	}
	label := fmt.Sprintf("after %d before %d limit %d", after, before, limit)
	if !slices.Equal(ids, want) || got.Cursor != head {
		t.Errorf("%s: %v at %d, want %v at %d", label, ids, got.Cursor, want, head)
		return
	}
	if len(want) == 0 {
		return
	}
	older, newer := want[0] > all[0], want[len(want)-1] < all[len(all)-1]
	if got.HasBefore != older || got.HasAfter != newer {
		t.Errorf("%s: has_before %v, has_after %v, want %v, %v", label, got.HasBefore, got.HasAfter, older, newer)
	}
}

// Where a piece is empty, what lies on either side of it is still told.
func TestEmptyHistory(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	ann.Room("tea", "public")
	get := func(with ...harness.With) client.MessageList {
		return harness.Into[client.MessageList](ann.Get("/v1/rooms/tea/messages", with...).Want(200))
	}
	for _, h := range []client.MessageList{get(), get(harness.After(0)), get(harness.Query("before", "1"))} {
		if len(h.Messages) > 0 || h.HasBefore || h.HasAfter {
			t.Errorf("a new room has %+v", h)
		}
	}
	first := ann.Send("tea", "one").ID
	if h := get(harness.Query("before", id(first))); len(h.Messages) > 0 || h.HasBefore || !h.HasAfter {
		t.Errorf("before the first: %+v", h)
	}
	if h := get(harness.After(first)); len(h.Messages) > 0 || !h.HasBefore || h.HasAfter {
		t.Errorf("after the last: %+v", h)
	}
}

func TestHistoryDefaultLimit(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	for i := range 60 {
		ann.Send("lobby", fmt.Sprint(i))
	}
	got := harness.Into[client.MessageList](ann.Get("/v1/rooms/lobby/messages").Want(200))
	if len(got.Messages) != 50 || got.Messages[0].Text != "10" || !got.HasBefore || got.HasAfter {
		t.Errorf("%d messages from %q on", len(got.Messages), got.Messages[0].Text)
	}
}

func TestHistoryBounds(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	for _, tt := range []struct{ query, field string }{
		{"limit=201", "limit"}, {"limit=0", "limit"}, {"limit=-1", "limit"}, {"limit=abc", "limit"}, {"limit=1.5", "limit"},
		{"limit=", "limit"}, {"limit=99999999999999999999", "limit"},
		{"before=0", "before"}, {"before=-1", "before"}, {"before=abc", "before"}, {"before=9007199254740992", "before"},
		{"before=1e3", "before"}, {"before=0x10", "before"}, {"before=", "before"},
		{"after=-1", "after"}, {"after=abc", "after"}, {"after=9007199254740992", "after"}, {"after=+1", "after"},
		{"after=%00", "after"}, {"after=%ff", "after"},
		{"after=5&before=5", "after"}, {"after=6&before=5", "after"},
	} {
		ann.Get("/v1/rooms/lobby/messages?"+tt.query).Refused("validation_failed", tt.field)
	}
	ann.Get("/v1/rooms/lobby/messages?limit=200").Want(200)
	ann.Get("/v1/rooms/lobby/messages?after=5&before=6").Want(200)
}

// The lists that page are bounded alike.
func TestListBounds(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	for _, path := range []string{"/v1/users", "/v1/who", "/v1/rooms", "/v1/rooms/lobby/members", "/v1/events?wait=0"} {
		for _, limit := range []string{"201", "0", "-1", "x", "1.5", ""} {
			ann.Get(path, harness.Query("limit", limit)).Refused("validation_failed", "limit")
		}
		ann.Get(path, harness.Query("limit", "200")).Want(200)
		if path == "/v1/events?wait=0" {
			continue
		}
		for _, page := range []string{"", "!", "LTE", "AA", "_w", "0", string(make([]byte, 201)), "\xff", "MA"} {
			if path == "/v1/users" && (page == "LTE" || page == "MA") {
				continue // any text may be a name's key
			}
			ann.Get(path, harness.Query("page", page)).Refused("validation_failed", "page")
		}
	}
	ann.Get("/v1/rooms?scope=all").Refused("validation_failed", "scope")
	ann.Get("/v1/users?q=%00").Refused("validation_failed", "q")
	ann.Get("/v1/users?q=%ff").Refused("validation_failed", "q")
}
