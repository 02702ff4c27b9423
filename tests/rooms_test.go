package tests

import (
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

func TestLobby(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	bob := s.User("bob")
	for _, ref := range []string{"lobby", "LOBBY", "1", "ｌobby", "%6Cobby"} {
		room := harness.Into[client.Room](bob.Get("/v1/rooms/" + ref).Want(200))
		if room.ID != 1 || *room.Name != "lobby" || room.Kind != "channel" || room.Visibility != "public" ||
			room.MemberCount != 2 || room.Role == nil || *room.Role != "member" {
			t.Errorf("%s is %+v", ref, room)
		}
	}
	// Everyone is in it from the start, for good, and it says nothing of who comes.
	stream := ann.Stream()
	s.Guest("eve")
	bob.Post("/v1/rooms/lobby/join", nil).Want(200)
	bob.Post("/v1/rooms/lobby/leave", nil).Refused("forbidden")
	for _, admin := range []*harness.User{ann, bob} {
		admin.Delete("/v1/rooms/lobby").Refused("forbidden")
		admin.Patch("/v1/rooms/lobby", map[string]any{"visibility": "private"}).Refused("forbidden")
		admin.Patch("/v1/rooms/lobby", map[string]any{"name": "hall"}).Refused("forbidden")
		admin.Put("/v1/rooms/lobby/members/@bob", map[string]any{"role": "owner"}).Refused("forbidden")
		admin.Delete("/v1/rooms/lobby/members/@eve").Refused("forbidden")
	}
	bob.Patch("/v1/rooms/lobby", map[string]any{"topic": "tea"}).Refused("forbidden")
	ann.Patch("/v1/rooms/lobby", map[string]any{"topic": "tea"}).Want(200)
	if e := stream.Want("room.updated")[0]; harness.DataOf[client.RoomData](e).Room.Topic != "tea" {
		t.Errorf("the event is %s", e.JSON)
	}
	var names []string
	for _, m := range harness.Into[client.MemberList](ann.Get("/v1/rooms/1/members").Want(200)).Members {
		names = append(names, m.User.Name+"/"+string(m.Role))
	}
	if got := strings.Join(names, " "); got != "ann/member bob/member eve/member" {
		t.Errorf("the lobby's members: %s", got)
	}
}

func TestRoomLife(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob, eve := s.User("ann"), s.User("bob"), s.Guest("eve")
		streams := []*harness.Stream{ann.Stream(), bob.Stream(), eve.Stream()}
		eve.Post("/v1/rooms", map[string]any{"name": "guests"}).Refused("forbidden")

		room := harness.Into[client.Room](bob.Post("/v1/rooms", map[string]any{"name": "Tea", "topic": "green"}).Want(201))
		if room.Kind != "channel" || *room.Name != "Tea" || room.Topic != "green" || room.Visibility != "public" ||
			room.MemberCount != 1 || room.Archived || *room.Role != "owner" || len(room.Members) > 0 {
			t.Errorf("the new channel is %+v", room)
		}
		for _, st := range streams { // to everyone, without what is the reader's own
			e := st.Want("room.created")[0]
			if e.ID != room.ID || e.RoomID != room.ID || strings.Contains(e.JSON, `"role":"owner"`) {
				t.Errorf("the event is %s", e.JSON)
			}
		}
		if e := streams[1].Want("member.joined")[0]; e.RoomID != room.ID {
			t.Errorf("the event is %s", e.JSON)
		}
		seen := harness.Into[client.Room](eve.Get("/v1/rooms/tea").Want(200))
		if seen.Role != nil || seen.MemberCount != 1 {
			t.Errorf("to who is not in it, it is %+v", seen)
		}

		joined := harness.Into[client.Room](eve.Post("/v1/rooms/TEA/join", nil).Want(200))
		if joined.Role == nil || *joined.Role != "member" || joined.MemberCount != 2 {
			t.Errorf("joined %+v", joined)
		}
		eve.Post("/v1/rooms/tea/join", nil).Want(200) // again: nothing new
		for _, st := range streams[1:] {
			if d := harness.DataOf[client.MemberData](st.Want("member.joined")[0]); d.User.Name != "eve" || d.Role != "member" {
				t.Errorf("the event has %+v", d)
			}
		}
		bob.Patch("/v1/rooms/tea", map[string]any{"name": "Coffee", "topic": "black"}).Want(200)
		bob.Patch("/v1/rooms/coffee", map[string]any{"name": "Coffee"}).Want(200) // nothing new
		bob.Patch("/v1/rooms/coffee", map[string]any{}).Want(200)
		for _, st := range streams[1:] {
			d := harness.DataOf[client.RoomData](st.Want("room.updated")[0])
			if *d.Room.Name != "Coffee" || d.Room.Topic != "black" {
				t.Errorf("the event has %+v", d)
			}
		}
		bob.Get("/v1/rooms/tea").Refused("not_found")
		ann.Room("Tea", "public") // the old name is free

		eve.Post("/v1/rooms/coffee/leave", nil).Want(204)
		eve.Post("/v1/rooms/coffee/leave", nil).Want(204) // again: nothing new
		for _, st := range streams[1:] {
			d := harness.DataOf[client.MemberData](st.Until("member.left")[0])
			_ = d
		}
		bob.Delete("/v1/rooms/coffee").Want(204)
		last := streams[1].Until("room.deleted")
		if d := harness.DataOf[client.RoomDeletedData](last[len(last)-1]); d.RoomID != room.ID {
			t.Errorf("the event has %+v", d)
		}
		for _, path := range []string{"", "/messages", "/members"} {
			bob.Get("/v1/rooms/" + id(room.ID) + path).Refused("not_found")
			ann.Get("/v1/rooms/coffee" + path).Refused("not_found")
		}
		bob.Post("/v1/send", map[string]any{"to": room.ID, "text": "anybody?"}).Refused("not_found")
		ann.Room("coffee", "private") // its name is free
	})
}

func TestListRooms(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		for _, name := range []string{"a", "b", "c", "d"} {
			ann.Room(name, "public")
		}
		ann.Room("secret", "private")
		hidden := ann.Room("hidden", "private")
		ann.Add("hidden", bob, "")
		bob.Post("/v1/rooms/c/join", nil).Want(200)
		direct := bob.Send("@ann", "hi").RoomID
		ann.Delete("/v1/rooms/d").Want(204)
		tests := []struct {
			user  *harness.User
			scope string
			want  string
		}{
			{ann, "joined", "lobby/member a/owner b/owner c/owner secret/owner hidden/owner @/member"},
			{bob, "joined", "lobby/member c/member hidden/member @/member"},
			{ann, "public", "lobby/member a/owner b/owner c/owner"},
			{bob, "public", "lobby/member a/- b/- c/member"},
		}
		for _, tt := range tests {
			for _, limit := range []string{"1", "3", "200"} {
				if got := roomPages(t, tt.user, tt.scope, limit); got != tt.want {
					t.Errorf("%s's %s rooms by %s: %s, want %s", tt.user.Name, tt.scope, limit, got, tt.want)
				}
			}
		}
		if got := roomPages(t, bob, "", "50"); got != tests[1].want {
			t.Errorf("without a scope: %s", got)
		}
		if direct == hidden.ID {
			t.Error("two rooms have one id")
		}
	})
}

func roomPages(t *testing.T, u *harness.User, scope, limit string) string {
	t.Helper()
	var rooms []string
	page := ""
	for {
		with := []harness.With{harness.Query("limit", limit)}
		if scope != "" {
			with = append(with, harness.Query("scope", scope))
		}
		if page != "" {
			with = append(with, harness.Query("page", page))
		}
		list := harness.Into[client.RoomList](u.Get("/v1/rooms", with...).Want(200))
		for _, r := range list.Rooms {
			name, role := "@", "-"
			if r.Name != nil {
				name = *r.Name
			}
			if r.Role != nil {
				role = string(*r.Role)
			}
			rooms = append(rooms, name+"/"+role)
		}
		if list.NextPage == nil {
			return strings.Join(rooms, " ")
		}
		page = *list.NextPage
	}
}

// The first message makes the conversation; both are told of it.
func TestDirect(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("root")
		ann, bob := s.User("ann"), s.Guest("bob")
		to, from, other := bob.Stream(), ann.Stream(), admin.Stream()
		for _, path := range []string{"", "/members"} {
			ann.Get("/v1/rooms/@bob" + path).Refused("not_found")
		}
		ann.Post("/v1/rooms/@bob/join", nil).Refused("not_found")
		ann.Post("/v1/rooms/@bob/leave", nil).Refused("not_found")
		ann.Delete("/v1/rooms/@bob").Refused("not_found")
		empty := harness.Into[client.MessageList](ann.Get("/v1/rooms/@bob/messages").Want(200))
		if len(empty.Messages) > 0 || empty.HasBefore || empty.HasAfter || empty.Cursor != ann.Head() {
			t.Errorf("not begun: %+v", empty)
		}
		for _, nobody := range []string{"@ann", "@nobody", "@room", "@", "@@bob", "@a/b"} {
			ann.Post("/v1/send", map[string]any{"to": nobody, "text": "hi"}).Refused("not_found")
			ann.Get("/v1/rooms/" + strings.ReplaceAll(nobody, "/", "%2F") + "/messages").Refused("not_found")
		}

		first := ann.Send("@BOB", "hi")
		for _, st := range []*harness.Stream{from, to} {
			events := st.Want("room.created", "message.created")
			room := harness.DataOf[client.RoomData](events[0]).Room
			if room.ID != first.RoomID || room.Kind != "direct" || room.Visibility != "private" || room.Name != nil ||
				len(room.Members) != 2 || room.MemberCount != 2 || events[0].RoomID != room.ID {
				t.Errorf("the event is %s", events[0].JSON)
			}
			if events[1].ID != first.ID {
				t.Errorf("the message is %s", events[1].JSON)
			}
		}
		second := bob.Send("@ann", "hi yourself")
		third := bob.Send(id(first.RoomID), "one room")
		if second.RoomID != first.RoomID || third.RoomID != first.RoomID {
			t.Errorf("rooms %d, %d and %d", first.RoomID, second.RoomID, third.RoomID)
		}
		room := harness.Into[client.Room](bob.Get("/v1/rooms/@ann").Want(200))
		if room.ID != first.RoomID || len(room.Members) != 2 || *room.Role != "member" {
			t.Errorf("the room is %+v", room)
		}
		ann.Post("/v1/rename", map[string]any{"name": "anna"}).Want(200)
		if got := bob.History("@anna"); len(got) != 3 {
			t.Errorf("by the new name: %v", got)
		}
		bob.Get("/v1/rooms/@ann/messages").Refused("not_found")

		// Not even an admin knows of it.
		admin.Get("/v1/rooms/" + id(first.RoomID)).Refused("not_found")
		if events := other.Until("user.renamed"); len(events) != 1 {
			t.Errorf("the admin got %v", events)
		}
	})
}

// Both begin at once: there is one conversation.
func TestDirectFromBothSides(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		type sent struct {
			a   *harness.Answer
			err error
		}
		answers := make(chan sent)
		for i := range 10 {
			from, to := ann, "@bob"
			if i%2 == 0 {
				from, to = bob, "@ann"
			}
			go func() {
				a, err := s.Try(t.Context(), "POST", "/v1/send", from.Bearer(), harness.Form("to", to, "text", "hi"))
				answers <- sent{a, err}
			}()
		}
		rooms := map[int64]int{}
		for range 10 {
			r := <-answers
			if r.err != nil {
				t.Fatal(r.err)
			}
			rooms[harness.Into[client.Message](r.a.Want(201)).RoomID]++
		}
		if len(rooms) != 1 {
			t.Errorf("conversations: %v", rooms)
		}
	})
}
