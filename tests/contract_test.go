package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// operation is a call that succeeds as it stands, and what it takes.
type operation struct {
	id     string
	method string
	status int           // of success
	path   string        // after prepare
	body   any           // nil: takes none
	public bool          // needs no session
	stream bool          // its success does not end
	as     *harness.User // who calls, ann where prepare names nobody
	// prepare makes what the call needs, once for each call, and may give another path and body.
	prepare func(o *operation, w *world)
}

// world is who and what the operations act on.
type world struct {
	*harness.Server
	t     *testing.T
	admin *harness.User
	ann   *harness.User // calls
	bob   *harness.User
	count int
}

func newWorld(t *testing.T, s *harness.Server) *world {
	return &world{Server: s, t: t, admin: s.User("root"), ann: s.User("ann"), bob: s.User("bob")}
}

// fresh is a name that nothing has.
func (w *world) fresh() string {
	w.count++
	return fmt.Sprintf("fresh%d", w.count)
}

// room makes the operation act in a new room of ann's with bob in it.
func room(o *operation, w *world) {
	name := w.fresh()
	w.ann.Room(name, "public")
	w.ann.Add(name, w.bob, "")
	o.path = strings.ReplaceAll(o.path, "{room}", name)
	o.path = strings.ReplaceAll(o.path, "{user}", w.bob.Ref())
}

// restricted is room with what the operation lifts.
func restricted(o *operation, w *world) {
	room(o, w)
	w.ann.Put(o.path, nil).Want(200)
}

// invited makes the operation act upon an invitation of ann's to a private room, which root takes up.
func invited(o *operation, w *world) {
	name := w.fresh()
	w.ann.Room(name, "private")
	inv := harness.Into[client.NewInvite](w.ann.Post("/v1/rooms/"+name+"/invites", nil).Want(201))
	o.path = strings.NewReplacer("{room}", name, "{invite}", id(inv.ID), "{code}", inv.Code).Replace(o.path)
	if strings.HasPrefix(o.path, "/v1/invites/") {
		o.as = w.admin
	}
}

// aMessage is one of ann's in a new room of hers.
func aMessage(o *operation, w *world) {
	name := w.fresh()
	w.ann.Room(name, "public")
	o.path = strings.NewReplacer("{message}", id(w.ann.Send(name, "hello").ID), "{room}", name).Replace(o.path)
}

func named(o *operation, w *world) {
	body := map[string]any{"name": w.fresh()}
	for k, v := range o.body.(map[string]any) {
		if k != "name" {
			body[k] = v
		}
	}
	o.body = body
}

// secondSession lets logout end a session that nobody needs.
func secondSession(o *operation, w *world) { o.as = w.Login(w.ann.Now().Name) }

// spareSession makes a session of the caller's that the call can end.
func spareSession(o *operation, w *world) {
	spare := w.Login(w.ann.Now().Name)
	o.path = "/v1/sessions/" + id(currentSession(spare).ID)
}

// byAdmin makes the admin call.
func byAdmin(o *operation, w *world) { o.as = w.admin }

// ruled makes the admin act upon an account that nobody needs.
func ruled(o *operation, w *world) {
	o.as = w.admin
	o.path = strings.ReplaceAll(o.path, "{user}", w.User(w.fresh()).Ref())
}

// strangeAddress is one that is not banned yet, and that nobody here comes from.
func strangeAddress(o *operation, w *world) {
	o.as = w.admin
	w.count++
	body := map[string]any{"address": fmt.Sprintf("2001:db8::%x", w.count)}
	for k, v := range o.body.(map[string]any) {
		if k != "address" {
			body[k] = v
		}
	}
	o.body = body
}

// aBan is one to lift.
func aBan(o *operation, w *world) {
	body := operation{body: map[string]any{}}
	strangeAddress(&body, w)
	ban := harness.Into[client.Ban](w.admin.Post("/v1/bans", body.body).Want(201))
	o.as, o.path = w.admin, strings.ReplaceAll(o.path, "{ban}", id(ban.ID))
}

// aDepartment is a new one, which the admin acts upon.
func aDepartment(o *operation, w *world) {
	name := w.fresh()
	w.admin.Post("/v1/support/queues", map[string]any{"name": name}).Want(201)
	o.as, o.path = w.admin, strings.ReplaceAll(o.path, "{queue}", name)
}

// message makes the operation act upon a new message of ann's in the lobby.
func message(o *operation, w *world) {
	o.path = strings.ReplaceAll(o.path, "{message}", id(w.ann.Send("lobby", w.fresh()).ID))
}

// aVisitor calls.
func aVisitor(o *operation, w *world) { o.as = w.Visitor(w.fresh()) }

// asked makes the admin act upon a visitor's conversation that is queued.
func asked(o *operation, w *world) {
	o.as = w.admin
	o.path = strings.ReplaceAll(o.path, "{conversation}", id(w.Visitor(w.fresh()).Open(nil).ID))
}

// seeking makes a visitor act upon their own conversation.
func seeking(o *operation, w *world) {
	o.as = w.Visitor(w.fresh())
	o.path = strings.ReplaceAll(o.path, "{conversation}", id(o.as.Open(nil).ID))
}

// served is an agent with a conversation, which they pass on to another department: no agent is left here who would take
// what other calls open.
func served(o *operation, w *world) {
	o.as = w.Agent(w.admin, w.fresh())
	o.path = strings.ReplaceAll(o.path, "{conversation}", id(w.Visitor(w.fresh()).Open(nil).ID))
	o.as.Post(strings.Replace(o.path, "/transfer", "/accept", 1), nil).Want(200)
	name := w.fresh()
	w.admin.Post("/v1/support/queues", map[string]any{"name": name}).Want(201)
	o.body = map[string]any{"queue": name}
}

// aCannedReply is one of the admin's.
func aCannedReply(o *operation, w *world) {
	made := w.admin.Post("/v1/support/replies", map[string]any{"title": w.fresh(), "text": "Hello!"}).Want(201)
	o.as = w.admin
	o.path = strings.ReplaceAll(o.path, "{reply}", id(harness.Into[client.SupportReply](made).ID))
}

// leaver is an account that nobody needs.
func leaver(o *operation, w *world) { o.as = w.User(w.fresh()) }

// operations are all that the spec has; a test holds that none is missing.
var operations = []operation{
	{id: "register", method: "POST", path: "/v1/register", status: 201, public: true, prepare: named,
		body: map[string]any{"name": "", "password": harness.Password}},
	{id: "guest", method: "POST", path: "/v1/guest", status: 201, public: true, prepare: named,
		body: map[string]any{"name": ""}},
	{id: "login", method: "POST", path: "/v1/login", status: 200, public: true,
		body: map[string]any{"name": "bob", "password": harness.Password}},
	{id: "logout", method: "POST", path: "/v1/logout", status: 204, prepare: secondSession},
	{id: "getMe", method: "GET", path: "/v1/me", status: 200},
	{id: "updateMe", method: "PATCH", path: "/v1/me", status: 200, prepare: func(o *operation, w *world) {
		o.body = map[string]any{"display_name": w.fresh(), "status_text": w.fresh()}
	}, body: map[string]any{"display_name": "Ann", "status_text": "here"}},
	{id: "changePassword", method: "PUT", path: "/v1/me/password", status: 204,
		body: map[string]any{"current": harness.Password, "new": harness.Password}},
	{id: "listSessions", method: "GET", path: "/v1/sessions", status: 200},
	{id: "endSession", method: "DELETE", path: "/v1/sessions/1", status: 204, prepare: spareSession},
	{id: "listBlocks", method: "GET", path: "/v1/blocks", status: 200},
	{id: "putBlock", method: "PUT", path: "/v1/blocks/@bob", status: 204},
	{id: "deleteBlock", method: "DELETE", path: "/v1/blocks/@bob", status: 204},
	{id: "deleteMe", method: "POST", path: "/v1/me/delete", status: 204, prepare: leaver,
		body: map[string]any{"password": harness.Password, "erase": true}},
	{id: "exportMe", method: "GET", path: "/v1/me/export", status: 200},
	{id: "rename", method: "POST", path: "/v1/rename", status: 200, prepare: named,
		body: map[string]any{"name": ""}},
	{id: "createTicket", method: "POST", path: "/v1/tickets", status: 201},
	{id: "listUsers", method: "GET", path: "/v1/users", status: 200},
	{id: "getUser", method: "GET", path: "/v1/users/@bob", status: 200},
	{id: "who", method: "GET", path: "/v1/who", status: 200},
	{id: "setUserRole", method: "PUT", path: "/v1/users/{user}/role", status: 200, prepare: ruled,
		body: map[string]any{"role": "agent"}},
	{id: "kickUser", method: "POST", path: "/v1/users/{user}/kick", status: 204, prepare: ruled,
		body: map[string]any{"reason": "be kind"}},
	{id: "banUser", method: "PUT", path: "/v1/users/{user}/ban", status: 200, prepare: ruled,
		body: map[string]any{"until": "2999-12-31T00:00:00.000Z", "reason": "spam", "addresses": true}},
	{id: "unbanUser", method: "DELETE", path: "/v1/users/{user}/ban", status: 204, prepare: ruled},
	{id: "listBans", method: "GET", path: "/v1/bans", status: 200, prepare: byAdmin},
	{id: "banAddress", method: "POST", path: "/v1/bans", status: 201, prepare: strangeAddress,
		body: map[string]any{"address": "", "until": "2999-12-31T00:00:00.000Z", "reason": "flood"}},
	{id: "liftBan", method: "DELETE", path: "/v1/bans/{ban}", status: 204, prepare: aBan},
	{id: "listAudit", method: "GET", path: "/v1/audit", status: 200, prepare: byAdmin},
	{id: "listRooms", method: "GET", path: "/v1/rooms", status: 200},
	{id: "createRoom", method: "POST", path: "/v1/rooms", status: 201, prepare: named,
		body: map[string]any{"name": "", "topic": "tea", "visibility": "private"}},
	{id: "getRoom", method: "GET", path: "/v1/rooms/lobby", status: 200},
	{id: "updateRoom", method: "PATCH", path: "/v1/rooms/{room}", status: 200, prepare: room,
		body: map[string]any{"topic": "coffee", "slow_mode": 0, "archived": false}},
	{id: "deleteRoom", method: "DELETE", path: "/v1/rooms/{room}", status: 204, prepare: room},
	{id: "joinRoom", method: "POST", path: "/v1/rooms/lobby/join", status: 200},
	{id: "leaveRoom", method: "POST", path: "/v1/rooms/{room}/leave", status: 204, prepare: func(o *operation, w *world) {
		name := w.fresh()
		w.bob.Room(name, "public")
		w.ann.Post("/v1/rooms/"+name+"/join", nil).Want(200)
		o.path = "/v1/rooms/" + name + "/leave"
	}, body: map[string]any{}},
	{id: "startTyping", method: "POST", path: "/v1/rooms/lobby/typing", status: 204},
	{id: "markRead", method: "PUT", path: "/v1/rooms/lobby/read", status: 204, prepare: func(o *operation, w *world) {
		o.body = map[string]any{"message_id": w.bob.Send("lobby", "news").ID}
	}, body: map[string]any{"message_id": 1}},
	{id: "listMembers", method: "GET", path: "/v1/rooms/lobby/members", status: 200},
	{id: "putMember", method: "PUT", path: "/v1/rooms/{room}/members/{user}", status: 200, prepare: room,
		body: map[string]any{"role": "moderator"}},
	{id: "removeMember", method: "DELETE", path: "/v1/rooms/{room}/members/{user}", status: 204, prepare: room},
	{id: "listMutes", method: "GET", path: "/v1/rooms/{room}/mutes", status: 200, prepare: room},
	{id: "muteMember", method: "PUT", path: "/v1/rooms/{room}/mutes/{user}", status: 200, prepare: room,
		body: map[string]any{"until": "2999-12-31T00:00:00.000Z", "reason": "noise"}},
	{id: "unmuteMember", method: "DELETE", path: "/v1/rooms/{room}/mutes/{user}", status: 204, prepare: restricted},
	{id: "listRoomBans", method: "GET", path: "/v1/rooms/{room}/bans", status: 200, prepare: room},
	{id: "banMember", method: "PUT", path: "/v1/rooms/{room}/bans/{user}", status: 200, prepare: room,
		body: map[string]any{"until": "2999-12-31T00:00:00.000Z", "reason": "noise"}},
	{id: "unbanMember", method: "DELETE", path: "/v1/rooms/{room}/bans/{user}", status: 204, prepare: restricted},
	{id: "listInvites", method: "GET", path: "/v1/rooms/{room}/invites", status: 200, prepare: invited},
	{id: "createInvite", method: "POST", path: "/v1/rooms/{room}/invites", status: 201, prepare: invited,
		body: map[string]any{"max_uses": 5, "expires_in": 3600}},
	{id: "revokeInvite", method: "DELETE", path: "/v1/rooms/{room}/invites/{invite}", status: 204, prepare: invited},
	{id: "getInvite", method: "GET", path: "/v1/invites/{code}", status: 200, prepare: invited},
	{id: "acceptInvite", method: "POST", path: "/v1/invites/{code}/accept", status: 200, prepare: invited},
	{id: "createVisitor", method: "POST", path: "/v1/support/visitors", status: 201, public: true,
		body: map[string]any{"name": "Li", "email": "li@example.org", "page": "https://shop.example/", "language": "zh"}},
	{id: "listConversations", method: "GET", path: "/v1/support/conversations", status: 200},
	{id: "openConversation", method: "POST", path: "/v1/support/conversations", status: 201, prepare: aVisitor,
		body: map[string]any{"subject": "parcel", "text": "where?", "queue": "general", "wait": true}},
	{id: "getConversation", method: "GET", path: "/v1/support/conversations/{conversation}", status: 200, prepare: asked},
	{id: "acceptConversation", method: "POST", path: "/v1/support/conversations/{conversation}/accept", status: 200, prepare: func(o *operation, w *world) {
		asked(o, w)
		o.as = w.Agent(w.admin, w.fresh())
	}},
	{id: "transferConversation", method: "POST", path: "/v1/support/conversations/{conversation}/transfer", status: 200, prepare: served,
		body: map[string]any{"agent": "@nobody"}},
	{id: "closeConversation", method: "POST", path: "/v1/support/conversations/{conversation}/close", status: 200, prepare: asked},
	{id: "reopenConversation", method: "POST", path: "/v1/support/conversations/{conversation}/reopen", status: 200, prepare: seeking},
	{id: "setAvailability", method: "PUT", path: "/v1/support/availability", status: 200, prepare: byAdmin,
		body: map[string]any{"available": false, "capacity": 2, "release": true}},
	{id: "listSupportAgents", method: "GET", path: "/v1/support/agents", status: 200, prepare: byAdmin},
	{id: "announce", method: "POST", path: "/v1/announcements", status: 201, prepare: byAdmin, body: map[string]any{"text": "hear, hear"}},
	{id: "send", method: "POST", path: "/v1/send", status: 201, body: map[string]any{"text": "hello"}},
	{id: "listReplies", method: "GET", path: "/v1/messages/{message}/replies", status: 200, prepare: message},
	{id: "listMessages", method: "GET", path: "/v1/rooms/lobby/messages", status: 200},
	{id: "getMessage", method: "GET", path: "/v1/messages/{message}", status: 200, prepare: message},
	{id: "updateMessage", method: "PATCH", path: "/v1/messages/{message}", status: 200, prepare: message,
		body: map[string]any{"text": "better so"}},
	{id: "deleteMessage", method: "DELETE", path: "/v1/messages/{message}", status: 204, prepare: message},
	{id: "listEdits", method: "GET", path: "/v1/messages/{message}/edits", status: 200, prepare: message},
	{id: "putReaction", method: "PUT", path: "/v1/messages/{message}/reactions/%F0%9F%91%8D", status: 204, prepare: aMessage},
	{id: "deleteReaction", method: "DELETE", path: "/v1/messages/{message}/reactions/%F0%9F%91%8D", status: 204, prepare: aMessage},
	{id: "listReactions", method: "GET", path: "/v1/messages/{message}/reactions", status: 200, prepare: aMessage},
	{id: "pinMessage", method: "PUT", path: "/v1/messages/{message}/pin", status: 204, prepare: aMessage},
	{id: "unpinMessage", method: "DELETE", path: "/v1/messages/{message}/pin", status: 204, prepare: aMessage},
	{id: "listPins", method: "GET", path: "/v1/rooms/{room}/pins", status: 200, prepare: aMessage},
	{id: "listNotes", method: "GET", path: "/v1/support/conversations/{conversation}/notes", status: 200, prepare: asked},
	{id: "createNote", method: "POST", path: "/v1/support/conversations/{conversation}/notes", status: 201, prepare: asked,
		body: map[string]any{"text": "wants a refund"}},
	{id: "rateConversation", method: "PUT", path: "/v1/support/conversations/{conversation}/rating", status: 200, prepare: seeking,
		body: map[string]any{"score": 4, "comment": "kind"}},
	{id: "getTranscript", method: "GET", path: "/v1/support/conversations/{conversation}/transcript", status: 200, prepare: asked},
	{id: "listSupportReplies", method: "GET", path: "/v1/support/replies?q=a", status: 200, prepare: byAdmin},
	{id: "createSupportReply", method: "POST", path: "/v1/support/replies", status: 201, prepare: func(o *operation, w *world) {
		o.as, o.body = w.admin, map[string]any{"title": w.fresh(), "text": "Hello {{visitor.name|there}}!", "queue": "general"}
	}, body: map[string]any{"title": "", "text": ""}},
	{id: "updateSupportReply", method: "PATCH", path: "/v1/support/replies/{reply}", status: 200, prepare: aCannedReply,
		body: map[string]any{"text": "Good day!"}},
	{id: "deleteSupportReply", method: "DELETE", path: "/v1/support/replies/{reply}", status: 204, prepare: aCannedReply},
	{id: "getSupportStats", method: "GET", path: "/v1/support/stats", status: 200, prepare: byAdmin},
	{id: "listQueues", method: "GET", path: "/v1/support/queues", status: 200, prepare: byAdmin},
	{id: "createQueue", method: "POST", path: "/v1/support/queues", status: 201, prepare: func(o *operation, w *world) {
		named(o, w)
		byAdmin(o, w)
	}, body: map[string]any{"name": "", "assignment": "manual"}},
	{id: "updateQueue", method: "PATCH", path: "/v1/support/queues/{queue}", status: 200, prepare: aDepartment,
		body: map[string]any{"assignment": "manual"}},
	{id: "deleteQueue", method: "DELETE", path: "/v1/support/queues/{queue}", status: 204, prepare: aDepartment},
	{id: "setSupportAgent", method: "PUT", path: "/v1/support/agents/{user}", status: 200, prepare: func(o *operation, w *world) {
		o.as, o.path = w.admin, strings.ReplaceAll(o.path, "{user}", w.Agent(w.admin, w.fresh()).Ref())
	}, body: map[string]any{"available": true, "capacity": 3}},
	{id: "streamEvents", method: "GET", path: "/v1/events/stream", status: 200, stream: true},
	{id: "streamNDJSON", method: "GET", path: "/v1/events/ndjson", status: 200, stream: true},
	{id: "pollEvents", method: "GET", path: "/v1/events?after=0&wait=0", status: 200},
	{id: "healthz", method: "GET", path: "/healthz", status: 200, public: true},
	{id: "readyz", method: "GET", path: "/readyz", status: 200, public: true},
	{id: "metrics", method: "GET", path: "/metrics", status: 200, public: true},
	{id: "docs", method: "GET", path: "/docs", status: 200, public: true},
	{id: "docsFile", method: "GET", path: "/docs/page.js", status: 200, public: true},
	{id: "openapiYAML", method: "GET", path: "/openapi.yaml", status: 200, public: true},
	{id: "openapiJSON", method: "GET", path: "/openapi.json", status: 200, public: true},
}

// ready is the operation with what it needs made.
func (o operation) ready(w *world) operation {
	if o.prepare != nil {
		o.prepare(&o, w)
	}
	return o
}

// call makes the call, with a session where it needs one.
func (o operation) call(w *world, with ...harness.With) *harness.Answer {
	w.t.Helper()
	if o.body != nil {
		with = append([]harness.With{harness.JSON(o.body)}, with...)
	}
	if o.public {
		return w.Do(o.method, o.path, with...)
	}
	return o.caller(w).Do(o.method, o.path, with...)
}

func (o operation) caller(w *world) *harness.User {
	if o.as != nil {
		return o.as
	}
	return w.ann
}

func (o operation) changes() bool { return o.method != "GET" }

// lists says whether the spec lists the status for the operation.
func (o operation) lists(status int) bool {
	return slices.Contains(harness.TheSpec().Pairs(), harness.Pair{Operation: o.id, Status: status})
}

func TestEveryOperationIsInTheTable(t *testing.T) {
	t.Parallel()
	have := map[string]bool{}
	for _, o := range operations {
		have[o.id] = true
	}
	for _, p := range harness.TheSpec().Pairs() {
		if !have[p.Operation] {
			t.Errorf("%s is not in the table", p.Operation)
		}
	}
}

func TestOperationsSucceed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		w := newWorld(t, s)
		for _, o := range operations {
			if !o.stream {
				o.ready(w).call(w).Want(o.status)
			}
		}
		w.ann.Stream().Close()
		w.ann.NDJSON().Close()
	})
}

// Every flat body may come as a form too.
func TestFormsSucceed(t *testing.T) {
	callByCall(t)
	t.Parallel()
	w := newWorld(t, harness.Start(t))
	for _, o := range operations {
		if o.body == nil {
			continue
		}
		o = o.ready(w)
		var form []string
		for k, v := range o.body.(map[string]any) {
			form = append(form, k, fmt.Sprint(v))
		}
		o.call(w, harness.Form(form...)).Want(o.status)
	}
}

func TestOperationsNeedASession(t *testing.T) {
	callByCall(t)
	t.Parallel()
	w := newWorld(t, harness.Start(t))
	for _, o := range operations {
		if o.public {
			continue
		}
		var with []harness.With
		if o.body != nil {
			with = append(with, harness.JSON(o.body))
		}
		for _, token := range []string{"", "Bearer", "Bearer ", "Bearer nonsense", "Basic YTpi", w.ann.Token} {
			w.Do(o.method, o.path, append(with, harness.Header("Authorization", token))...).Refused("unauthorized")
		}
		w.Do(o.method, o.path, append(with, harness.Cookie("nonsense"))...).Refused("unauthorized")
		// A session is looked at before the body: strangers are told nothing of what it should be.
		w.Do(o.method, o.path, harness.Raw("application/json", "{")).Refused("unauthorized")
	}
}

// A page of another origin can send the cookie, but changes nothing with it.
func TestCookieFromAnotherOrigin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, harness.Start(t))
	foreign := map[string]harness.With{
		"Origin":         harness.Header("Origin", "https://evil.example"),
		"Sec-Fetch-Site": harness.Header("Sec-Fetch-Site", "cross-site"),
	}
	for name, from := range foreign {
		for _, o := range operations {
			if o.stream {
				continue
			}
			o = o.ready(w)
			cookie := harness.Cookie(o.caller(w).Token)
			switch before := w.admin.Head(); {
			case o.lists(403) && o.changes():
				o.call(w, cookie, from).Refused("forbidden")
				if after := w.admin.Head(); after != before {
					t.Errorf("%s with %s: the log went from %d to %d", o.id, name, before, after)
				}
				if o.public {
					continue // without a session there is no bearer to pass by
				}
				o.call(w, from).Want(o.status)
			default:
				o.call(w, cookie, from).Want(o.status)
			}
		}
	}
	for _, own := range []harness.With{
		harness.Header("Origin", w.URL()), harness.Header("Sec-Fetch-Site", "same-origin"), harness.Header("X-None", "1"),
	} {
		w.Do("POST", "/v1/send", harness.Cookie(w.ann.Token), own, harness.JSON(map[string]any{"text": "from here"})).Want(201)
	}
}

// What all bodies have in common, for each operation that takes one.
func TestBodiesThatAreNone(t *testing.T) {
	callByCall(t)
	t.Parallel()
	w := newWorld(t, harness.Start(t))
	huge := `{"text":"` + strings.Repeat("a", 2<<20) + `"}`
	for _, o := range operations {
		if o.body == nil {
			continue
		}
		o = o.ready(w)
		before := w.admin.Head()
		o.call(w, harness.Raw("application/json", "{")).Refused("invalid_request")
		o.call(w, harness.Raw("application/json", huge)).Refused("too_large")
		o.call(w, harness.Raw("text/plain", "{}")).Refused("unsupported_media_type")
		o.call(w, harness.Raw("application/json", `{"surprise":1}`)).Refused("validation_failed")
		o.call(w, harness.Form("surprise", "1")).Refused("validation_failed")
		if after := w.admin.Head(); after != before {
			t.Errorf("%s: the log went from %d to %d", o.id, before, after)
		}
		o.call(w).Want(o.status)
	}
}

// A database that cannot is 503, a fault of the program 500; nothing of the call is done, and the
// server lives on.
func TestFaults(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		w := newWorld(t, s)
		for _, o := range operations {
			o = o.ready(w)
			w.ann.Get("/v1/me").Want(200) // the session is known without the database
			before := w.admin.Head()
			unavailable := 503
			if !o.lists(503) {
				unavailable = o.status // it needs no database
			}
			s.Break()
			o.call(w).Want(unavailable)
			s.Mend()
			if o.lists(500) {
				s.Panic()
				o.call(w).Want(500)
				s.Mend()
			}
			if after := w.admin.Head(); after != before {
				t.Errorf("%s: the log went from %d to %d", o.id, before, after)
			}
			if !o.stream {
				o.call(w).Want(o.status)
			}
		}
	})
}
