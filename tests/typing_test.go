package tests

import (
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// types makes the user say that they are writing in the room.
func types(u *harness.User, room string) *harness.Answer {
	return u.Post("/v1/rooms/"+room+"/typing", nil)
}

// typist gives the next typing that the stream gets.
func typist(t *testing.T, st *harness.Stream) (harness.Event, client.TypingData) {
	t.Helper()
	for limit := time.Now().Add(30 * time.Second); time.Now().Before(limit); { // heartbeats do not move it
		if e := st.Any(); e.Type == "typing" {
			return e, harness.DataOf[client.TypingData](e)
		}
	}
	t.Fatal("no typing came")
	return harness.Event{}, client.TypingData{}
}

// hasTyped ends the test unless the next typing of the stream is the user's, in that room.
func hasTyped(t *testing.T, st *harness.Stream, u *harness.User, room int64) {
	t.Helper()
	e, data := typist(t, st)
	if data.User.ID != u.ID || e.RoomID != room || e.ID != 0 || e.SSEID != "" || strings.Contains(e.JSON, `"id":0`) {
		t.Fatalf("%s, want user %d in room %d", e.JSON, u.ID, room)
	}
	if data.Until == nil || data.Until.Sub(e.At) != 6*time.Second {
		t.Errorf("it ends by itself at %v: %s", data.Until, e.JSON)
	}
}

// silent ends the test if the stream got any typing before the second of two messages to all, the first of which it has read.
func silent(t *testing.T, from *harness.User, streams ...*harness.Stream) {
	t.Helper()
	for range 2 {
		marker := from.Send("lobby", "marker").ID
		for _, st := range streams {
			for e := st.Any(); e.ID < marker; e = st.Any() {
				if e.Type == "typing" {
					t.Errorf("got %s", e.JSON)
				}
			}
		}
	}
}

func TestTyping(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob, eve, dan := s.User("ann"), s.User("bob"), s.User("eve"), s.User("dan")
		tea := ann.Room("tea", "private").ID
		ann.Add("tea", bob, "")
		ann.Add("tea", eve, "")
		head := ann.Head()
		his, hers, own, strange := bob.Stream(), eve.NDJSON(), ann.Stream(), dan.Stream()
		only, other := bob.Stream(harness.Queries("types=typing&rooms=tea")), bob.Stream(harness.Queries("rooms=lobby"))
		deaf := bob.Stream(harness.Queries("types=message.created"))

		types(ann, "tea").Want(204)
		for _, st := range []*harness.Stream{his, hers, only} {
			hasTyped(t, st, ann, tea)
		}
		if got := ann.Head(); got != head {
			t.Errorf("the log went from %d to %d", head, got)
		}
		types(ann, "tea").Want(204) // adds nothing
		types(bob, id(tea)).Want(204)
		for _, st := range []*harness.Stream{hers, own} {
			hasTyped(t, st, bob, tea)
		}
		// Whoever is told of bob's was called after ann's, and whoever gets these was called before.
		late := eve.Stream()
		silent(t, dan, strange, other, deaf, own, late)

		s.Advance(3 * time.Second)
		types(ann, "tea").Want(204)
		hasTyped(t, his, ann, tea)
		ann.Send("tea", "done")
		types(ann, "tea").Want(204) // again
		hasTyped(t, his, ann, tea)
		if p := poll(bob, harness.After(head), harness.Query("wait", "0")); strings.Contains(words(p.Events), "typing") {
			t.Errorf("a poll got %s", words(p.Events))
		}

		ann.Delete("/v1/rooms/tea/members/" + bob.Ref()).Want(204)
		his.Until("member.left")
		types(eve, "tea").Want(204)
		hasTyped(t, own, eve, tea)
		types(bob, "tea").Refused("not_found")
		silent(t, dan, his)
	}, harness.OwnClock())
}

// The conversation of two has it too, once it has begun.
func TestTypingInADirectConversation(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		types(ann, "@bob").Refused("not_found")
		two := ann.Send("@bob", "hi").RoomID
		his := bob.Stream()
		types(ann, "@bob").Want(204)
		hasTyped(t, his, ann, two)

		bob.Put("/v1/blocks/@ann", nil).Want(204)
		types(ann, "@bob").Refused("forbidden")
		types(bob, "@ann").Refused("forbidden")
		bob.Delete("/v1/blocks/@ann").Want(204)
		bob.Post("/v1/me/delete", map[string]any{"password": harness.Password}).Want(204)
		types(ann, id(two)).Refused("conflict")
	})
}

// Only those type who may send, and nobody learns of a private channel by trying.
func TestTypingIsRefused(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, dan := s.User("root"), s.User("ann"), s.User("dan")
		ann.Room("open", "public")
		ann.Room("closed", "private")
		types(dan, "open").Refused("forbidden")
		dan.Post("/v1/rooms/open/join", nil).Want(200)
		types(dan, "open").Want(204)
		missing, closed := types(dan, "missing").Refused("not_found"), types(dan, "closed").Refused("not_found")
		if missing.Detail != closed.Detail || missing.Title != closed.Title {
			t.Errorf("a private channel is %+v, a missing one %+v", closed, missing)
		}
		types(dan, "a%2Fb").Refused("not_found")
		types(dan, "lobby").Want(204)
		types(root, "closed").Want(204) // who may send there as the owner does

		ann.Put("/v1/rooms/open/mutes/@dan", map[string]any{}).Want(200)
		types(dan, "open").Refused("muted")
		ann.Put("/v1/rooms/open/bans/@dan", map[string]any{}).Want(200)
		types(dan, "open").Refused("banned")
		ann.Patch("/v1/rooms/open", map[string]any{"archived": true}).Want(200)
		types(ann, "open").Refused("conflict")
	})
}

// To type is to act: who was away is back.
func TestTypingIsAnAct(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	ann, bob := s.User("ann"), s.User("bob")
	tap := ann.Stream()
	hears(t, tap, "ann online")
	bob.Stream()
	hears(t, tap, "bob online")
	s.Advance(5 * time.Minute)
	hears(t, tap, "ann away", "bob away")
	types(bob, "lobby").Want(204)
	hears(t, tap, "bob online")
}

// However fast somebody calls, the others are told of it now and then, and in the end the calls are refused.
func TestTypingIsLimited(t *testing.T) {
	t.Parallel()
	clock, still := standStill()
	s := harness.Start(t, harness.RateLimited(), still)
	ann, bob := s.User("ann"), s.User("bob")
	his := bob.Stream()
	spend(t, 20, func() *harness.Answer { return types(ann, "lobby") })
	hasTyped(t, his, ann, 1)
	clock.advance(time.Second)
	types(ann, "lobby").Want(204)
	silent(t, bob, his)
	clock.advance(3 * time.Second)
	types(ann, "lobby").Want(204)
	hasTyped(t, his, ann, 1)
}
