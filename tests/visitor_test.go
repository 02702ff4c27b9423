package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// ofVisitors are the calls that a visitor may make: those of the own account, of its conversations, and its stream.
// True are those that are tried here too; the others end the session, or are nothing without a password.
var ofVisitors = map[string]bool{
	"getMe": true, "updateMe": true, "listSessions": true, "createTicket": true, "exportMe": true, "rename": true,
	"streamEvents": true, "streamNDJSON": true, "pollEvents": true, "listConversations": true, "openConversation": true,
	"logout": false, "endSession": false, "changePassword": false, "deleteMe": false,
}

// ofConversations are those that a visitor may make upon its own conversation or its messages, and upon no other.
var ofConversations = []string{
	"getConversation", "closeConversation", "reopenConversation", "getRoom", "listMembers", "listMessages", "startTyping", "markRead",
	"send", "getMessage", "updateMessage", "deleteMessage", "listEdits", "putReaction", "deleteReaction", "listReactions", "listReplies",
	"listPins", "rateConversation", "getTranscript",
}

// Whatever the spec has, or will have: a visitor is refused, and nothing is done. An operation that is for visitors as
// well must be named above.
func TestVisitorsHaveTheirOwnOnly(t *testing.T) {
	callByCall(t)
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		w := newWorld(t, s)
		visitor := s.Visitor("visitor")
		for _, o := range operations {
			if o.public {
				continue
			}
			try, may := ofVisitors[o.id]
			if may && !try {
				continue
			}
			o = o.ready(w)
			o.as = visitor
			switch {
			case !may: // those of conversations too: this one is another's
				head := w.admin.Head()
				o.call(w).Refused("forbidden")
				if after := w.admin.Head(); after != head {
					t.Errorf("%s is refused, and the log went from %d to %d", o.id, head, after)
				}
			case o.stream:
				visitor.Stream().Close()
				visitor.NDJSON().Close()
			default:
				o.call(w).Want(o.status)
			}
		}
	})
}

// Every call that can point at a room, a message or a conversation is refused to a visitor wherever that is another's: in the
// lobby, in a channel, between two others, with another visitor, in the agents' notes, and where there is nothing. At
// its own, the calls above do.
func TestVisitorsReachNothingElse(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin, bob := s.User("root"), s.User("bob")
		eve := s.Agent(admin, "eve")
		eve.Serve(10)
		visitor, other := s.Visitor("visitor"), s.Visitor("other")
		own := visitor.Open(map[string]any{"text": "it is me"})
		stream := visitor.Stream(harness.Query("after", "0"))
		strange := other.Open(map[string]any{"text": "it is somebody else"})
		admin.Room("tea", "public")
		noted := note(eve, own.ID, "a note of the agents")
		direct := bob.Send("@root", "between us")
		spots := map[string]spot{
			"lobby":  {room: "lobby", message: bob.Send("lobby", "hello").ID},
			"public": {room: "tea", message: admin.Send("tea", "hello").ID},
			"direct": {room: "@root", message: direct.ID}, "direct by id": {room: id(direct.RoomID), message: direct.ID},
			"another's": {room: id(strange.RoomID), message: other.History(id(strange.RoomID))[0].ID},
			"notes":     {room: id(noted.RoomID), message: noted.ID},
			"nothing":   {room: id(admin.Head() + 1<<40), message: admin.Head() + 1<<40},
		}
		for name, at := range spots {
			at.user, at.code = "@bob", "never-given-out"
			for _, o := range harness.TheSpec().Operations() {
				if o.ID == "pollEvents" || callsAt(o.ID) == nil {
					continue
				}
				for _, a := range callsAt(o.ID)(visitor, at) {
					if a.Status != 403 && a.Status != 404 {
						t.Errorf("%s at %s: %d %s", o.ID, name, a.Status, a.Body)
					}
				}
			}
		}
		at := spot{room: id(own.RoomID), message: visitor.History(id(own.RoomID))[0].ID, user: "@bob", code: "never-given-out"}
		for _, o := range harness.TheSpec().Operations() {
			if o.ID == "pollEvents" || callsAt(o.ID) == nil || o.ID == "closeConversation" || o.ID == "deleteMessage" {
				continue
			}
			may := slices.Contains(ofConversations, o.ID)
			for _, a := range callsAt(o.ID)(visitor, at)[:min(1, len(callsAt(o.ID)(visitor, at)))] {
				if (a.Status < 400) != may {
					t.Errorf("%s at the own conversation: %d %s", o.ID, a.Status, a.Body)
				}
			}
		}
		eve.Send(id(strange.RoomID), "to the other one")
		last := eve.Send(id(own.RoomID), "and to you")
		for _, e := range append(stream.UntilID(last.ID), visitor.Events(0)...) {
			data := fmt.Sprint(e.JSON)
			if e.RoomID != 0 && e.RoomID != own.RoomID {
				t.Errorf("the visitor was told of room %d: %s", e.RoomID, data)
			}
			for _, word := range []string{"hello", "between us", "somebody else", "the other one", "notes_room_id", "a note of", other.Name, "bob"} {
				if strings.Contains(data, word) {
					t.Errorf("the visitor was told of %q: %s", word, data)
				}
			}
		}
	})
}

// Only agents know of visitors: nobody else finds one, sees one online, or hears of one.
func TestVisitorsAreTheAgents(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	admin, bob := s.User("root"), s.User("bob")
	eve := s.Agent(admin, "eve")
	st := bob.Stream(harness.Query("after", "0"))
	agents := eve.Stream()
	visitor := s.Visitor("Li")
	visitor.Stream()
	visitor.Open(map[string]any{"text": "hi"})
	eve.Serve(1)
	agents.Until("member.joined")
	for _, ref := range []string{visitor.Ref(), "@" + visitor.Name} {
		bob.Get("/v1/users/" + ref).Refused("not_found")
		bob.Put("/v1/blocks/"+ref, nil).Refused("not_found")
		eve.Get("/v1/users/" + ref).Want(200)
	}
	bob.Post("/v1/send", map[string]any{"to": "@" + visitor.Name, "text": "hello"}).Refused("not_found")
	if got := harness.Into[client.UserList](bob.Get("/v1/users?q=visitor").Want(200)); len(got.Users) != 0 {
		t.Errorf("bob finds %+v", got.Users)
	}
	if got := statuses(t, bob); got != "bob online, eve online" {
		t.Errorf("bob sees %s", got)
	}
	if got := statuses(t, eve); !strings.Contains(got, visitor.Name) {
		t.Errorf("eve sees %s", got)
	}
	last := admin.Send("lobby", "good night")
	for _, e := range append(st.UntilID(last.ID), bob.Events(0)...) {
		if strings.Contains(e.JSON, visitor.Name) {
			t.Errorf("bob was told of the visitor: %s", e.JSON)
		}
	}
}
