package tests

import (
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// Who is banned from a room sees nothing of it from that event on, neither live nor in a replay, and cannot come back.
func TestBannedFromARoom(t *testing.T) {
	t.Parallel()
	for _, visibility := range []string{"public", "private"} {
		t.Run(visibility, func(t *testing.T) {
			t.Parallel()
			onBoth(t, func(t *testing.T, s *harness.Server) {
				s.User("root")
				ann, bob := s.User("ann"), s.User("bob")
				start := bob.Head()
				room := ann.Room("tea", visibility)
				ann.Add("tea", bob, "moderator")
				ann.Send("tea", "one")
				stream := bob.Stream(harness.After(start))
				stream.Until("message.created")
				ban := harness.Into[client.Restriction](ann.Put("/v1/rooms/tea/bans/@bob", map[string]any{"reason": "spam"}).Want(200))
				if ban.User.ID != bob.ID || ban.By.ID != ann.ID || *ban.Reason != "spam" || ban.Until != nil {
					t.Errorf("the ban is %+v", ban)
				}
				ann.Send("tea", "behind his back")
				ann.Patch("/v1/rooms/tea", map[string]any{"topic": "gossip"}).Want(200)
				end := ann.Send("lobby", "to all")
				live := stream.UntilID(end.ID)
				if len(live) != 2 || live[0].Type != "member.left" {
					t.Fatalf("after the ban came %v", live)
				}
				if d := harness.DataOf[client.MemberData](live[0]); d.User.ID != bob.ID || d.Role != "moderator" || orEmpty(d.Reason) != "banned" {
					t.Errorf("the event is %s", live[0].JSON)
				}
				for _, events := range [][]harness.Event{
					bob.Events(0), bob.Stream(harness.After(0)).UntilID(end.ID), bob.NDJSON(harness.After(start)).UntilID(end.ID),
				} {
					var of []string
					for _, e := range events {
						if e.RoomID == room.ID && e.Type != "room.created" {
							of = append(of, e.String())
						}
					}
					if strings.Join(of, " ") != live[0].String() {
						t.Errorf("of the room is replayed %v", of)
					}
				}
				shutOut(t, ann, bob, visibility)
				s.Restart()
				shutOut(t, ann, bob, visibility)
				ann.Delete("/v1/rooms/tea/bans/@bob").Want(204)
				ann.Delete("/v1/rooms/tea/bans/@bob").Want(204)
				ann.Get("/v1/rooms/tea/members/").Refused("not_found")
				members := harness.Into[client.MemberList](ann.Get("/v1/rooms/tea/members").Want(200)).Members
				if len(members) != 1 {
					t.Errorf("lifting the ban brought somebody back: %+v", members)
				}
				ann.Add("tea", bob, "")
				bob.Send("tea", "back again")
			})
		})
	}
}

// shutOut tries every way in.
func shutOut(t *testing.T, ann, bob *harness.User, visibility string) {
	t.Helper()
	ann.Put("/v1/rooms/tea/members/@bob", nil).Refused("conflict")
	send := bob.Post("/v1/send", map[string]any{"to": "tea", "text": "hi"})
	join := bob.Post("/v1/rooms/tea/join", nil)
	if visibility == "private" {
		sameAsNone(t, send, bob.Post("/v1/send", map[string]any{"to": "nowhere", "text": "hi"}))
		sameAsNone(t, join, bob.Post("/v1/rooms/nowhere/join", nil))
		sameAsNone(t, bob.Get("/v1/rooms/tea/messages"), bob.Get("/v1/rooms/nowhere/messages"))
		return
	}
	for _, a := range []*harness.Answer{send, join} {
		if p := a.Refused("banned"); p.Detail != "you are banned from this room: spam" {
			t.Errorf("refused with %q", p.Detail)
		}
	}
	bob.Get("/v1/rooms/tea/messages").Want(200) // like everybody
}

// A ban ends by the clock: then one may come back, and is not back by that. It can be set before somebody is a member,
// and takes a new end.
func TestRoomBanEnds(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
	ann.Room("tea", "public")
	before := root.Head()
	ann.Put("/v1/rooms/tea/bans/@bob", nil).Want(200)
	ann.Put("/v1/rooms/tea/bans/@bob", map[string]any{"until": soon(time.Hour)}).Want(200)
	if after := root.Head(); after != before {
		t.Errorf("who was no member is banned by events: the log went from %d to %d", before, after)
	}
	if p := bob.Post("/v1/rooms/tea/join", nil).Refused("banned"); !strings.Contains(p.Detail, " until ") {
		t.Errorf("refused with %q", p.Detail)
	}
	s.Advance(2 * time.Hour)
	bob.Post("/v1/send", map[string]any{"to": "tea", "text": "hi"}).Refused("forbidden")
	if list := harness.Into[client.RoomBanList](ann.Get("/v1/rooms/tea/bans").Want(200)); len(list.Bans) != 0 {
		t.Errorf("the bans are %+v", list)
	}
	bob.Post("/v1/rooms/tea/join", nil).Want(200)
	bob.Send("tea", "hi")
}

// A room keeps an owner, whoever bans.
func TestLastOwnerIsNotBanned(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
	ann.Room("tea", "private")
	root.Put("/v1/rooms/tea/bans/@ann", nil).Refused("conflict")
	if list := harness.Into[client.RoomBanList](root.Get("/v1/rooms/tea/bans").Want(200)); len(list.Bans) != 0 {
		t.Errorf("refused, and banned: %+v", list)
	}
	ann.Send("tea", "still here")
	ann.Add("tea", bob, "owner")
	bob.Put("/v1/rooms/tea/bans/@ann", nil).Want(200) // of the same rank
	sameAsNone(t, ann.Get("/v1/rooms/tea"), ann.Get("/v1/rooms/nowhere"))
	root.Delete("/v1/rooms/tea/bans/@ann").Want(204)
	root.Put("/v1/rooms/tea/mutes/@bob", nil).Want(200)
	wantAudit(t, audit(root, ""), "root member.unban @ann #tea", "root member.mute @bob #tea")
}
