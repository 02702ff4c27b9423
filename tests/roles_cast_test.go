package tests

import (
	"fmt"
	"strings"
	"testing"

	"parley/internal/pgtest"
	"parley/tests/harness"
)

// standings are who calls, in the order of the table's columns. Outsider to agent are in no room but the lobby, guest and
// visiting are guests; removed and banned were members, muted is one; the admin is the server's, and no member. What is
// called by somebody in the lobby is called as a member of it.
var standings = []string{
	"visitor", "outsider", "guest", "bot", "agent", "visiting", "member", "moderator", "owner", "admin", "removed", "banned", "muted",
}

// atHome are the roles of those who are members when they call, or were.
var atHome = map[string]string{
	"visiting": "member", "member": "member", "moderator": "moderator", "removed": "member", "banned": "member", "muted": "member",
}

// cast are the people of the table. Pal is nobody's standing: always in the room, as a plain member; lead and boss are a
// moderator and an owner besides, chief is an admin who is a member, new is in no room.
type cast struct {
	people                      map[string]*harness.User
	pal, lead, boss, chief, new *harness.User
	muted                       chan int64 // messages of the muted one in the lobby, from before the mute
}

func newCast(s *harness.Server, table []roleRow) cast {
	c := cast{people: map[string]*harness.User{"admin": s.User("admin")}, muted: make(chan int64, len(table))}
	for _, name := range standings {
		switch name {
		case "admin":
		case "guest", "visiting":
			c.people[name] = s.Guest(name)
		default:
			c.people[name] = s.User(name)
		}
	}
	c.pal, c.lead, c.boss, c.chief, c.new = s.User("pal"), s.User("lead"), s.User("boss"), s.User("chief"), s.User("new")
	admin := c.people["admin"]
	admin.Put("/v1/users/@chief/role", inRole("admin")).Want(200)
	admin.Put("/v1/users/@agent/role", inRole("agent")).Want(200)
	for range table {
		c.muted <- c.people["muted"].Send("lobby", "before the mute").ID
	}
	admin.Put("/v1/rooms/lobby/mutes/@muted", nil).Want(200)
	return c
}

// castOnPostgres has a visitor and a bot too. No call makes them yet: their accounts are made what they are in the
// database, while the server is down.
func castOnPostgres(t *testing.T, table []roleRow, with ...harness.Option) (*harness.Server, cast) {
	t.Helper()
	dsn := pgtest.DSN(t)
	s := harness.Start(t, append(with, harness.Flags("--database", dsn))...)
	c := newCast(s, table)
	s.Stop()
	pgtest.Load(t, dsn, "UPDATE users SET role = name WHERE name IN ('visitor', 'bot'); "+
		"UPDATE rooms SET member_count = member_count - 1 WHERE id = 1")
	s.Restart()
	return s, c
}

// cell is one call of somebody in a room of its own.
type cell struct {
	u            *harness.User
	room         int64
	path         string // of the room
	theirs, mine int64  // messages of pal's and of the caller's, where the call is about one
	n            int
}

// message is the path of pal's message, own that of the caller's.
func (c cell) message(more string) string { return "/v1/messages/" + id(c.theirs) + more }
func (c cell) own(more string) string     { return "/v1/messages/" + id(c.mine) + more }

// scene makes what the cell is about.
func (c cast) scene(t *testing.T, sort, standing string, row roleRow, n int) cell {
	t.Helper()
	u, pal := c.people[standing].For(t), c.pal.For(t)
	it := cell{u: u, n: n, room: lobby}
	said := func(ref string) {
		if strings.Contains(row.about, "theirs") {
			it.theirs = pal.Send(ref, "theirs").ID
		}
		if strings.Contains(row.about, "mine") && atHome[standing] != "" {
			it.mine = u.Send(ref, "mine").ID
		}
	}
	switch sort {
	case "lobby":
		if strings.Contains(row.about, "theirs") {
			it.theirs = pal.Send("lobby", "theirs").ID
		}
		if strings.Contains(row.about, "mine") {
			it.mine = c.ownInLobby(u, standing)
		}
	case "direct":
		// Who calls is who the conversation is with, or the member.
		from := c.people["member"].For(t)
		if standing == "visiting" {
			from = u
		}
		it.room = from.Send("@pal", "hi").RoomID
		if from.ID == u.ID {
			said(id(it.room))
		} else if strings.Contains(row.about, "theirs") {
			it.theirs = pal.Send(id(it.room), "theirs").ID
		}
	default:
		owner := c.people["owner"].For(t)
		it.room = owner.Room(fmt.Sprintf("cell%d", n), sort).ID
		ref := id(it.room)
		owner.Add(ref, c.pal, "")
		for who, role := range map[*harness.User]string{c.lead: "moderator", c.boss: "owner", c.chief: "member", u: atHome[standing]} {
			if role != "" && (who == u || strings.Contains(row.about, who.Name)) {
				owner.Add(ref, who, role)
			}
		}
		said(ref)
		if strings.Contains(row.about, "mine") && standing == "owner" {
			it.mine = owner.Send(ref, "mine").ID
		}
		fall(owner, ref, u, standing)
	}
	it.path = "/v1/rooms/" + id(it.room)
	return it
}

func (c cast) ownInLobby(u *harness.User, standing string) int64 {
	switch standing {
	case "visitor":
		return 0
	case "muted":
		return <-c.muted
	}
	return u.Send("lobby", "mine").ID
}

// fall is what happened to those who were members like others.
func fall(owner *harness.User, room string, u *harness.User, standing string) {
	path := "/v1/rooms/" + room
	switch standing {
	case "removed":
		owner.Delete(path + "/members/" + u.Ref()).Want(204)
	case "banned":
		owner.Put(path+"/bans/"+u.Ref(), nil).Want(200)
	case "muted":
		owner.Put(path+"/mutes/"+u.Ref(), nil).Want(200)
	}
}

// state is what can be seen of the room from inside.
func (c cast) state(t *testing.T, sort string, it cell) string {
	t.Helper()
	if sort == "lobby" { // others act there meanwhile
		return ""
	}
	u := c.pal.For(t)
	all := u.Get(it.path + "/members").Want(200).Text()
	if sort != "direct" { // two cells of one conversation run at once
		all += u.Get(it.path).Want(200).Text() + u.Get(it.path+"/messages").Want(200).Text()
	}
	return cursors.ReplaceAllString(lastSeen.ReplaceAllString(all, ""), "")
}
