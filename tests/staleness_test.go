package tests

import (
	"fmt"
	"testing"

	"parley/tests/harness"
)

// stale is the world of TestNothingIsDecidedByThePast: bob sends to the channel tea, to ann, and as an agent.
type stale struct {
	s              *harness.Server
	root, ann, bob *harness.User
}

// sent is the code that a send of bob's is refused with, "" where it is not.
func (w *stale) sent(to string) string {
	a := w.bob.Post("/v1/send", map[string]any{"to": to, "text": "hello"})
	if a.Status == 201 {
		return ""
	}
	return a.Problem().Code
}

// inTea says what root or ann does about tea.
func (w *stale) inTea(body map[string]any) { w.ann.Patch("/v1/rooms/tea", body).Want(200) }

// staleCases are changes by which a send is decided otherwise: done, and where it can be, undone.
var staleCases = []struct {
	what     string
	to       string
	do       func(w *stale)
	refused  string
	undo     func(w *stale)
	fromHere string // what bob's send is refused with after undo
}{
	{
		"mute", "tea", func(w *stale) { w.ann.Put("/v1/rooms/tea/mutes/@bob", map[string]any{}).Want(200) }, "muted",
		func(w *stale) { w.ann.Delete("/v1/rooms/tea/mutes/@bob").Want(204) }, "",
	},
	{
		"mute in the lobby", "lobby", func(w *stale) { w.root.Put("/v1/rooms/lobby/mutes/@bob", map[string]any{}).Want(200) }, "muted",
		func(w *stale) { w.root.Delete("/v1/rooms/lobby/mutes/@bob").Want(204) }, "",
	},
	{
		"leave", "tea", func(w *stale) { w.bob.Post("/v1/rooms/tea/leave", nil).Want(204) }, "forbidden",
		func(w *stale) { w.bob.Post("/v1/rooms/tea/join", nil).Want(200) }, "",
	},
	{
		"removal", "tea", func(w *stale) { w.ann.Delete("/v1/rooms/tea/members/@bob").Want(204) }, "forbidden",
		func(w *stale) { w.ann.Add("tea", w.bob, "") }, "",
	},
	{
		"ban from the room", "tea", func(w *stale) { w.ann.Put("/v1/rooms/tea/bans/@bob", map[string]any{}).Want(200) }, "banned",
		func(w *stale) {
			w.ann.Delete("/v1/rooms/tea/bans/@bob").Want(204)
			w.ann.Add("tea", w.bob, "")
		}, "",
	},
	{
		"archive", "tea", func(w *stale) { w.inTea(map[string]any{"archived": true}) }, "conflict",
		func(w *stale) { w.inTea(map[string]any{"archived": false}) }, "",
	},
	{
		"slow mode", "tea", func(w *stale) { w.inTea(map[string]any{"slow_mode": 3600}) }, "slow_mode",
		func(w *stale) { w.inTea(map[string]any{"slow_mode": 0}) }, "",
	},
	{
		"role in the room", "tea", func(w *stale) {
			w.ann.Add("tea", w.bob, "moderator")
			w.inTea(map[string]any{"slow_mode": 3600})
			w.bob.Send("tea", "moderators need not wait")
			w.ann.Add("tea", w.bob, "member")
		}, "slow_mode",
		func(w *stale) { w.inTea(map[string]any{"slow_mode": 0}) }, "",
	},
	{
		"rename of the room", "tea", func(w *stale) { w.inTea(map[string]any{"name": "coffee"}) }, "not_found",
		func(w *stale) { w.ann.Patch("/v1/rooms/coffee", map[string]any{"name": "tea"}).Want(200) }, "",
	},
	{
		"block", "@ann", func(w *stale) { w.ann.Put("/v1/blocks/@bob", nil).Want(204) }, "forbidden",
		func(w *stale) { w.ann.Delete("/v1/blocks/@bob").Want(204) }, "",
	},
	{
		"block of one's own", "@ann", func(w *stale) { w.bob.Put("/v1/blocks/@ann", nil).Want(204) }, "forbidden",
		func(w *stale) { w.bob.Delete("/v1/blocks/@ann").Want(204) }, "",
	},
	{
		"rename of the other", "@ann", func(w *stale) { w.ann.Post("/v1/rename", map[string]any{"name": "anna"}).Want(200) }, "not_found",
		func(w *stale) { w.ann.Post("/v1/rename", map[string]any{"name": "ann"}).Want(200) }, "",
	},
	{
		"ban from the server", "tea", func(w *stale) { w.root.Put("/v1/users/@bob/ban", map[string]any{}).Want(200) }, "unauthorized",
		func(w *stale) {
			w.root.Delete("/v1/users/@bob/ban").Want(204)
			w.bob = w.s.Login("bob")
		}, "",
	},
	{
		"end of the session", "tea", func(w *stale) { w.bob.Post("/v1/logout", nil).Want(204) }, "unauthorized",
		func(w *stale) { w.bob = w.s.Login("bob") }, "",
	},
	{
		"kick", "tea", func(w *stale) { w.root.Post("/v1/users/@bob/kick", nil).Want(204) }, "unauthorized",
		func(w *stale) { w.bob = w.s.Login("bob") }, "",
	},
	{
		"change of the password", "tea", func(w *stale) {
			body := map[string]any{"current": harness.Password, "new": harness.Password}
			w.s.Login("bob").Put("/v1/me/password", body).Want(204)
		}, "unauthorized",
		func(w *stale) { w.bob = w.s.Login("bob") }, "",
	},
	{
		"deletion of the room", "tea", func(w *stale) { w.ann.Delete("/v1/rooms/tea").Want(204) }, "not_found",
		func(w *stale) { w.ann.Room("tea", "public") }, "forbidden",
	},
	{
		"deletion of the account", "lobby", func(w *stale) {
			w.bob.Post("/v1/me/delete", map[string]any{"password": harness.Password, "erase": true}).Want(204)
		}, "unauthorized", nil, "",
	},
}

// What is remembered is told of each change before anybody is answered: the next send is decided by what is.
func TestNothingIsDecidedByThePast(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		w := &stale{s: s, root: s.User("root"), ann: s.User("ann"), bob: s.User("bob")}
		w.ann.Room("tea", "public")
		w.ann.Add("tea", w.bob, "")
		for _, tt := range staleCases {
			for range 2 { // so that all is remembered
				if got := w.sent(tt.to); got != "" {
					t.Fatalf("before the %s: %q", tt.what, got)
				}
			}
			tt.do(w)
			if got := w.sent(tt.to); got != tt.refused {
				t.Errorf("after the %s: %q, want %q", tt.what, got, tt.refused)
			}
			if tt.undo == nil {
				continue
			}
			tt.undo(w)
			if got := w.sent(tt.to); got != tt.fromHere {
				t.Errorf("after the end of the %s: %q, want %q", tt.what, got, tt.fromHere)
			}
			if tt.fromHere != "" {
				w.bob.Post("/v1/rooms/tea/join", nil).Want(200)
			}
		}
	})
}

// Names and texts are those of the moment too, and an agent writes where they serve, as long as they do.
func TestNothingIsSaidByThePast(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann := s.User("root"), s.User("ann")
		bob := s.Agent(root, "bob")
		ann.Send("lobby", "hello @bob")
		bob.Post("/v1/rename", map[string]any{"name": "rob"}).Want(200)
		if m := bob.Send("lobby", "it is me"); m.Sender.Name != "rob" {
			t.Errorf("sent by %q after the rename", m.Sender.Name)
		}
		if m := ann.Send("lobby", "hello @bob, hello @rob"); len(m.Mentions) != 1 || m.Mentions[0] != bob.ID {
			t.Errorf("mentions %v", m.Mentions)
		}

		bob.Serve(2)
		c := s.Visitor("Li Wei").Open(nil)
		room := fmt.Sprint(c.RoomID)
		if c.State == "queued" {
			bob.Post(fmt.Sprintf("/v1/support/conversations/%d/accept", c.ID), nil).Want(200)
		}
		bob.Send(room, "how can I help?")
		root.Put("/v1/users/@rob/role", map[string]any{"role": "member"}).Want(200)
		bob.Post("/v1/send", map[string]any{"to": room, "text": "still there?"}).Refused("not_found")
		root.Put("/v1/users/@rob/role", map[string]any{"role": "agent"}).Want(200)
		bob.Post("/v1/send", map[string]any{"to": room, "text": "still there?"}).Refused("forbidden")
	})
}
