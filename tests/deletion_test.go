package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// leave deletes the user's account.
func leave(u *harness.User, erase bool) *harness.Answer {
	return u.Post("/v1/me/delete", map[string]any{"password": harness.Password, "erase": erase})
}

// deletedName is what a deleted account is shown as.
func deletedName(u *harness.User) string { return fmt.Sprintf("deleted#%d", u.ID) }

type memberData struct {
	User   client.EventUser
	Role   string
	Reason string
}

func TestDeleteAccount(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob, carl := s.User("root"), s.User("ann"), s.User("bob"), s.User("carl")
		tea := ann.Room("tea", "public")
		ann.Add("tea", bob, "")
		ann.Add("tea", carl, "moderator")
		solo := ann.Room("solo", "private")
		said := ann.Send("tea", "still here")
		direct := ann.Send("@bob", "hi bob")
		bob.Put("/v1/blocks/@ann", nil).Want(204)
		lobby := harness.Into[client.Room](bob.Get("/v1/rooms/lobby").Want(200)).MemberCount
		second := s.Login("ann")
		mine, his := ann.Stream(), bob.Stream()

		for body, field := range map[string]string{`{}`: "password", `{"erase":true}`: "password", `{"password":""}`: "password"} {
			ann.Do("POST", "/v1/me/delete", harness.Raw("application/json", body)).Refused("validation_failed", field)
		}
		ann.Post("/v1/me/delete", nil).Refused("validation_failed", "password")
		ann.Post("/v1/me/delete", map[string]any{"password": "wrong horse"}).Refused("invalid_credentials")
		leave(ann, false).Want(204)

		if end := mine.End(); len(end) == 0 || end[len(end)-1].Type != "session.ended" ||
			harness.DataOf[struct{ Reason string }](end[len(end)-1]).Reason != "deleted" {
			t.Errorf("the own stream ends with %v", end)
		}
		for _, u := range []*harness.User{ann, second} {
			u.Get("/v1/me").Refused("unauthorized")
			leave(u, false).Refused("unauthorized")
		}
		news := his.Want("member.updated", "member.left", "user.deleted")
		if heir := harness.DataOf[memberData](news[0]); heir.User.ID != carl.ID || heir.Role != "owner" || news[0].RoomID != tea.ID {
			t.Errorf("the room goes by %s", news[0].JSON)
		}
		if left := harness.DataOf[memberData](news[1]); left.User.Name != "ann" || left.Reason != "deleted" {
			t.Errorf("ann leaves by %s", news[1].JSON)
		}
		if want := fmt.Sprintf(`"data":{"user_id":%d}}`, ann.ID); !strings.HasSuffix(news[2].JSON, want) {
			t.Errorf("ann is deleted by %s", news[2].JSON)
		}

		for _, path := range []string{"/v1/users/@ann", "/v1/users/" + ann.Ref(), "/v1/rooms/@ann"} {
			bob.Get(path).Refused("not_found")
		}
		bob.Put("/v1/rooms/tea/members/"+ann.Ref(), nil).Refused("not_found")
		bob.Put("/v1/blocks/"+ann.Ref(), nil).Refused("not_found")
		for _, list := range []string{"/v1/users", "/v1/rooms/lobby/members", "/v1/rooms/tea/members", "/v1/who", "/v1/blocks", "/v1/rooms/" + id(direct.RoomID) + "/members"} {
			if a := bob.Get(list).Want(200); strings.Contains(string(a.Body), "ann") || strings.Contains(string(a.Body), "deleted") {
				t.Errorf("%s still has ann: %s", list, a.Body)
			}
		}
		for room, want := range map[string]int{"lobby": lobby - 1, "tea": 2, id(direct.RoomID): 1} {
			if got := harness.Into[client.Room](bob.Get("/v1/rooms/" + room).Want(200)).MemberCount; got != want {
				t.Errorf("%s has %d members, want %d", room, got, want)
			}
		}
		if r := harness.Into[client.Room](root.Get("/v1/rooms/solo").Want(200)); r.ID != solo.ID || r.MemberCount != 0 {
			t.Errorf("the empty room is %+v", r)
		}
		for _, m := range slices.Concat(bob.History("tea"), bob.History(id(direct.RoomID))) {
			if m.Sender.ID != ann.ID || m.Sender.Name != deletedName(ann) || m.Text == "" || m.DeletedAt != nil {
				t.Errorf("what ann said is %+v", m)
			}
		}
		if h := bob.History("tea"); len(h) != 1 || h[0].ID != said.ID {
			t.Errorf("the room's history is %+v", h)
		}
		two := harness.Into[client.Room](bob.Get("/v1/rooms/" + id(direct.RoomID)).Want(200)).Members
		if len(two) != 2 || !slices.ContainsFunc(two, func(p client.Peer) bool { return p.ID == ann.ID && p.Name == deletedName(ann) }) {
			t.Errorf("the conversation is of %+v", two)
		}
		send(bob, map[string]any{"to": direct.RoomID, "text": "are you there"}).Refused("conflict")
		send(bob, map[string]any{"to": "@ann", "text": "are you there"}).Refused("not_found")
		send(bob, map[string]any{"to": "@" + deletedName(ann), "text": "x"}).Refused("not_found")

		s.Do("POST", "/v1/login", harness.JSON(map[string]any{"name": "ann", "password": harness.Password})).Refused("invalid_credentials")
		s.Do("POST", "/v1/register", harness.JSON(map[string]any{"name": deletedName(ann), "password": harness.Password})).Refused("validation_failed", "name")
		bob.Post("/v1/rename", map[string]any{"name": "ANN"}).Want(200) // the name is free
		bob.Post("/v1/rename", map[string]any{"name": "bob"}).Want(200)
		again := s.User("ann")
		if again.ID == ann.ID || again.Role != "member" {
			t.Errorf("the new ann is %+v", again)
		}
		if h := again.History("@bob"); len(h) != 0 {
			t.Errorf("the new ann has the old one's conversation: %+v", h)
		}
		if m := bob.Send("@ann", "hello new one"); m.RoomID == direct.RoomID {
			t.Error("bob writes into the old conversation")
		}
		s.Restart()
		bob.Get("/v1/users/" + ann.Ref()).Refused("not_found")
		if h := bob.History("tea"); h[0].Sender.Name != deletedName(ann) || h[0].Text != "still here" {
			t.Errorf("after a restart ann's message is %+v", h[0])
		}
	})
}

// A guest has nothing to prove, and a form will do.
func TestDeleteGuest(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, guest := s.User("root"), s.Guest("")
		said := guest.Send("lobby", "hello")
		guest.Post("/v1/me/delete", nil).Want(204)
		guest.Get("/v1/me").Refused("unauthorized")
		other := s.Guest("eve")
		other.Do("POST", "/v1/me/delete", harness.Form("erase", "perhaps")).Refused("validation_failed", "erase")
		other.Do("POST", "/v1/me/delete", harness.Form("erase", "true")).Want(204)
		if h := root.History("lobby"); len(h) != 1 || h[0].ID != said.ID || h[0].Sender.Name != deletedName(guest) {
			t.Errorf("the lobby is %+v", h)
		}
		if r := harness.Into[client.Room](root.Get("/v1/rooms/lobby").Want(200)); r.MemberCount != 1 {
			t.Errorf("the lobby has %d members", r.MemberCount)
		}
	})
}

// The only admin stays while there are others. When there is no account left, the next one is the admin.
func TestDeleteAdmin(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann := s.User("root"), s.User("ann")
		guest := s.Guest("")
		leave(root, false).Refused("conflict")
		root.Get("/v1/me").Want(200)
		leave(ann, true).Want(204)
		leave(root, false).Want(204) // the guest is nobody who could be locked out
		if u := s.User("root"); u.Role != "admin" || u.ID == root.ID {
			t.Errorf("the first account of an empty server is %+v", u)
		}
		guest.Get("/v1/me").Want(200)
	})
}

// Of two owners the one who is left stays alone; who has been in a room longest inherits it.
func TestDeleteOwner(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob, carl, dan := s.User("ann"), s.User("bob"), s.User("carl"), s.User("dan")
		for name, role := range map[string]string{"both": "owner", "one": "member"} {
			ann.Room(name, "private")
			ann.Add(name, carl, "")
			ann.Add(name, bob, role)
			ann.Add(name, dan, "")
		}
		leave(ann, false).Want(204)
		roles := func(room string) string {
			var all []string
			for _, m := range harness.Into[client.MemberList](bob.Get("/v1/rooms/" + room + "/members").Want(200)).Members {
				all = append(all, m.User.Name+" "+string(m.Role))
			}
			return strings.Join(all, ", ")
		}
		if got := roles("both"); got != "bob owner, carl member, dan member" {
			t.Errorf("both: %s", got)
		}
		if got := roles("one"); got != "bob member, carl owner, dan member" {
			t.Errorf("one: %s", got)
		}
	})
}
