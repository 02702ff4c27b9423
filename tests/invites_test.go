package tests

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// invite makes an invitation to the room; body may be nil.
func invite(u *harness.User, room string, body any) client.NewInvite {
	return harness.Into[client.NewInvite](u.Post("/v1/rooms/"+room+"/invites", body).Want(201))
}

// invites are the room's, all pages.
func invites(u *harness.User, room string, limit int) (all []client.Invite) {
	for page := ""; ; {
		list := harness.Into[client.InviteList](u.Get(fmt.Sprintf("/v1/rooms/%s/invites?limit=%d%s", room, limit, page)).Want(200))
		if all = append(all, list.Invites...); list.NextPage == nil {
			return all
		}
		page = "&page=" + *list.NextPage
	}
}

func accept(u *harness.User, code string) *harness.Answer {
	return u.Post("/v1/invites/"+code+"/accept", nil)
}

// lost demands that the code is as good as one that nobody gave out.
func lost(t *testing.T, u *harness.User, code string) {
	t.Helper()
	sameAsNone(t, u.Get("/v1/invites/"+code).Want(404), u.Get("/v1/invites/nonsense"))
	sameAsNone(t, accept(u, code).Want(404), accept(u, "nonsense"))
}

func TestInvite(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob := s.User("ann"), s.User("bob")
		guest := s.Guest("passer-by")
		nook := ann.Room("nook", "private").ID
		ann.Send("nook", "before")
		annStream, bobStream := ann.Stream(), bob.Stream()
		start := bob.Head()

		made := invite(ann, "nook", nil)
		if !regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`).MatchString(made.Code) || made.RoomID != nook || made.MaxUses != nil || made.Uses != 0 ||
			made.By.Name != "ann" || made.By.ID != ann.ID || made.ExpiresAt == nil || made.ExpiresAt.Sub(made.CreatedAt) != 7*24*time.Hour {
			t.Errorf("made: %+v", made)
		}
		if other := invite(ann, "nook", nil); other.Code == made.Code || other.ID == made.ID {
			t.Errorf("made again: %+v", other)
		}
		if head := bob.Head(); head != start {
			t.Errorf("the log went from %d to %d", start, head)
		}

		// What it is about can be seen, and no more of the room than that.
		a := bob.Get("/v1/invites/" + made.Code).Want(200)
		got := harness.Into[client.Invitation](a)
		if want := (client.InvitedRoom{ID: nook, Name: "nook", MemberCount: 1}); got.Room != want || got.By.Name != "ann" || !got.ExpiresAt.Equal(*made.ExpiresAt) {
			t.Errorf("invited to %s", a.Body)
		}
		bob.Get("/v1/rooms/nook").Refused("not_found")

		// Who accepts is told of the room first, then everybody of them.
		room := harness.Into[client.Room](accept(bob, made.Code).Want(200))
		if room.ID != nook || room.Role == nil || string(*room.Role) != "member" || room.MemberCount != 2 || string(room.Visibility) != "private" {
			t.Errorf("accepted: %+v", room)
		}
		accept(bob, made.Code).Want(200) // once is enough
		accept(ann, made.Code).Want(200) // and she is in it
		accept(guest, made.Code).Want(200)
		ann.Send("nook", "welcome")
		events := bobStream.Want("room.created", "member.joined", "member.joined", "message.created")
		if events[0].ID != start+1 || harness.DataOf[client.RoomData](events[0]).Room.ID != nook {
			t.Errorf("bob's first: %s", events[0].JSON)
		}
		if m := harness.DataOf[client.MemberData](events[1]); m.User.ID != bob.ID || string(m.Role) != "member" || events[1].ID != start+2 {
			t.Errorf("bob's second: %s", events[1].JSON)
		}
		annStream.Want("member.joined", "member.joined", "message.created")
		if again := bob.Events(start); len(again) != 4 || again[0].Type != "room.created" {
			t.Errorf("the replay has %v", again)
		}
		if len(bob.History("nook")) != 2 {
			t.Error("bob does not read the history")
		}

		// The list tells how often, not the code, and only of this room.
		ann.Room("den", "private")
		inDen := invite(ann, "den", map[string]any{"max_uses": 3, "expires_in": 0})
		text := ann.Get("/v1/rooms/nook/invites").Want(200).Text()
		if strings.Contains(text, made.Code) || strings.Contains(text, `"code"`) {
			t.Errorf("the list has the code: %s", text)
		}
		list := invites(ann, "nook", 1)
		if len(list) != 2 || list[1].ID != made.ID || list[1].Uses != 2 || list[0].Uses != 0 || list[0].ID < list[1].ID || list[1].By.Name != "ann" {
			t.Errorf("listed: %+v", list)
		}
		if den := invites(ann, "den", 50); len(den) != 1 || *den[0].MaxUses != 3 || den[0].ExpiresAt != nil || inDen.ExpiresAt != nil {
			t.Errorf("listed: %+v", den)
		}

		// Members do not invite, and an invitation is not revoked from elsewhere.
		for _, u := range []*harness.User{bob, guest} {
			u.Post("/v1/rooms/nook/invites", nil).Refused("forbidden")
			u.Get("/v1/rooms/nook/invites").Refused("forbidden")
			u.Delete("/v1/rooms/nook/invites/" + id(made.ID)).Refused("forbidden")
		}
		for _, ref := range []string{id(inDen.ID), "999999", "nonsense"} {
			ann.Delete("/v1/rooms/nook/invites/" + ref).Refused("not_found")
		}
		// Names go with the times, and a restart changes nothing.
		ann.Post("/v1/rename", map[string]any{"name": "anna"}).Want(200)
		s.Restart()
		eve := s.User("eve")
		if got := harness.Into[client.Invitation](eve.Get("/v1/invites/" + inDen.Code).Want(200)); got.By.Name != "anna" || got.ExpiresAt != nil {
			t.Errorf("invited by %+v", got)
		}
		accept(eve, inDen.Code).Want(200)
	})
}

// Whatever is wrong with a code, and whether or not there ever was such a one, reads the same.
func TestDeadInvites(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		ann.Room("nook", "private")
		check := unchanged(t, bob)
		for _, code := range []string{"nonsense", "0", "%00", "%ff", strings.Repeat("a", 43), strings.Repeat("a", 4000)} {
			lost(t, bob, code)
		}

		revoked := invite(ann, "nook", nil)
		ann.Delete("/v1/rooms/nook/invites/" + id(revoked.ID)).Want(204)
		ann.Delete("/v1/rooms/nook/invites/" + id(revoked.ID)).Refused("not_found")
		lost(t, bob, revoked.Code)

		short := invite(ann, "nook", map[string]any{"expires_in": 60})
		usual := invite(ann, "nook", nil)
		endless := invite(ann, "nook", map[string]any{"expires_in": 0})
		s.Advance(59 * time.Second)
		bob.Get("/v1/invites/" + short.Code).Want(200)
		s.Advance(2 * time.Second)
		lost(t, bob, short.Code)
		ann.Delete("/v1/rooms/nook/invites/" + id(short.ID)).Refused("not_found")
		s.Advance(7*24*time.Hour - 2*time.Minute)
		bob.Get("/v1/invites/" + usual.Code).Want(200)
		s.Advance(2 * time.Minute)
		lost(t, bob, usual.Code)
		s.Advance(20 * 24 * time.Hour)
		bob.Get("/v1/invites/" + endless.Code).Want(200)
		if list := invites(ann, "nook", 50); len(list) != 1 || list[0].ID != endless.ID {
			t.Errorf("listed: %+v", list)
		}
		check()

		// Anybody may come into a public channel; hidden again, it takes invitations again.
		ann.Patch("/v1/rooms/nook", map[string]any{"visibility": "public"}).Want(200)
		lost(t, bob, endless.Code)
		ann.Patch("/v1/rooms/nook", map[string]any{"visibility": "private"}).Want(200)
		bob.Get("/v1/invites/" + endless.Code).Want(200)

		twice := invite(ann, "nook", map[string]any{"max_uses": 2})
		for _, u := range []*harness.User{s.User("eve"), s.User("dan")} {
			accept(u, twice.Code).Want(200)
			u.Post("/v1/rooms/nook/leave", nil).Want(204)
		}
		lost(t, bob, twice.Code)

		// Who made it may be gone: it works until revoked.
		ann.Add("nook", root, "owner")
		ann.Delete("/v1/rooms/nook/members/@ann").Want(204)
		accept(s.User("fay"), endless.Code).Want(200)
		accept(ann, endless.Code).Want(200)
		root.Delete("/v1/rooms/nook").Want(204)
		lost(t, bob, endless.Code)
		lost(t, ann, endless.Code)
	}, harness.OwnClock())
}

func TestInviteRefusals(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	root, ann := s.User("root"), s.User("ann")
	ann.Room("nook", "private")
	ann.Room("tea", "public")
	for field, values := range map[string][]any{
		"max_uses":   {0, -1, 10001, 1.5, "many", nil, true},
		"expires_in": {-1, 31536001, 0.5, "1h", nil},
	} {
		for _, v := range values {
			ann.Post("/v1/rooms/nook/invites", map[string]any{field: v}).Refused("validation_failed", field)
		}
		ann.Do("POST", "/v1/rooms/nook/invites", harness.Form(field, "x")).Refused("validation_failed", field)
	}
	// A public channel needs none, and a conversation of two has no room for a third.
	ann.Send("@root", "hi")
	for _, room := range []string{"tea", "lobby", "@root"} {
		p := ann.Post("/v1/rooms/"+room+"/invites", nil).Refused("forbidden")
		if p.Detail != "nobody can make invitations here" {
			t.Errorf("%s: %+v", room, p)
		}
		ann.Get("/v1/rooms/" + room + "/invites").Refused("forbidden")
	}
	sameAsNone(t, s.User("eve").Post("/v1/rooms/nook/invites", nil), root.Post("/v1/rooms/nowhere/invites", nil))
	ann.Get("/v1/rooms/nook/invites?limit=0").Refused("validation_failed", "limit")
	ann.Get("/v1/rooms/nook/invites?page=nonsense").Refused("validation_failed", "page")
	if list := invites(ann, "nook", 50); len(list) != 0 {
		t.Errorf("made all the same: %+v", list)
	}

	// Fifty, of those that still let somebody in.
	once := invite(ann, "nook", map[string]any{"max_uses": 1})
	for range 49 {
		invite(ann, "nook", nil)
	}
	ann.Post("/v1/rooms/nook/invites", nil).Refused("conflict")
	list := invites(ann, "nook", 20)
	if len(list) != 50 {
		t.Errorf("%d of 50 are listed", len(list))
	}
	accept(root, once.Code).Want(200)
	invite(ann, "nook", nil)
	ann.Post("/v1/rooms/nook/invites", nil).Refused("conflict")
	ann.Delete("/v1/rooms/nook/invites/" + id(list[0].ID)).Want(204)
	invite(ann, "nook", nil)
	ann.Room("den", "private")
	invite(ann, "den", nil)
}

// Of many who come at once, as many get in as the invitation has uses.
func TestLastUseOfAnInvite(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		const people, uses = 12, 3
		all := make([]*harness.User, people)
		for i := range all {
			all[i] = s.Guest("")
		}
		for round := range 5 {
			name := fmt.Sprintf("nook%d", round)
			ann.Room(name, "private")
			before := ann.Head()
			inv := invite(ann, name, map[string]any{"max_uses": uses})
			var wait sync.WaitGroup
			statuses := make([]int, people)
			for i, u := range all {
				wait.Go(func() {
					a, err := s.Try(t.Context(), "POST", "/v1/invites/"+inv.Code+"/accept", u.Bearer())
					if err != nil {
						t.Error(err)
						return
					}
					statuses[i] = a.Status
				})
			}
			wait.Wait()
			in := map[int]int{}
			for _, status := range statuses {
				in[status]++
			}
			if in[200] != uses || in[404] != people-uses {
				t.Errorf("%d uses: answered %v", uses, in)
			}
			joined := 0
			for _, e := range ann.Events(before) {
				if e.Type == "member.joined" {
					joined++
				}
			}
			if room := harness.Into[client.Room](ann.Get("/v1/rooms/" + name).Want(200)); room.MemberCount != 1+uses || joined != uses {
				t.Errorf("%d uses: %d joined, the room has %d", uses, joined, room.MemberCount)
			}
		}
	})
}

// An admin who invites to a room of others is written down; a moderator is not.
func TestInvitesInTheAuditLog(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		ann.Room("nook", "private")
		ann.Add("nook", bob, "moderator")
		own := invite(bob, "nook", nil)
		inv := invite(root, "nook", nil)
		root.Delete("/v1/rooms/nook/invites/" + id(inv.ID)).Want(204)
		ann.Delete("/v1/rooms/nook/invites/" + id(own.ID)).Want(204)
		wantAudit(t, audit(root, ""),
			fmt.Sprintf("root invite.create #nook [invite_id:%d]", inv.ID), fmt.Sprintf("root invite.delete #nook [invite_id:%d]", inv.ID))
	})
}

// A link does not bring back who was banned from the room, and says so: who holds it knows of the room. Nor does an archived
// room take anybody in.
func TestInvitesOfTheBanned(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("nook", "private")
		inv := invite(ann, "nook", map[string]any{"max_uses": 2})
		accept(bob, inv.Code).Want(200)
		until := time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
		ann.Put("/v1/rooms/nook/bans/@bob", map[string]any{"until": until, "reason": "spam"}).Want(200)
		check := unchanged(t, bob)
		accept(bob, inv.Code).Refused("banned")
		bob.Get("/v1/invites/" + inv.Code).Refused("banned")
		// What is dead is dead for all, and tells nothing of a ban.
		gone := invite(ann, "nook", nil)
		ann.Delete("/v1/rooms/nook/invites/" + id(gone.ID)).Want(204)
		lost(t, bob, gone.Code)
		check()
		if list := invites(ann, "nook", 50); len(list) != 1 || list[0].Uses != 1 {
			t.Errorf("listed: %+v", list)
		}

		// An archived room takes nobody in, and makes no invitations.
		s.Advance(2 * time.Hour)
		ann.Patch("/v1/rooms/nook", map[string]any{"archived": true}).Want(200)
		ann.Post("/v1/rooms/nook/invites", nil).Refused("conflict")
		accept(bob, inv.Code).Refused("conflict")
		bob.Get("/v1/invites/" + inv.Code).Want(200)
		ann.Patch("/v1/rooms/nook", map[string]any{"archived": false}).Want(200)
		accept(bob, inv.Code).Want(200)
		lost(t, s.User("eve"), inv.Code)
	}, harness.OwnClock())
}
