package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// A room keeps an owner.
func TestLastOwner(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	admin, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
	ann.Room("tea", "private")
	ann.Add("tea", bob, "")
	alone := func() {
		t.Helper()
		before := members(ann, "tea")
		for _, a := range []*harness.Answer{
			ann.Post("/v1/rooms/tea/leave", nil),
			ann.Delete("/v1/rooms/tea/members/@ann"),
			ann.Put("/v1/rooms/tea/members/@ann", map[string]any{"role": "moderator"}),
			admin.Put("/v1/rooms/tea/members/@ann", map[string]any{"role": "member"}),
			admin.Delete("/v1/rooms/tea/members/@ann"),
		} {
			a.Refused("conflict")
		}
		if after := members(ann, "tea"); after != before {
			t.Errorf("refused, and changed from %s to %s", before, after)
		}
	}
	alone()
	ann.Add("tea", bob, "moderator")
	alone()
	ann.Put("/v1/rooms/tea/members/@ann", map[string]any{"role": "owner"}).Want(200) // as it is
	ann.Add("tea", bob, "owner")
	ann.Post("/v1/rooms/tea/leave", nil).Want(204)
	if got := members(bob, "tea"); got != "bob/owner" {
		t.Errorf("the members are %s", got)
	}
}

// Two owners leave at once: one stays.
func TestOwnersLeaveTogether(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		for range 5 {
			room := admin.Head()
			name := "r" + id(room)
			ann.Room(name, "public")
			ann.Add(name, bob, "owner")
			statuses := make(chan int, 2)
			for _, u := range []*harness.User{ann, bob} {
				go func() {
					a, err := s.Try(t.Context(), "POST", "/v1/rooms/"+name+"/leave", u.Bearer())
					if err != nil {
						t.Error(err)
						statuses <- 0
						return
					}
					statuses <- a.Status
				}()
			}
			if sum := <-statuses + <-statuses; sum != 204+409 {
				t.Errorf("two owners left: %d", sum)
			}
		}
	})
}

func members(u *harness.User, room string) string {
	var names []string
	for _, m := range harness.Into[client.MemberList](u.Get("/v1/rooms/" + room + "/members").Want(200)).Members {
		names = append(names, m.User.Name+"/"+string(m.Role))
	}
	return strings.Join(names, " ")
}

func TestMembers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob, eve := s.User("ann"), s.User("bob"), s.Guest("eve")
		room := ann.Room("tea", "private")
		stream, others := bob.Stream(), ann.Stream()

		added := harness.Into[client.Member](ann.Put("/v1/rooms/tea/members/@bob", nil).Want(200))
		if added.User.ID != bob.ID || added.Role != "member" {
			t.Errorf("added %+v", added)
		}
		// Who is added is told of the room first.
		events := stream.Want("room.created", "member.joined")
		if r := harness.DataOf[client.RoomData](events[0]).Room; r.ID != room.ID || *r.Name != "tea" {
			t.Errorf("the event is %s", events[0].JSON)
		}
		if e := others.Want("member.joined")[0]; e.ID != events[1].ID || e.ID != events[0].ID+1 {
			t.Errorf("%d and %d, to the others %d", events[0].ID, events[1].ID, e.ID)
		}
		again := harness.Into[client.Member](ann.Put("/v1/rooms/tea/members/"+bob.Ref(), map[string]any{}).Want(200))
		if again != added {
			t.Errorf("added again: %+v, before %+v", again, added)
		}
		promoted := harness.Into[client.Member](ann.Put("/v1/rooms/tea/members/@BOB", map[string]any{"role": "moderator"}).Want(200))
		if promoted.Role != "moderator" || !promoted.JoinedAt.Equal(added.JoinedAt) {
			t.Errorf("promoted: %+v", promoted)
		}
		if d := harness.DataOf[client.MemberData](stream.Want("member.updated")[0]); d.User.ID != bob.ID || d.Role != "moderator" {
			t.Errorf("the event has %+v", d)
		}
		// Without a role a member stays what they are.
		if m := harness.Into[client.Member](bob.Put("/v1/rooms/tea/members/@bob", nil).Want(200)); m.Role != "moderator" {
			t.Errorf("bob is %s now", m.Role)
		}
		bob.Put("/v1/rooms/tea/members/@eve", nil).Want(200)
		eve.Put("/v1/rooms/tea/members/@root", nil).Refused("forbidden")
		if got := members(eve, "tea"); got != "ann/owner bob/moderator eve/member" {
			t.Errorf("the members are %s", got)
		}
		for _, limit := range []string{"1", "2"} {
			if got := memberPages(ann, "tea", limit); got != "ann bob eve" {
				t.Errorf("by %s: %s", limit, got)
			}
		}
		if r := harness.Into[client.Room](ann.Get("/v1/rooms/tea").Want(200)); r.MemberCount != 3 {
			t.Errorf("%d members", r.MemberCount)
		}
		for _, nobody := range []string{"@nobody", "999", "0", "nobody", "@", "@a%2Fb", "9007199254740992"} {
			ann.Put("/v1/rooms/tea/members/"+nobody, nil).Refused("not_found")
			ann.Delete("/v1/rooms/tea/members/" + nobody).Refused("not_found")
		}
		ann.Delete("/v1/rooms/tea/members/@root").Refused("not_found") // is none
		ann.Put("/v1/rooms/tea/members/@bob", map[string]any{"role": "king"}).Refused("validation_failed", "role")
	})
}

func memberPages(u *harness.User, room, limit string) string {
	var names []string
	page := ""
	for {
		with := []harness.With{harness.Query("limit", limit)}
		if page != "" {
			with = append(with, harness.Query("page", page))
		}
		list := harness.Into[client.MemberList](u.Get("/v1/rooms/"+room+"/members", with...).Want(200))
		for _, m := range list.Members {
			names = append(names, m.User.Name)
		}
		if list.NextPage == nil {
			return strings.Join(names, " ")
		}
		page = *list.NextPage
	}
}

// The last event that a removed member gets of the room is their member.left, now and in every replay.
func TestRemovedMember(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		start := bob.Head()
		room := ann.Room("tea", "private")
		ann.Add("tea", bob, "")
		for _, text := range []string{"one", "two"} {
			ann.Send("tea", text)
		}
		stream := bob.Stream(harness.After(start))
		stream.Want("room.created", "member.joined", "message.created", "message.created")
		ann.Delete("/v1/rooms/tea/members/@bob").Want(204)
		ann.Send("tea", "behind his back")
		ann.Patch("/v1/rooms/tea", map[string]any{"topic": "gossip"}).Want(200)
		end := ann.Send("lobby", "to all")

		live := stream.UntilID(end.ID)
		if len(live) != 2 || live[0].Type != "member.left" {
			t.Fatalf("after the removal came %v", live)
		}
		left := live[0]
		if d := harness.DataOf[client.MemberData](left); d.User.ID != bob.ID || left.RoomID != room.ID {
			t.Errorf("the event is %s", left.JSON)
		}
		only := func(events []harness.Event) {
			t.Helper()
			var of []harness.Event
			for _, e := range events {
				// The room.created is addressed to him, and not the room's.
				if e.RoomID == room.ID && e.Type != "room.created" {
					of = append(of, e)
				}
			}
			if len(of) != 1 || of[0].ID != left.ID {
				t.Errorf("of the room is replayed %v", of)
			}
		}
		only(bob.Events(0))
		only(bob.Stream(harness.After(0)).UntilID(end.ID))
		only(bob.NDJSON(harness.After(start)).UntilID(end.ID))

		// A later return does not bring the earlier spell back.
		ann.Add("tea", bob, "")
		back := ann.Send("tea", "welcome back")
		var types []string
		for _, e := range bob.Events(0) {
			if e.RoomID == room.ID && e.Type != "room.created" {
				types = append(types, e.String())
			}
		}
		joined := id(back.ID-1) + " member.joined"
		if got, want := strings.Join(types, ", "), left.String()+", "+joined+", "+id(back.ID)+" message.created(welcome back)"; got != want {
			t.Errorf("after the return: %s, want %s", got, want)
		}
		// History is by what one is now.
		if got := bob.History("tea"); len(got) != 4 {
			t.Errorf("the history has %d messages", len(got))
		}
	})
}

// Messages that are written with the removal, in one transaction, are his up to it and not after it.
func TestRemovedInTheMiddle(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	for round := range 8 {
		room := ann.Room("tea"+id(int64(round)), "private").ID
		ann.Add(id(room), bob, "")
		stream := bob.Stream()
		held, release := s.HoldOne(harness.Commit)
		calls := []func() (*harness.Answer, error){
			func() (*harness.Answer, error) { return s.Try(t.Context(), "POST", "/v1/tickets", ann.Bearer()) },
		}
		for range 10 {
			calls = append(calls, func() (*harness.Answer, error) {
				return s.Try(t.Context(), "POST", "/v1/send", ann.Bearer(), harness.Form("to", id(room), "text", "hi"))
			})
		}
		calls[6] = func() (*harness.Answer, error) {
			return s.Try(t.Context(), "DELETE", "/v1/rooms/"+id(room)+"/members/@bob", ann.Bearer())
		}
		done := make(chan error, len(calls))
		for i, call := range calls {
			go func() {
				a, err := call()
				if err == nil && a.Status >= 300 {
					err = fmt.Errorf("%d %s", a.Status, a.Body)
				}
				done <- err
			}()
			if i == 0 {
				<-held // the others gather behind it
			}
		}
		release()
		for range calls {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		end := ann.Send("lobby", "end").ID
		var want []string
		for _, e := range ann.Events(harness.DataOf[client.ReadyData](stream.Ready).Cursor) {
			want = append(want, e.String())
			if e.Type == "member.left" {
				break
			}
		}
		var got []string
		for _, e := range stream.UntilID(end) {
			if e.RoomID == room {
				got = append(got, e.String())
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("round %d: got %v, want %v", round, got, want)
		}
		stream.Close()
	}
}

// Who left keeps what they had, and gets nothing of what lies between two spells.
func TestLeftMember(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		room := ann.Room("tea", "public")
		in := func() { bob.Post("/v1/rooms/tea/join", nil).Want(200) }
		out := func() { bob.Post("/v1/rooms/tea/leave", nil).Want(204) }
		stream := bob.Stream()
		ann.Send("tea", "before")
		in()
		ann.Send("tea", "first spell")
		out()
		ann.Send("tea", "between")
		in()
		ann.Send("tea", "second spell")
		out()
		ann.Send("tea", "after")
		end := ann.Send("lobby", "end")
		want := "member.joined first spell member.left member.joined second spell member.left end"
		for name, events := range map[string][]harness.Event{
			"live": stream.UntilID(end.ID), "replayed": bob.Stream(harness.After(room.ID)).UntilID(end.ID),
			"polled": bob.Events(room.ID),
		} {
			var got []string
			for _, e := range events {
				if e.Type == "message.created" {
					got = append(got, e.Text())
				} else {
					got = append(got, e.Type)
				}
			}
			if joined := strings.Join(got, " "); joined != want {
				t.Errorf("%s: %s, want %s", name, joined, want)
			}
		}
	})
}

// The room's deletion is the last event of it, and the only one in a replay.
func TestDeletedRoom(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	room := ann.Room("tea", "private")
	ann.Add("tea", bob, "")
	ann.Send("tea", "secret")
	stream := bob.Stream(harness.After(room.ID))
	stream.Until("message.created")
	ann.Delete("/v1/rooms/tea").Want(204)
	deleted := stream.Want("room.deleted")[0]
	for _, u := range []*harness.User{ann, bob} {
		for _, e := range u.Events(0) {
			if e.RoomID == room.ID && e.Type != "room.created" && e.ID != deleted.ID {
				t.Errorf("%s is still given %s", u.Name, e)
			}
		}
	}
}
