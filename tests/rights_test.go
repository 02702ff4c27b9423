package tests

import (
	"fmt"
	"strings"
	"testing"

	"parley/tests/harness"
)

// The role table of api.md once more, call by call, as statuses. Columns are who calls:
//
//	outsider   an account that is not in the room
//	guest      a guest that is not in the room
//	visiting   a guest that is a member
//	member, moderator, owner
//	admin      the server's, not in the room
//
// In the lobby, outsider, guest and admin are members like all others; in a direct conversation, member
// and visiting are one of the two.
var standings = []string{"outsider", "guest", "visiting", "member", "moderator", "owner", "admin"}

// rightsTable has for each sort of room and call what each standing is answered.
var rightsTable = map[string]map[string][]int{
	"lobby": {
		//             outsider guest visiting member moderator owner admin; `-`: there is no such standing
		"get room":         {200, 200, 0, 0, 0, 0, 200},
		"read":             {200, 200, 0, 0, 0, 0, 200},
		"list members":     {200, 200, 0, 0, 0, 0, 200},
		"who":              {200, 200, 0, 0, 0, 0, 200},
		"send":             {201, 201, 0, 0, 0, 0, 201},
		"join":             {200, 200, 0, 0, 0, 0, 200},
		"leave":            {403, 403, 0, 0, 0, 0, 403},
		"add":              {200, 200, 0, 0, 0, 0, 200}, // everyone is in it already
		"add as moderator": {403, 403, 0, 0, 0, 0, 403},
		"promote":          {403, 403, 0, 0, 0, 0, 403},
		"remove a member":  {403, 403, 0, 0, 0, 0, 403},
		"remove oneself":   {403, 403, 0, 0, 0, 0, 403},
		"topic":            {403, 403, 0, 0, 0, 0, 200},
		"rename":           {403, 403, 0, 0, 0, 0, 403},
		"hide":             {403, 403, 0, 0, 0, 0, 403},
		"delete":           {403, 403, 0, 0, 0, 0, 403},
	},
	"public": {
		"get room":           {200, 200, 200, 200, 200, 200, 200},
		"read":               {200, 200, 200, 200, 200, 200, 200},
		"list members":       {200, 200, 200, 200, 200, 200, 200},
		"who":                {200, 200, 200, 200, 200, 200, 200},
		"send":               {403, 403, 201, 201, 201, 201, 201},
		"join":               {200, 200, 200, 200, 200, 200, 200},
		"leave":              {204, 204, 204, 204, 204, 409, 204},
		"add":                {403, 403, 200, 200, 200, 200, 200},
		"add as moderator":   {403, 403, 403, 403, 403, 200, 200},
		"promote":            {403, 403, 403, 403, 403, 200, 200},
		"remove a member":    {403, 403, 403, 403, 204, 204, 204},
		"remove a moderator": {403, 403, 403, 403, 204, 204, 204},
		"remove an owner":    {403, 403, 403, 403, 403, 204, 204},
		"remove oneself":     {404, 404, 204, 204, 204, 409, 404},
		"topic":              {403, 403, 403, 403, 200, 200, 200},
		"rename":             {403, 403, 403, 403, 403, 200, 200},
		"hide":               {403, 403, 403, 403, 403, 200, 200},
		"delete":             {403, 403, 403, 403, 403, 204, 204},
	},
	"private": {
		"get room":           {404, 404, 200, 200, 200, 200, 200},
		"read":               {404, 404, 200, 200, 200, 200, 200},
		"list members":       {404, 404, 200, 200, 200, 200, 200},
		"who":                {404, 404, 200, 200, 200, 200, 200},
		"send":               {404, 404, 201, 201, 201, 201, 201},
		"join":               {404, 404, 200, 200, 200, 200, 200},
		"leave":              {404, 404, 204, 204, 204, 409, 204},
		"add":                {404, 404, 403, 403, 200, 200, 200},
		"add as moderator":   {404, 404, 403, 403, 403, 200, 200},
		"promote":            {404, 404, 403, 403, 403, 200, 200},
		"remove a member":    {404, 404, 403, 403, 204, 204, 204},
		"remove a moderator": {404, 404, 403, 403, 204, 204, 204},
		"remove an owner":    {404, 404, 403, 403, 403, 204, 204},
		"remove oneself":     {404, 404, 204, 204, 204, 409, 404},
		"topic":              {404, 404, 403, 403, 200, 200, 200},
		"rename":             {404, 404, 403, 403, 403, 200, 200},
		"hide":               {404, 404, 403, 403, 403, 200, 200},
		"delete":             {404, 404, 403, 403, 403, 204, 204},
	},
	"direct": {
		"get room":         {404, 404, 200, 200, 0, 0, 404},
		"read":             {404, 404, 200, 200, 0, 0, 404},
		"list members":     {404, 404, 200, 200, 0, 0, 404},
		"who":              {404, 404, 200, 200, 0, 0, 404},
		"send":             {404, 404, 201, 201, 0, 0, 404},
		"join":             {404, 404, 200, 200, 0, 0, 404},
		"leave":            {404, 404, 403, 403, 0, 0, 404},
		"add":              {404, 404, 403, 403, 0, 0, 404},
		"add as moderator": {404, 404, 403, 403, 0, 0, 404},
		"promote":          {404, 404, 403, 403, 0, 0, 404},
		"remove a member":  {404, 404, 403, 403, 0, 0, 404},
		"remove oneself":   {404, 404, 403, 403, 0, 0, 404},
		"topic":            {404, 404, 403, 403, 0, 0, 404},
		"rename":           {404, 404, 403, 403, 0, 0, 404},
		"hide":             {404, 404, 403, 403, 0, 0, 404},
		"delete":           {404, 404, 403, 403, 0, 0, 404},
	},
}

// cast are the people of the table. Pal is nobody's standing: always in the room, as a plain
// member; lead and boss are a moderator and an owner besides, new is in no room.
type cast struct {
	people               map[string]*harness.User
	pal, lead, boss, new *harness.User
}

func newCast(s *harness.Server) cast {
	c := cast{people: map[string]*harness.User{"admin": s.User("admin")}}
	for _, name := range []string{"outsider", "member", "moderator", "owner"} {
		c.people[name] = s.User(name)
	}
	for _, name := range []string{"guest", "visiting"} {
		c.people[name] = s.Guest(name)
	}
	c.pal, c.lead, c.boss, c.new = s.User("pal"), s.User("lead"), s.User("boss"), s.User("new")
	return c
}

// scene makes a room of the sort and gives its id. Who calls is who the conversation is with, or
// the member, so that each cell has a room of its own.
func (c cast) scene(t *testing.T, sort, standing, call string, n int) int64 {
	t.Helper()
	switch sort {
	case "lobby":
		return 1
	case "direct":
		from := c.people["member"]
		if standing == "visiting" {
			from = c.people["visiting"]
		}
		return from.For(t).Send("@pal", "hi").RoomID
	}
	owner := c.people["owner"].For(t)
	room := owner.Room(fmt.Sprintf("cell%d", n), sort)
	ref := id(room.ID)
	roles := map[*harness.User]string{c.pal: "", c.lead: "moderator"}
	switch standing {
	case "visiting", "member", "moderator":
		roles[c.people[standing]] = standing
		if standing == "visiting" {
			roles[c.people[standing]] = "member"
		}
	}
	if call == "remove an owner" {
		roles[c.boss] = "owner"
	}
	for u, role := range roles {
		owner.Add(ref, u, role)
	}
	return room.ID
}

// perform makes the call in the room.
func (c cast) perform(u *harness.User, call string, room int64, n int) *harness.Answer {
	path := "/v1/rooms/" + id(room)
	switch call {
	case "get room":
		return u.Get(path)
	case "read":
		return u.Get(path + "/messages")
	case "list members":
		return u.Get(path + "/members")
	case "who":
		return u.Get("/v1/who", harness.Query("room", id(room)))
	case "send":
		return u.Post("/v1/send", map[string]any{"to": room, "text": "hi"})
	case "join":
		return u.Post(path+"/join", nil)
	case "leave":
		return u.Post(path+"/leave", nil)
	case "add":
		return u.Put(path+"/members/@new", nil)
	case "add as moderator":
		return u.Put(path+"/members/@new", map[string]any{"role": "moderator"})
	case "promote":
		return u.Put(path+"/members/@pal", map[string]any{"role": "moderator"})
	case "remove a member":
		return u.Delete(path + "/members/@pal")
	case "remove a moderator":
		return u.Delete(path + "/members/@lead")
	case "remove an owner":
		return u.Delete(path + "/members/@boss")
	case "remove oneself":
		return u.Delete(path + "/members/" + u.Ref())
	case "topic":
		return u.Patch(path, map[string]any{"topic": fmt.Sprint("topic ", n)})
	case "rename":
		return u.Patch(path, map[string]any{"name": fmt.Sprint("renamed", n)})
	case "hide":
		return u.Patch(path, map[string]any{"visibility": "private"})
	case "delete":
		return u.Delete(path)
	}
	panic("no such call: " + call)
}

func TestRights(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	c := newCast(s)
	missing := c.people["admin"].Room("missing", "private")
	c.people["admin"].Delete("/v1/rooms/missing").Want(204)
	n := 0
	for sort, calls := range rightsTable {
		for call, wants := range calls {
			for i, want := range wants {
				if want == 0 {
					continue
				}
				n++
				n, standing := n, standings[i]
				t.Run(strings.Join([]string{sort, call, standing}, "/"), func(t *testing.T) {
					t.Parallel()
					u := c.people[standing].For(t)
					room := c.scene(t, sort, standing, call, n)
					before := c.state(t, sort, room)
					a := c.perform(u, call, room, n).Want(want)
					if want < 400 {
						return
					}
					if sort != "lobby" { // others act in the lobby meanwhile
						if after := c.state(t, sort, room); after != before {
							t.Errorf("refused, and changed from\n%s to\n%s", before, after)
						}
					}
					if want == 404 && call != "remove oneself" {
						sameAsNone(t, a, c.perform(u, call, missing.ID, n))
					}
				})
			}
		}
	}
}

// state is what can be seen of the room from inside.
func (c cast) state(t *testing.T, sort string, room int64) string {
	t.Helper()
	u := c.pal.For(t)
	if sort == "lobby" {
		return ""
	}
	path := "/v1/rooms/" + id(room)
	members := u.Get(path + "/members").Want(200).Text()
	if sort == "direct" { // two cells of one conversation run at once
		return u.Get(path).Want(200).Text() + members
	}
	return u.Get(path).Want(200).Text() + members + fmt.Sprint(len(u.History(id(room))))
}

// sameAsNone demands that what may not be known of reads like what is not there.
func sameAsNone(t *testing.T, hidden, none *harness.Answer) {
	t.Helper()
	a, b := hidden.Problem(), none.Want(404).Problem()
	if a.Title != b.Title || a.Detail != b.Detail || a.Code != b.Code || a.Type != b.Type || len(a.Errors)+len(b.Errors) > 0 {
		t.Errorf("hidden: %s\nnot there: %s", hidden.Body, none.Body)
	}
}

// Channels are made by everyone with an account.
func TestWhoMakesChannels(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	s.User("admin").Room("one", "public")
	s.User("member").Room("two", "private")
	guest := s.Guest("guest")
	guest.Post("/v1/rooms", map[string]any{"name": "three"}).Refused("forbidden")
	guest.Get("/v1/rooms/three").Refused("not_found")
}

// A name that only a private channel has is taken for all: names are unique. But nothing else tells
// of it.
func TestPrivateNames(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	s.User("admin")
	ann, bob := s.User("ann"), s.User("bob")
	secret := ann.Room("secret", "private")
	bob.Post("/v1/rooms", map[string]any{"name": "Secret"}).Refused("name_taken")
	for _, ref := range []string{"secret", "SECRET", id(secret.ID)} {
		sameAsNone(t, bob.Get("/v1/rooms/"+ref), bob.Get("/v1/rooms/nowhere"))
		sameAsNone(t, bob.Post("/v1/send", map[string]any{"to": ref, "text": "hi"}),
			bob.Post("/v1/send", map[string]any{"to": "nowhere", "text": "hi"}))
	}
	// After it was hidden, a channel is unknown to those who are not in it.
	ann.Room("open", "public")
	bob.Get("/v1/rooms/open").Want(200)
	ann.Patch("/v1/rooms/open", map[string]any{"visibility": "private"}).Want(200)
	bob.Get("/v1/rooms/open").Refused("not_found")
	// And who was removed knows no more than others.
	ann.Add("open", bob, "")
	bob.Get("/v1/rooms/open").Want(200)
	ann.Delete("/v1/rooms/open/members/@bob").Want(204)
	sameAsNone(t, bob.Get("/v1/rooms/open/messages"), bob.Get("/v1/rooms/nowhere/messages"))
}
