package tests

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/tests/harness"
)

// roleRow is a call and what each standing is answered, for each sort of room. The letters are in the order of standings:
// visitor; outsider, guest, bot, agent; visiting, member, moderator, owner; admin; removed, banned, muted.
//
//	y  it is done       f  403 forbidden    n  404 not_found      .  there is nobody like that
//	m  403 muted        b  403 banned       c  409 conflict       i  422 validation_failed
type roleRow struct {
	call                           string
	about                          string // what the scene has besides pal: lead, boss, chief; theirs, mine
	done                           int    // the status of success
	lobby, public, private, direct string
	do                             func(c cell) *harness.Answer
}

// Letters of rows that are often the same.
const (
	nobodyInLobby  = "f ffff .... f ..f"
	nobodyInDirect = "f nnnn ff.. n ..."
	eitherInDirect = "f nnnn yy.. n ..."
	onlyAdmins     = "f ffff .... y ..f"
	allInLobby     = "f yyyy .... y ..y"
	readsPublic    = "f yyyy yyyy y yyy"
	readsPrivate   = "f nnnn yyyy y nny"
	ranksPublic    = "f ffff ffyy y fff" // moderators and above
	ranksPrivate   = "f nnnn ffyy y nnf"
	ownInLobby     = ". yyyy .... y ..y"
	ownPublic      = ". .... yyyy . yyy" // what was said there
	ownPrivate     = ". .... yyyy . nny"
	ownersPublic   = "f ffff fffy y fff"
	ownersPrivate  = "f nnnn fffy y nnf"
)

// roleTable is the role table of api.md once more, call by call.
var roleTable = []roleRow{
	{"get room", "", 200, allInLobby, readsPublic, readsPrivate, eitherInDirect, func(c cell) *harness.Answer { return c.u.Get(c.path) }},
	{"read", "", 200, allInLobby, readsPublic, readsPrivate, eitherInDirect, func(c cell) *harness.Answer { return c.u.Get(c.path + "/messages") }},
	{"list members", "", 200, allInLobby, readsPublic, readsPrivate, eitherInDirect, func(c cell) *harness.Answer { return c.u.Get(c.path + "/members") }},
	{"who", "", 200, allInLobby, readsPublic, readsPrivate, eitherInDirect, func(c cell) *harness.Answer { return c.u.Get("/v1/who?room=" + id(c.room)) }},
	{"send", "", 201, "f yyyy .... y ..m", "f ffff yyyy y fbm", "f nnnn yyyy y nnm", eitherInDirect,
		func(c cell) *harness.Answer { return c.u.Post("/v1/send", map[string]any{"to": c.room, "text": "hi"}) }},
	{"type", "", 204, "f yyyy .... y ..m", "f ffff yyyy y fbm", "f nnnn yyyy y nnm", eitherInDirect, func(c cell) *harness.Answer { return c.u.Post(c.path+"/typing", nil) }},
	{"mark read", "theirs", 204, allInLobby, "f ffff yyyy f ffy", "f nnnn yyyy f nny", eitherInDirect,
		func(c cell) *harness.Answer { return c.u.Put(c.path+"/read", map[string]any{"message_id": c.theirs}) }},
	{"join", "", 200, allInLobby, "f yyyy yyyy y yby", "f nnnn yyyy y nny", eitherInDirect, func(c cell) *harness.Answer { return c.u.Post(c.path+"/join", nil) }},
	{"leave", "", 204, nobodyInLobby, "f yyyy yyyc y yyy", "f nnnn yyyc y nny", nobodyInDirect, func(c cell) *harness.Answer { return c.u.Post(c.path+"/leave", nil) }},
	{"leave to a successor", "", 204, nobodyInLobby, "f yyyy fffy y yyf", "f nnnn fffy y nnf", nobodyInDirect,
		func(c cell) *harness.Answer { return c.u.Post(c.path+"/leave", map[string]any{"successor": "@pal"}) }},
	{"add", "", 200, allInLobby, "f ffff yyyy y ffy", "f nnnn ffyy y nnf", nobodyInDirect, func(c cell) *harness.Answer { return c.u.Put(c.path+"/members/@new", nil) }},
	{"add as moderator", "", 200, nobodyInLobby, "f ffff fffy y fff", ownersPrivate, nobodyInDirect,
		func(c cell) *harness.Answer { return c.u.Put(c.path+"/members/@new", inRole("moderator")) }},
	{"promote", "", 200, nobodyInLobby, "f ffff fffy y fff", ownersPrivate, nobodyInDirect,
		func(c cell) *harness.Answer { return c.u.Put(c.path+"/members/@pal", inRole("moderator")) }},
	{"remove a member", "", 204, nobodyInLobby, ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Delete(c.path + "/members/@pal") }},
	{"remove a moderator", "lead", 204, nobodyInLobby, ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Delete(c.path + "/members/@lead") }},
	{"remove an owner", "boss", 204, nobodyInLobby, ownersPublic, ownersPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Delete(c.path + "/members/@boss") }},
	{"remove an admin", "chief", 204, nobodyInLobby, "f ffff ffff y fff", "f nnnn ffff y nnf", nobodyInDirect,
		func(c cell) *harness.Answer { return c.u.Delete(c.path + "/members/@chief") }},
	{"remove oneself", "", 204, nobodyInLobby, "f nnnn yyyc n nny", "f nnnn yyyc n nny", nobodyInDirect,
		func(c cell) *harness.Answer { return c.u.Delete(c.path + "/members/" + c.u.Ref()) }},
	{"topic", "", 200, onlyAdmins, "f ffff ffyy y fbf", ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.change("topic", fmt.Sprint("topic ", c.n)) }},
	{"slow mode", "", 200, "f ffff .... . ..f", ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.change("slow_mode", 30) }},
	{"rename", "", 200, nobodyInLobby, ownersPublic, ownersPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.change("name", fmt.Sprint("renamed", c.n)) }},
	{"hide", "", 200, nobodyInLobby, ownersPublic, ownersPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.change("visibility", "private") }},
	{"history", "", 200, nobodyInLobby, "f ffff fffi i fff", ownersPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.change("history", "since_join") }},
	{"archive", "", 200, nobodyInLobby, ownersPublic, ownersPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.change("archived", true) }},
	{"delete the room", "", 204, nobodyInLobby, ownersPublic, ownersPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Delete(c.path) }},

	{"mute a stranger", "", 200, onlyAdmins, ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Put(c.path+"/mutes/@new", nil) }},
	{"mute a member", "", 200, "f ffff .... . ..f", ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Put(c.path+"/mutes/@pal", nil) }},
	{"mute a moderator", "lead", 200, "f ffff .... . ..f", ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Put(c.path+"/mutes/@lead", nil) }},
	{"mute an owner", "boss", 200, "f ffff .... . ..f", ownersPublic, ownersPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Put(c.path+"/mutes/@boss", nil) }},
	{"mute an admin", "chief", 200, "f ffff .... c ..f", "f ffff ffff c fff", "f nnnn ffff c nnf", nobodyInDirect,
		func(c cell) *harness.Answer { return c.u.Put(c.path+"/mutes/@chief", nil) }},
	{"unmute", "", 204, onlyAdmins, ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Delete(c.path + "/mutes/@new") }},
	{"list mutes", "", 200, onlyAdmins, ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Get(c.path + "/mutes") }},
	{"ban a member", "", 200, nobodyInLobby, ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Put(c.path+"/bans/@pal", nil) }},
	{"ban a moderator", "lead", 200, nobodyInLobby, ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Put(c.path+"/bans/@lead", nil) }},
	{"ban an owner", "boss", 200, nobodyInLobby, ownersPublic, ownersPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Put(c.path+"/bans/@boss", nil) }},
	{"ban an admin", "chief", 200, nobodyInLobby, "f ffff ffff c fff", "f nnnn ffff c nnf", nobodyInDirect,
		func(c cell) *harness.Answer { return c.u.Put(c.path+"/bans/@chief", nil) }},
	{"unban", "", 204, nobodyInLobby, ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Delete(c.path + "/bans/@new") }},
	{"list bans", "", 200, nobodyInLobby, ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Get(c.path + "/bans") }},
}

// messageRows are those about messages, by the operation that they are calls of.
var messageRows = map[string][]roleRow{
	"getMessage": {
		{"get a message", "theirs", 200, allInLobby, readsPublic, readsPrivate, eitherInDirect, func(c cell) *harness.Answer { return c.u.Get(c.message("")) }},
		{"read around", "theirs", 200, allInLobby, readsPublic, readsPrivate, eitherInDirect,
			func(c cell) *harness.Answer { return c.u.Get(c.path + "/messages?around=" + id(c.theirs)) }},
	},
	"updateMessage": {
		{"edit another's", "theirs", 200, "f ffff .... f ..f", "f ffff ffff f fff", "f nnnn ffff f nnf", nobodyInDirect,
			func(c cell) *harness.Answer { return c.u.Patch(c.message(""), map[string]any{"text": "edited"}) }},
		{"edit one's own", "mine", 200, ". yyyy .... y ..m", ". .... yyyy . ybm", ". .... yyyy . nnm", ". .... yy.. . ...",
			func(c cell) *harness.Answer { return c.u.Patch(c.own(""), map[string]any{"text": "edited"}) }},
	},
	"listEdits": {
		{"see another's earlier texts", "theirs", 200, onlyAdmins, ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Get(c.message("/edits")) }},
		{"see one's own earlier texts", "mine", 200, ownInLobby, ownPublic, ownPrivate, ". .... yy.. . ...", func(c cell) *harness.Answer { return c.u.Get(c.own("/edits")) }},
	},
	"deleteMessage": {
		{"delete another's", "theirs", 204, onlyAdmins, ranksPublic, ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Delete(c.message("")) }},
		{"delete one's own", "mine", 204, ownInLobby, ownPublic, ownPrivate, ". .... yy.. . ...", func(c cell) *harness.Answer { return c.u.Delete(c.own("")) }},
	},
	"putReaction": {
		{"react", "theirs", 204, "f yyyy .... y ..m", "f ffff yyyy y fbm", "f nnnn yyyy y nnm", eitherInDirect, func(c cell) *harness.Answer { return c.u.Put(c.message(thumb), nil) }},
	},
	"deleteReaction": {
		{"take a reaction back", "theirs", 204, allInLobby, readsPublic, readsPrivate, eitherInDirect, func(c cell) *harness.Answer { return c.u.Delete(c.message(thumb)) }},
	},
	"listReactions": {
		{"list reactions", "theirs", 200, allInLobby, readsPublic, readsPrivate, eitherInDirect, func(c cell) *harness.Answer { return c.u.Get(c.message("/reactions")) }},
	},
	"pinMessage": {
		{"pin", "theirs", 204, onlyAdmins, "f ffff ffyy y fbf", ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Put(c.message("/pin"), nil) }},
	},
	"unpinMessage": {
		{"unpin", "theirs", 204, onlyAdmins, "f ffff ffyy y fbf", ranksPrivate, nobodyInDirect, func(c cell) *harness.Answer { return c.u.Delete(c.message("/pin")) }},
	},
	"listPins": {
		{"list pins", "theirs", 200, allInLobby, readsPublic, readsPrivate, eitherInDirect, func(c cell) *harness.Answer { return c.u.Get(c.path + "/pins") }},
	},
	"listReplies": {
		{"read a thread", "theirs", 200, allInLobby, readsPublic, readsPrivate, eitherInDirect, func(c cell) *harness.Answer { return c.u.Get(c.message("/replies")) }},
		{"answer", "theirs", 201, "f yyyy .... y ..m", "f ffff yyyy y fbm", "f nnnn yyyy y nnm", eitherInDirect,
			func(c cell) *harness.Answer {
				return c.u.Post("/v1/send", map[string]any{"to": c.room, "text": "hi", "reply_to": c.theirs})
			}},
	},
}

const thumb = "/reactions/%F0%9F%91%8D"

// roleRows are all rows whose calls the spec has.
func roleRows() []roleRow {
	all := slices.Clone(roleTable)
	for _, o := range harness.TheSpec().Operations() {
		all = append(all, messageRows[o.ID]...)
	}
	return all
}

// inSpec says whether the spec has the operation.
func inSpec(operation string) bool {
	return slices.ContainsFunc(harness.TheSpec().Operations(), func(o harness.Operation) bool { return o.ID == operation })
}

func (c cell) change(field string, value any) *harness.Answer {
	return c.u.Patch(c.path, map[string]any{field: value})
}

// outcomes are what the letters mean.
var outcomes = map[byte]struct {
	status int
	code   string
}{
	'f': {403, "forbidden"}, 'm': {403, "muted"}, 'b': {403, "banned"}, 'n': {404, "not_found"},
	'c': {409, "conflict"}, 'i': {422, "validation_failed"},
}

// cursors are what changes in answers by what others do.
var cursors = regexp.MustCompile(`"cursor":\d+`)

func TestRoleTable(t *testing.T) {
	callByCall(t)
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		s := harness.Start(t)
		playRoles(t, newCast(s, roleRows()), func(standing string) bool { return standing != "visitor" && standing != "bot" })
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		_, c := castOnPostgres(t, roleRows())
		playRoles(t, c, func(standing string) bool { return standing == "visitor" || standing == "bot" })
	})
}

// playRoles tries each cell of the standings, in a room of its own.
func playRoles(t *testing.T, c cast, has func(standing string) bool) {
	t.Helper()
	admin := c.people["admin"]
	none := cell{room: admin.Room("missing", "private").ID}
	none.theirs = admin.Send(id(none.room), "x").ID
	none.mine, none.path = none.theirs, "/v1/rooms/"+id(none.room)
	admin.Delete(none.path).Want(204)
	n := 0
	for _, row := range roleRows() {
		for sort, letters := range map[string]string{"lobby": row.lobby, "public": row.public, "private": row.private, "direct": row.direct} {
			letters = strings.ReplaceAll(letters, " ", "")
			if len(letters) != len(standings) {
				t.Fatalf("%s, %s: %q has %d columns, there are %d standings", row.call, sort, letters, len(letters), len(standings))
			}
			for i, standing := range standings {
				n++
				if letters[i] == '.' || !has(standing) {
					continue
				}
				n, want := n, letters[i]
				t.Run(strings.Join([]string{row.call, sort, standing}, "/"), func(t *testing.T) {
					t.Parallel()
					c.play(t, c.scene(t, sort, standing, row, n), sort, row, want, none)
				})
			}
		}
	}
}

// play makes the call and holds the answer against the letter. What is refused changes nothing, and what is not there is
// answered like a room that never was.
func (c cast) play(t *testing.T, it cell, sort string, row roleRow, want byte, none cell) {
	t.Helper()
	if want == 'y' {
		row.do(it).Want(row.done)
		return
	}
	o := outcomes[want]
	before := c.state(t, sort, it)
	a := row.do(it).Want(o.status)
	if p := a.Problem(); p.Code != o.code {
		t.Errorf("the code is %s, want %s", p.Code, o.code)
	}
	if after := c.state(t, sort, it); after != before {
		t.Errorf("refused, and changed from\n%s to\n%s", before, after)
	}
	if want == 'n' && !strings.Contains(string(a.Body), "no such member") {
		none.u, none.n = it.u, it.n
		sameAsNone(t, a, row.do(none))
	}
}

// What is not about a room, by the role on the server: visitor, guest, bot, agent, member, admin.
var serverTable = []struct {
	operation, may string
	done           int
	do             func(u *harness.User) *harness.Answer
}{
	{"listRooms", "fyyyyy", 200, func(u *harness.User) *harness.Answer { return u.Get("/v1/rooms?scope=public") }},
	{"listUsers", "fyyyyy", 200, func(u *harness.User) *harness.Answer { return u.Get("/v1/users") }},
	{"getUser", "fyyyyy", 200, func(u *harness.User) *harness.Answer { return u.Get("/v1/users/@pal") }},
	{"who", "fyyyyy", 200, func(u *harness.User) *harness.Answer { return u.Get("/v1/who") }},
	{"createRoom", "ffyyyy", 201, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/rooms", map[string]any{"name": "by-" + u.Name})
	}},
	{"send", "fyyyyy", 201, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/send", map[string]any{"to": "@pal", "text": "hi"})
	}},
	{"announce", "fffffy", 201, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/announcements", map[string]any{"text": "hi"})
	}},
	{"setUserRole", "fffffy", 200, func(u *harness.User) *harness.Answer { return u.Put("/v1/users/@new/role", inRole("member")) }},
	{"kickUser", "fffffy", 204, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/users/@new/kick", map[string]any{"reason": "x"})
	}},
	{"banUser", "fffffy", 200, func(u *harness.User) *harness.Answer { return u.Put("/v1/users/@new/ban", nil) }},
	{"unbanUser", "fffffy", 204, func(u *harness.User) *harness.Answer { return u.Delete("/v1/users/@new/ban") }},
	{"listBans", "fffffy", 200, func(u *harness.User) *harness.Answer { return u.Get("/v1/bans") }},
	{"banAddress", "fffffy", 201, func(u *harness.User) *harness.Answer {
		return u.Post("/v1/bans", map[string]any{"address": "192.0.2.1"})
	}},
	{"listAudit", "fffffy", 200, func(u *harness.User) *harness.Answer { return u.Get("/v1/audit") }},
	{"getSupportStats", "fffyfy", 200, func(u *harness.User) *harness.Answer { return u.Get("/v1/support/stats") }},
	{"getMe", "yyyyyy", 200, func(u *harness.User) *harness.Answer { return u.Get("/v1/me") }},
	{"createTicket", "yyyyyy", 201, func(u *harness.User) *harness.Answer { return u.Post("/v1/tickets", nil) }},
}

func TestRoleTableOfTheServer(t *testing.T) {
	callByCall(t)
	t.Parallel()
	_, c := castOnPostgres(t, nil)
	for _, row := range serverTable {
		for i, standing := range []string{"visitor", "guest", "bot", "agent", "outsider", "admin"} {
			switch u := c.people[standing]; {
			case !inSpec(row.operation):
			case row.may[i] == 'y':
				row.do(u).Want(row.done)
			default:
				head := c.people["admin"].Head()
				row.do(u).Refused("forbidden")
				if after := c.people["admin"].Head(); after != head {
					t.Errorf("%s is refused to the %s, and the log went from %d to %d", row.operation, standing, head, after)
				}
			}
		}
	}
}
