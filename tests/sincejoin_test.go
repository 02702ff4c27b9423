package tests

import (
	"strings"
	"testing"

	"parley/tests/harness"
)

// Where the history begins with the joining, no event brings a newcomer what was said before.
func TestNewcomersAreToldNothingOld(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob, carl := s.User("ann"), s.User("bob"), s.User("carl")
		ann.Room("den", "private")
		ann.Patch("/v1/rooms/den", map[string]any{"history": "since_join"}).Want(200)
		ann.Add("den", carl, "")
		old, pinned := ann.Send("den", "OLD"), ann.Send("den", "OLD and pinned")
		// While all who are there may read it, it is changed and pinned like any other.
		ann.Put(pathOf(pinned)+"/pin", nil).Want(204)
		edit(ann, old, "OLD, edited").Want(200)
		ann.Add("den", bob, "")
		stream := bob.Stream()
		edit(ann, old, "OLD, edited again").Refused("conflict")
		edit(ann, old, "OLD, edited").Want(200) // which it is already
		ann.Put(pathOf(old)+"/pin", nil).Refused("conflict")
		ann.Put(pathOf(pinned)+"/pin", nil).Want(204)
		ann.Delete(pathOf(pinned) + "/pin").Want(204)
		ann.Put(pathOf(old)+"/reactions/%F0%9F%91%8D", nil).Want(204)
		ann.Delete(pathOf(old)).Want(204)
		young := ann.Send("den", "young")
		edit(ann, young, "young still").Want(200)
		ann.Put(pathOf(young)+"/pin", nil).Want(204)
		last := ann.Send("den", "last")
		for e := stream.Next(); e.ID != last.ID; e = stream.Next() {
			if strings.Contains(e.JSON, "OLD") {
				t.Errorf("live: %s", e.JSON)
			}
		}
		for _, e := range bob.Events(0) {
			if strings.Contains(e.JSON, "OLD") {
				t.Errorf("in replay: %s", e.JSON)
			}
		}
		if a := bob.Get("/v1/rooms/den/pins").Want(200); strings.Contains(string(a.Body), "OLD") {
			t.Errorf("pins: %s", a.Body)
		}
		// Once the newcomer is gone, the others are again all who may read what was said before.
		kept := carl.Send("den", "between the two")
		dan := s.User("dan")
		ann.Add("den", dan, "")
		edit(carl, kept, "changed").Refused("conflict")
		ann.Delete("/v1/rooms/den/members/" + dan.Ref()).Want(204)
		edit(carl, kept, "changed").Want(200)
	})
}
