package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// audit gives the entries as lines, oldest first.
func audit(u *harness.User, query string) []string {
	var lines []string
	for page := ""; ; {
		list := harness.Into[client.AuditList](u.Get("/v1/audit?limit=2" + query + page).Want(200))
		for _, e := range list.Entries {
			lines = append(lines, auditLine(e))
		}
		if list.NextPage == nil {
			slices.Reverse(lines)
			return lines
		}
		page = "&page=" + *list.NextPage
	}
}

func auditLine(e client.AuditEntry) string {
	line := e.Actor.Name + " " + string(e.Action)
	if e.User != nil {
		line += " @" + e.User.Name
	}
	if e.Room != nil {
		line += " #" + e.Room.Name
	}
	if e.TargetAddress != nil {
		line += " " + *e.TargetAddress
	}
	if e.Detail != nil {
		line += " " + strings.TrimPrefix(fmt.Sprint(e.Detail), "map")
	}
	return line
}

func wantAudit(t *testing.T, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("the audit log is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAuditOfAccounts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann := s.User("root"), s.User("ann")
		bob := s.User("bob")
		root.Put("/v1/users/@ann/role", inRole("admin")).Want(200)
		root.Put("/v1/users/@ann/role", inRole("admin")).Want(200) // changes nothing
		root.Put("/v1/users/@root/ban", nil).Refused("conflict")   // nor does this
		ann.Delete("/v1/users/@bob/ban").Want(204)                 // nor this
		ann.Post("/v1/users/@bob/kick", map[string]any{"reason": "be kind"}).Want(204)
		ann.Put("/v1/users/@bob/ban", map[string]any{"reason": "spam", "until": "2999-01-01T00:00:00Z"}).Want(200)
		root.Post("/v1/rename", map[string]any{"name": "chief"}).Want(200)
		root.Delete("/v1/users/@bob/ban").Want(204)
		ban := harness.Into[client.Ban](root.Post("/v1/bans", map[string]any{"address": "192.0.2.0/24"}).Want(201))
		root.Delete("/v1/bans/" + id(ban.ID)).Want(204)
		all := []string{
			"root user.role @ann [from:member to:admin]",
			"ann user.kick @bob [reason:be kind]",
			"ann user.ban @bob [reason:spam until:2999-01-01T00:00:00.000Z]",
			"chief user.unban @bob",
			"chief address.ban 192.0.2.0/24",
			"chief address.unban 192.0.2.0/24",
		}
		wantAudit(t, audit(root, ""), all...)
		s.Restart()
		wantAudit(t, audit(root, ""), all...)
		wantAudit(t, audit(root, "&actor=@ann"), all[1], all[2])
		wantAudit(t, audit(root, "&actor="+ann.Ref()+"&action=user.ban"), all[2])
		wantAudit(t, audit(root, "&action=user.role"), all[0])
		wantAudit(t, audit(root, "&actor="+bob.Ref()))
		wantAudit(t, audit(root, "&actor=999999"))
		root.Get("/v1/audit?actor=@nobody").Refused("not_found")
		root.Get("/v1/audit?actor=ann").Refused("not_found")
		root.Get("/v1/audit?action=user.sing").Refused("validation_failed", "action")
		root.Get("/v1/audit?page=nonsense").Refused("validation_failed", "page")
		for _, e := range harness.Into[client.AuditList](root.Get("/v1/audit").Want(200)).Entries {
			if e.Via != "http" || e.Address == nil || *e.Address != "127.0.0.1" || e.Actor.ID == nil || time.Since(e.At) > time.Hour {
				t.Errorf("an entry is %+v", e)
			}
		}
	})
}

// In rooms, only that is written down which took the admin's right.
func TestAuditOfRooms(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		ann.Room("tea", "private")
		ann.Room("open", "public")
		root.Room("own", "private")
		root.Add("own", bob, "moderator")
		root.Patch("/v1/rooms/own", map[string]any{"topic": "mine"}).Want(200)
		root.Get("/v1/rooms/own/messages").Want(200)
		root.Delete("/v1/rooms/own/members/@bob").Want(204)
		root.Delete("/v1/rooms/own").Want(204)
		root.Get("/v1/rooms/open/messages").Want(200)
		root.Get("/v1/rooms/lobby/messages").Want(200)
		root.Post("/v1/rooms/open/join", nil).Want(200)
		root.Put("/v1/rooms/open/members/@bob", nil).Want(200) // any member may
		ann.Get("/v1/rooms/tea/messages").Want(200)
		ann.Patch("/v1/rooms/tea", map[string]any{"topic": "ours"}).Want(200)
		wantAudit(t, audit(root, ""))

		root.Patch("/v1/rooms/lobby", map[string]any{"topic": "welcome"}).Want(200)
		root.Patch("/v1/rooms/tea", map[string]any{"topic": "ours"}).Want(200) // as it is
		root.Patch("/v1/rooms/tea", map[string]any{"topic": "green", "name": "green-tea"}).Want(200)
		root.Put("/v1/rooms/green-tea/members/@bob", nil).Want(200)
		root.Put("/v1/rooms/green-tea/members/@bob", inRole("moderator")).Want(200)
		root.Put("/v1/rooms/green-tea/members/@bob", nil).Want(200) // as he is
		root.Delete("/v1/rooms/green-tea/members/@bob").Want(204)
		root.Post("/v1/rooms/green-tea/join", nil).Want(200)
		root.Put("/v1/rooms/open/members/@bob", inRole("owner")).Want(200) // takes an owner
		root.Delete("/v1/rooms/open/members/@bob").Want(204)
		root.Delete("/v1/rooms/green-tea").Want(204)
		wantAudit(t, audit(root, ""),
			"root room.update #lobby [topic:welcome]",
			"root room.update #tea [name:green-tea topic:green]",
			"root member.add @bob #green-tea [role:member]",
			"root member.update @bob #green-tea [from:member to:moderator]",
			"root member.remove @bob #green-tea [role:moderator]",
			"root member.add @root #green-tea [role:member]",
			"root member.update @bob #open [from:member to:owner]",
			"root member.remove @bob #open [role:owner]",
			"root room.delete #green-tea",
		)
	})
}

// Reading a private channel as an admin is written down once an hour.
func TestAuditOfReading(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	root, ann := s.User("root"), s.User("ann")
	ann.Room("tea", "private")
	ann.Room("cake", "private")
	read := func(room string) { root.Get("/v1/rooms/" + room + "/messages").Want(200) }
	for range 3 {
		read("tea")
		read("cake")
	}
	want := []string{"root room.read #tea", "root room.read #cake"}
	wantAudit(t, audit(root, ""), want...)
	s.Advance(time.Hour + time.Minute)
	read("tea")
	wantAudit(t, audit(root, ""), append(want, want[0])...)
	// What cannot be written down is not read.
	s.Advance(time.Hour + time.Minute)
	s.Break(harness.Insert)
	root.Get("/v1/rooms/tea/messages").Refused("unavailable")
	s.Mend()
	read("tea")
	wantAudit(t, audit(root, ""), append(want, want[0], want[0])...)
}
