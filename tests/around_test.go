package tests

import (
	"fmt"
	"slices"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// A piece around every place, against what the room has: half before, the message itself where there is one, half after.
func TestHistoryAround(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "public")
		var all []int64
		for i := range 7 {
			ann.Send("lobby", "something else")
			all = append(all, ann.Send("tea", fmt.Sprint("number ", i)).ID)
		}
		ann.Delete("/v1/messages/" + id(all[3])).Want(204) // a tombstone is a message
		head := ann.Head()
		for around := int64(1); around <= head+2; around++ {
			for _, limit := range []int{1, 2, 3, 4, 5, 7, 14, 200} {
				got := harness.Into[client.MessageList](bob.Get("/v1/rooms/tea/messages",
					harness.Query("around", id(around)), harness.Query("limit", fmt.Sprint(limit))).Want(200))
				at, _ := slices.BinarySearch(all, around)
				first, last := max(0, at-limit/2), min(len(all), at+limit-limit/2)
				want := all[first:last]
				ids := make([]int64, 0, len(got.Messages))
				for _, m := range got.Messages {
					ids = append(ids, m.ID)
				}
				if !slices.Equal(ids, want) || got.HasBefore != (first > 0) || got.HasAfter != (last < len(all)) || got.Cursor != head {
					t.Errorf("around %d limit %d: %v, %v, %v at %d, want %v", around, limit, ids, got.HasBefore, got.HasAfter, got.Cursor, want)
				}
			}
		}
		for _, query := range []string{"around=5&before=9", "around=5&after=1", "around=5&after=1&before=9", "around=0", "around=x", "around=", "around=-1"} {
			bob.Get("/v1/rooms/tea/messages?"+query).Refused("validation_failed", "around")
		}
		ann.Room("empty", "public")
		if got := harness.Into[client.MessageList](bob.Get("/v1/rooms/empty/messages?around=5").Want(200)); len(got.Messages) > 0 || got.HasBefore || got.HasAfter {
			t.Errorf("a new room has %+v", got)
		}
		bob.Get("/v1/rooms/@ann/messages?around=5").Want(200)
	})
}
