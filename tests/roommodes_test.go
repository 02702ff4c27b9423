package tests

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// Into an archived room nothing comes any more, and nothing of it changes; it can be read, left, kept in order, opened
// again and deleted.
func TestArchivedRoom(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		eve, carl := s.User("eve"), s.User("carl")
		s.User("new")
		ann.Room("tea", "public")
		for _, u := range []*harness.User{bob, eve, carl} {
			ann.Add("tea", u, "")
		}
		ann.Add("tea", eve, "moderator")
		ann.Send("tea", "one")
		stream := bob.Stream()
		eve.Patch("/v1/rooms/tea", map[string]any{"archived": true}).Refused("forbidden")
		room := harness.Into[client.Room](ann.Patch("/v1/rooms/tea", map[string]any{"archived": true, "topic": "the end"}).Want(200))
		if !room.Archived || room.Topic != "the end" {
			t.Errorf("the room is %+v", room)
		}
		if d := harness.DataOf[client.RoomData](stream.Want("room.updated")[0]); !d.Room.Archived || d.Room.Topic != "the end" {
			t.Errorf("the event has %+v", d)
		}
		ann.Patch("/v1/rooms/tea", map[string]any{"archived": true}).Want(200) // nothing new
		before := root.Head()
		for _, u := range []*harness.User{ann, bob, root} {
			u.Post("/v1/send", map[string]any{"to": "tea", "text": "two"}).Refused("conflict")
			u.Put("/v1/rooms/tea/members/@new", nil).Refused("conflict")
		}
		root.Post("/v1/rooms/tea/join", nil).Refused("conflict")
		for _, change := range []map[string]any{
			{"topic": "more"}, {"name": "coffee"}, {"visibility": "private"}, {"slow_mode": 5}, {"history": "all"},
			{"archived": true, "topic": "more"},
		} {
			ann.Patch("/v1/rooms/tea", change).Refused("conflict")
		}
		if p := bob.Post("/v1/send", map[string]any{"to": "tea", "text": "two"}).Refused("conflict"); p.Detail != "the room is archived" {
			t.Errorf("refused with %q", p.Detail)
		}
		if after := root.Head(); after != before {
			t.Errorf("the log went from %d to %d", before, after)
		}
		ann.Post("/v1/rooms/tea/join", nil).Want(200) // is in it
		bob.Get("/v1/rooms/tea").Want(200)
		if got := bob.History("tea"); len(got) != 1 {
			t.Errorf("the history has %d messages", len(got))
		}
		eve.Put("/v1/rooms/tea/mutes/@bob", nil).Want(200)
		eve.Delete("/v1/rooms/tea/mutes/@bob").Want(204)
		eve.Put("/v1/rooms/tea/bans/@carl", nil).Want(200)
		bob.Post("/v1/rooms/tea/leave", nil).Want(204)
		ann.Add("tea", eve, "owner") // somebody has to be able to open it
		eve.Delete("/v1/rooms/tea/members/@ann").Want(204)

		// Opened again, in one call with what could not be done before.
		eve.Patch("/v1/rooms/tea", map[string]any{"archived": false, "topic": "more"}).Want(200)
		eve.Send("tea", "two")
		bob.Post("/v1/rooms/tea/join", nil).Want(200)
		root.Patch("/v1/rooms/tea", map[string]any{"archived": true}).Want(200)
		wantAudit(t, audit(root, ""), "root room.update #tea [archived:true]")
		eve.Delete("/v1/rooms/tea").Want(204)
	})
}

// The lobby is never archived, and its history is everybody's; direct conversations have neither.
func TestModesThatAreNotThere(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	root, ann := s.User("root"), s.User("ann")
	ann.Send("@root", "hi")
	for _, room := range []string{"lobby", "@ann"} {
		root.Patch("/v1/rooms/"+room, map[string]any{"archived": true}).Refused("forbidden")
		root.Patch("/v1/rooms/"+room, map[string]any{"history": "since_join"}).Refused("forbidden")
	}
	root.Patch("/v1/rooms/@ann", map[string]any{"slow_mode": 1}).Refused("forbidden")
	ann.Patch("/v1/rooms/lobby", map[string]any{"slow_mode": 1}).Refused("forbidden")
	root.Patch("/v1/rooms/lobby", map[string]any{"slow_mode": 3600}).Want(200)
	ann.Send("lobby", "one")
	ann.Post("/v1/send", map[string]any{"text": "two"}).Refused("slow_mode")
	root.Send("lobby", "one")
	root.Send("lobby", "two")
	for _, wrong := range []any{-1, 21601, "often", 1.5} {
		root.Patch("/v1/rooms/lobby", map[string]any{"slow_mode": wrong}).Refused("validation_failed", "slow_mode")
		root.Post("/v1/rooms", map[string]any{"name": "tea", "slow_mode": wrong}).Refused("validation_failed", "slow_mode")
	}
	root.Patch("/v1/rooms/lobby", map[string]any{"history": "some"}).Refused("validation_failed", "history")
}

// In slow mode the second message too soon is refused with when to come again.
func TestSlowModeOverHTTP(t *testing.T) {
	t.Parallel()
	clock, still := standStill()
	s := harness.Start(t, still)
	s.User("root")
	ann, bob := s.User("ann"), s.User("bob")
	room := harness.Into[client.Room](ann.Post("/v1/rooms", map[string]any{"name": "tea", "slow_mode": 21600}).Want(201))
	if room.SlowMode != 21600 {
		t.Errorf("the room is %+v", room)
	}
	ann.Patch("/v1/rooms/tea", map[string]any{"slow_mode": 10}).Want(200)
	ann.Add("tea", bob, "")
	first := bob.Send("tea", "one")
	clock.advance(1500 * time.Millisecond)
	a := bob.Post("/v1/send", map[string]any{"to": "tea", "text": "two"})
	a.Refused("slow_mode")
	if r, _ := rateOf(t, a); r != (rate{1, 0, 9, 9}) {
		t.Errorf("refused with %+v", r)
	}
	bob.Send("lobby", "elsewhere")
	clock.advance(8500 * time.Millisecond)
	bob.Post("/v1/send", map[string]any{"to": "tea", "text": "two", "nonce": "n"}).Want(201)
	bob.Post("/v1/send", map[string]any{"to": "tea", "text": "two", "nonce": "n"}).Want(200)
	bob.Post("/v1/send", map[string]any{"to": "tea", "text": "three"}).Refused("slow_mode")
	ann.Add("tea", bob, "moderator")
	bob.Send("tea", "three")
	if got := bob.History("tea"); len(got) != 3 || got[0].ID != first.ID {
		t.Errorf("the history is %+v", got)
	}
}

// Of messages that are written in one transaction slow mode takes the first.
func TestSlowModeTakesOneOfABatch(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob := s.User("ann"), s.User("bob")
		room := harness.Into[client.Room](ann.Post("/v1/rooms", map[string]any{"name": "tea", "slow_mode": 600}).Want(201)).ID
		ann.Add("tea", bob, "")
		held, release := s.HoldOne(harness.Commit)
		statuses := make(chan int, 10)
		go func() { _, _ = s.Try(t.Context(), "POST", "/v1/tickets", ann.Bearer()) }()
		<-held // the others gather behind it
		for i := range cap(statuses) {
			go func() {
				a, err := s.Try(t.Context(), "POST", "/v1/send", bob.Bearer(), harness.Form("to", id(room), "text", fmt.Sprint(i)))
				if err != nil {
					statuses <- 0
					return
				}
				statuses <- a.Status
			}()
		}
		release()
		got := map[int]int{}
		for range cap(statuses) {
			got[<-statuses]++
		}
		if got[http.StatusCreated] != 1 || got[http.StatusTooManyRequests] != cap(statuses)-1 {
			t.Errorf("the answers are %v", got)
		}
	})
}

// A history since joining shows each member what came after they joined last, whatever they ask for; admins who are
// no members read all.
func TestHistorySinceJoin(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		room := harness.Into[client.Room](ann.Post("/v1/rooms",
			map[string]any{"name": "tea", "visibility": "private", "history": "since_join"}).Want(201))
		if room.History != "since_join" {
			t.Errorf("the room is %+v", room)
		}
		one, two := ann.Send("tea", "one"), ann.Send("tea", "two")
		stream := bob.Stream()
		ann.Add("tea", bob, "owner") // the bound is everybody's who is a member
		if d := harness.DataOf[client.RoomData](stream.Want("room.created")[0]); d.Room.History == nil || *d.Room.History != "since_join" {
			t.Errorf("the event has %+v", d.Room)
		}
		three := ann.Send("tea", "three")
		sees := func(u *harness.User, query string, before bool, want ...int64) {
			t.Helper()
			list := harness.Into[client.MessageList](u.Get("/v1/rooms/tea/messages" + query).Want(200))
			var ids []int64
			for _, m := range list.Messages {
				ids = append(ids, m.ID)
			}
			if fmt.Sprint(ids) != fmt.Sprint(want) || list.HasBefore != before {
				t.Errorf("%s sees %v, has_before %v of %q, want %v, %v", u.Name, ids, list.HasBefore, query, want, before)
			}
		}
		sees(bob, "", false, three.ID)
		sees(bob, "?limit=1", false, three.ID)
		sees(bob, "?before="+id(three.ID), false)
		sees(bob, "?after=0&limit=1", false, three.ID)
		sees(bob, "?after="+id(one.ID), false, three.ID)
		sees(bob, "?after="+id(one.ID)+"&before="+id(two.ID+1), false)
		sees(ann, "?before="+id(three.ID)+"&limit=1", true, two.ID)
		sees(ann, "", false, one.ID, two.ID, three.ID)
		sees(root, "", false, one.ID, two.ID, three.ID)

		// Who comes back begins anew.
		bob.Post("/v1/rooms/tea/leave", nil).Want(204)
		four := ann.Send("tea", "four")
		ann.Add("tea", bob, "")
		sees(bob, "", false)
		five := ann.Send("tea", "five")
		sees(bob, "?after=0", false, five.ID)
		// An admin who is a member is one like others.
		root.Post("/v1/rooms/tea/join", nil).Want(200)
		sees(root, "", false)
		// The owner opens it, and closes it again.
		bob.Patch("/v1/rooms/tea", map[string]any{"history": "all"}).Refused("forbidden")
		ann.Patch("/v1/rooms/tea", map[string]any{"history": "all"}).Want(200)
		sees(bob, "?after="+id(three.ID), true, four.ID, five.ID)
		ann.Patch("/v1/rooms/tea", map[string]any{"history": "since_join"}).Want(200)
		sees(bob, "", false, five.ID)
	})
}

// What everybody may read has no history since joining.
func TestHistoryAndVisibility(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	root, ann := s.User("root"), s.User("ann")
	for _, body := range []map[string]any{
		{"name": "tea", "history": "since_join"}, {"name": "tea", "history": "since_join", "visibility": "public"},
	} {
		ann.Post("/v1/rooms", body).Refused("validation_failed", "history")
	}
	ann.Room("tea", "public")
	ann.Patch("/v1/rooms/tea", map[string]any{"history": "since_join"}).Refused("validation_failed", "history")
	ann.Patch("/v1/rooms/tea", map[string]any{"history": "since_join", "visibility": "private", "topic": "quiet"}).Want(200)
	before := root.Head()
	ann.Patch("/v1/rooms/tea", map[string]any{"visibility": "public", "topic": "loud"}).Refused("conflict")
	ann.Patch("/v1/rooms/tea", map[string]any{"visibility": "public", "history": "since_join"}).Refused("validation_failed", "history")
	if after := root.Head(); after != before {
		t.Errorf("the log went from %d to %d", before, after)
	}
	if room := harness.Into[client.Room](ann.Get("/v1/rooms/tea").Want(200)); room.Topic != "quiet" || room.Visibility != "private" {
		t.Errorf("refused, and now it is %+v", room)
	}
	root.Patch("/v1/rooms/tea", map[string]any{"history": "all", "slow_mode": 5}).Want(200)
	ann.Patch("/v1/rooms/tea", map[string]any{"history": "since_join"}).Want(200)
	ann.Patch("/v1/rooms/tea", map[string]any{"visibility": "public", "history": "all"}).Want(200)
	wantAudit(t, audit(root, ""), "root room.update #tea [history:all slow_mode:5]")
}

// The last owner leaves by naming who comes after them, in one step.
func TestSuccessor(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		eve := s.User("eve")
		ann.Room("tea", "private")
		ann.Add("tea", bob, "")
		stream := bob.Stream()
		leave := "/v1/rooms/tea/leave"
		before := root.Head()
		ann.Post(leave, nil).Refused("conflict")
		ann.Post(leave, map[string]any{}).Refused("conflict")
		for _, nobody := range []any{"@nobody", "@eve", "@ann", "tea", 123456, eve.ID, "999999", "@"} {
			ann.Post(leave, map[string]any{"successor": nobody}).Refused("validation_failed", "successor")
		}
		for _, wrong := range []any{"", true, nil, -1} {
			ann.Post(leave, map[string]any{"successor": wrong}).Refused("validation_failed", "successor")
		}
		bob.Post(leave, map[string]any{"successor": "@ann"}).Refused("forbidden") // not his to give
		if after := root.Head(); after != before {
			t.Errorf("the log went from %d to %d", before, after)
		}
		ann.Post(leave, map[string]any{"successor": "@bob"}).Want(204)
		events := stream.Want("member.updated", "member.left")
		if d := harness.DataOf[client.MemberData](events[0]); d.User.ID != bob.ID || d.Role != "owner" {
			t.Errorf("the first event is %s", events[0].JSON)
		}
		if d := harness.DataOf[client.MemberData](events[1]); d.User.ID != ann.ID || d.Role != "owner" || d.Reason != nil {
			t.Errorf("the second event is %s", events[1].JSON)
		}
		sameAsNone(t, ann.Get("/v1/rooms/tea"), ann.Get("/v1/rooms/nowhere"))
		// By id, and as a form; who is an owner already stays one.
		bob.Add("tea", eve, "")
		bob.Add("tea", ann, "owner")
		bob.Post(leave, map[string]any{"successor": ann.ID}).Want(204)
		ann.Do("POST", leave, harness.Form("successor", id(eve.ID))).Want(204)
		eve.Post(leave, nil).Refused("conflict")
	})
}
