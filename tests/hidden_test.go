package tests

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/tests/harness"
)

// What may not be known of is answered like what never was, whatever is asked. This walks all operations of the spec:
// one that is in neither of the two tables is one that nobody has thought about.

// spot is where a call points: a room, a message and a member there.
type spot struct {
	room    string // a RoomRef
	message int64
	user    string // a UserRef
	code    string // of an invitation
}

// pointing are the calls that can point at something private, by their operation.
var pointing = map[string]func(u *harness.User, at spot) []*harness.Answer{
	"getRoom":    func(u *harness.User, at spot) []*harness.Answer { return only(u.Get(at.path(""))) },
	"deleteRoom": func(u *harness.User, at spot) []*harness.Answer { return only(u.Delete(at.path(""))) },
	"updateRoom": func(u *harness.User, at spot) []*harness.Answer {
		return []*harness.Answer{
			u.Patch(at.path(""), map[string]any{"topic": "x"}), u.Patch(at.path(""), map[string]any{}),
			u.Patch(at.path(""), map[string]any{"history": "since_join", "visibility": "public"}),
		}
	},
	"joinRoom":    func(u *harness.User, at spot) []*harness.Answer { return only(u.Post(at.path("/join"), nil)) },
	"startTyping": func(u *harness.User, at spot) []*harness.Answer { return only(u.Post(at.path("/typing"), nil)) },
	"leaveRoom": func(u *harness.User, at spot) []*harness.Answer {
		return []*harness.Answer{u.Post(at.path("/leave"), nil), u.Post(at.path("/leave"), map[string]any{"successor": at.user})}
	},
	"listMembers": func(u *harness.User, at spot) []*harness.Answer {
		return []*harness.Answer{u.Get(at.path("/members")), u.Get(at.path("/members?limit=1"))}
	},
	"putMember": func(u *harness.User, at spot) []*harness.Answer {
		return []*harness.Answer{
			u.Put(at.path("/members/"+at.user), nil), u.Put(at.path("/members/"+at.user), inRole("owner")),
			u.Put(at.path("/members/"+u.Ref()), nil), u.Put(at.path("/members/@nobody"), nil),
		}
	},
	"removeMember": func(u *harness.User, at spot) []*harness.Answer {
		return []*harness.Answer{u.Delete(at.path("/members/" + at.user)), u.Delete(at.path("/members/" + u.Ref())), u.Delete(at.path("/members/@nobody"))}
	},
	"listMutes":  func(u *harness.User, at spot) []*harness.Answer { return only(u.Get(at.path("/mutes"))) },
	"muteMember": func(u *harness.User, at spot) []*harness.Answer { return againstEach(u, http.MethodPut, at, "/mutes/") },
	"unmuteMember": func(u *harness.User, at spot) []*harness.Answer {
		return againstEach(u, http.MethodDelete, at, "/mutes/")
	},
	"listRoomBans": func(u *harness.User, at spot) []*harness.Answer { return only(u.Get(at.path("/bans"))) },
	"banMember":    func(u *harness.User, at spot) []*harness.Answer { return againstEach(u, http.MethodPut, at, "/bans/") },
	"unbanMember": func(u *harness.User, at spot) []*harness.Answer {
		return againstEach(u, http.MethodDelete, at, "/bans/")
	},
	"markRead": func(u *harness.User, at spot) []*harness.Answer {
		return []*harness.Answer{
			u.Put(at.path("/read"), map[string]any{"message_id": at.message}), u.Put("/v1/rooms/lobby/read", map[string]any{"message_id": at.message}),
		}
	},
	"listMessages": func(u *harness.User, at spot) []*harness.Answer {
		return []*harness.Answer{
			u.Get(at.path("/messages")), u.Get(at.path("/messages?after=0&limit=1")), u.Get(at.path("/messages?around=" + id(at.message))),
		}
	},
	"send": func(u *harness.User, at spot) []*harness.Answer {
		return []*harness.Answer{
			u.Post("/v1/send", map[string]any{"to": at.room, "text": "x"}),
			u.Post("/v1/send", map[string]any{"to": at.room, "text": "x", "nonce": "n" + at.room}),
			u.Post("/v1/send", map[string]any{"to": at.room, "text": "x", "reply_to": at.message}),
			u.Post("/v1/send", map[string]any{"to": "lobby", "text": "x", "reply_to": at.message}),
		}
	},
	"who": func(u *harness.User, at spot) []*harness.Answer {
		return only(u.Get("/v1/who", harness.Query("room", at.room)))
	},
	"pollEvents": func(u *harness.User, at spot) []*harness.Answer {
		return only(u.Get("/v1/events?after=0&wait=0", harness.Query("rooms", at.room)))
	},
	"streamEvents": func(u *harness.User, at spot) []*harness.Answer { return nil }, // see TestHiddenFromStreams
	"streamNDJSON": func(u *harness.User, at spot) []*harness.Answer { return nil },
}

// pointingByMessage are those by a message, or by an invitation's code.
var pointingByMessage = map[string]func(u *harness.User, at spot) []*harness.Answer{
	"getMessage": func(u *harness.User, at spot) []*harness.Answer {
		return []*harness.Answer{u.Get(at.ofIt("")), u.Get(at.ofIt(""), harness.Header("If-None-Match", `"1"`))}
	},
	"updateMessage": func(u *harness.User, at spot) []*harness.Answer {
		body := harness.JSON(map[string]any{"text": "edited"})
		return []*harness.Answer{
			u.Do("PATCH", at.ofIt(""), body), u.Do("PATCH", at.ofIt(""), body, harness.Header("If-Match", `"1"`)),
			u.Do("PATCH", at.ofIt(""), body, harness.Header("If-Match", "*")),
		}
	},
	"listEdits":            func(u *harness.User, at spot) []*harness.Answer { return only(u.Get(at.ofIt("/edits"))) },
	"deleteMessage":        func(u *harness.User, at spot) []*harness.Answer { return only(u.Delete(at.ofIt(""))) },
	"putReaction":          func(u *harness.User, at spot) []*harness.Answer { return only(u.Put(at.ofIt(thumb), nil)) },
	"deleteReaction":       func(u *harness.User, at spot) []*harness.Answer { return only(u.Delete(at.ofIt(thumb))) },
	"listReactions":        func(u *harness.User, at spot) []*harness.Answer { return only(u.Get(at.ofIt("/reactions"))) },
	"pinMessage":           func(u *harness.User, at spot) []*harness.Answer { return only(u.Put(at.ofIt("/pin"), nil)) },
	"unpinMessage":         func(u *harness.User, at spot) []*harness.Answer { return only(u.Delete(at.ofIt("/pin"))) },
	"listPins":             func(u *harness.User, at spot) []*harness.Answer { return only(u.Get(at.path("/pins"))) },
	"listReplies":          func(u *harness.User, at spot) []*harness.Answer { return only(u.Get(at.ofIt("/replies"))) },
	"createInvite":         func(u *harness.User, at spot) []*harness.Answer { return only(u.Post(at.path("/invites"), nil)) },
	"listInvites":          func(u *harness.User, at spot) []*harness.Answer { return only(u.Get(at.path("/invites"))) },
	"revokeInvite":         func(u *harness.User, at spot) []*harness.Answer { return only(u.Delete(at.path("/invites/1"))) },
	"getInvite":            func(u *harness.User, at spot) []*harness.Answer { return only(u.Get("/v1/invites/" + at.code)) },
	"getConversation":      func(u *harness.User, at spot) []*harness.Answer { return only(u.Get(at.talk(""))) },
	"acceptConversation":   func(u *harness.User, at spot) []*harness.Answer { return only(u.Post(at.talk("/accept"), nil)) },
	"transferConversation": func(u *harness.User, at spot) []*harness.Answer { return only(u.Post(at.talk("/transfer"), nil)) },
	"closeConversation":    func(u *harness.User, at spot) []*harness.Answer { return only(u.Post(at.talk("/close"), nil)) },
	"reopenConversation":   func(u *harness.User, at spot) []*harness.Answer { return only(u.Post(at.talk("/reopen"), nil)) },
	"listNotes":            func(u *harness.User, at spot) []*harness.Answer { return only(u.Get(at.talk("/notes"))) },
	"createNote": func(u *harness.User, at spot) []*harness.Answer {
		return []*harness.Answer{
			u.Post(at.talk("/notes"), map[string]any{"text": "x"}), u.Post(at.talk("/notes"), map[string]any{"text": "x", "nonce": "n"}),
		}
	},
	"rateConversation": func(u *harness.User, at spot) []*harness.Answer {
		return only(u.Put(at.talk("/rating"), map[string]any{"score": 1}))
	},
	"getTranscript": func(u *harness.User, at spot) []*harness.Answer {
		return []*harness.Answer{u.Get(at.talk("/transcript")), u.Get(at.talk("/transcript?format=text"))}
	},
	"acceptInvite": func(u *harness.User, at spot) []*harness.Answer {
		return only(u.Post("/v1/invites/"+at.code+"/accept", nil))
	},
}

// callsAt gives the calls of an operation, nil where it points at nothing private.
func callsAt(operation string) func(u *harness.User, at spot) []*harness.Answer {
	if calls := pointing[operation]; calls != nil {
		return calls
	}
	return pointingByMessage[operation]
}

// pointless are the operations that name nothing private: what they say or take is the caller's own, everybody's or the
// admins'.
var pointless = []string{
	"register", "guest", "login", "logout", "getMe", "updateMe", "changePassword", "listSessions", "endSession", "listBlocks",
	"putBlock", "deleteBlock", "deleteMe", "exportMe", "rename", "createTicket", "listUsers", "getUser", "listRooms", "createRoom",
	"announce", "setUserRole", "kickUser", "banUser", "unbanUser", "listBans", "banAddress", "liftBan", "listAudit",
	"listSupportReplies", "createSupportReply", "updateSupportReply", "deleteSupportReply",
	"createVisitor", "openConversation", "listConversations", "setAvailability", "listSupportAgents", "getSupportStats",
	"listQueues", "createQueue", "updateQueue", "deleteQueue", "setSupportAgent",
	"healthz", "readyz", "metrics", "docs", "docsFile", "openapiYAML", "openapiJSON",
}

func only(a *harness.Answer) []*harness.Answer { return []*harness.Answer{a} }

func (at spot) path(more string) string   { return "/v1/rooms/" + at.room + more }
func (at spot) talk(more string) string   { return "/v1/support/conversations/" + at.room + more }
func (at spot) ofIt(more string) string   { return "/v1/messages/" + id(at.message) + more }
func (at spot) in(room string) spot       { at.room = room; return at }
func (at spot) withID(message int64) spot { at.message = message; return at }

// againstEach makes the call against a member there, oneself and nobody.
func againstEach(u *harness.User, method string, at spot, what string) []*harness.Answer {
	return []*harness.Answer{
		u.Do(method, at.path(what+at.user)), u.Do(method, at.path(what+u.Ref())), u.Do(method, at.path(what+"@nobody")),
	}
}

func TestEveryOperationIsThoughtAbout(t *testing.T) {
	t.Parallel()
	for _, o := range harness.TheSpec().Operations() {
		points := callsAt(o.ID) != nil
		if points == slices.Contains(pointless, o.ID) {
			t.Errorf("say of %s (%s %s) in one of the tables whether it can point at something private", o.ID, o.Method, o.Path)
		}
		if private := strings.Contains(o.Path, "{room}") || strings.Contains(o.Path, "{message}") || strings.Contains(o.Path, "{code}") || strings.Contains(o.Path, "{conversation}"); private && !points {
			t.Errorf("%s %s points at something private", o.Method, o.Path)
		}
	}
}

func TestHiddenReadsLikeNone(t *testing.T) {
	callByCall(t)
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root := s.User("root")
		ann, bob := s.User("ann"), s.User("bob")
		strangers := []*harness.User{s.User("stranger"), s.Guest("guest")}
		for _, how := range []string{"removed", "left", "banned"} {
			strangers = append(strangers, s.User(how))
		}
		late := s.User("late")
		never := ann.Head() + 1<<40 // an id that is not given out for long
		none := spot{room: id(never), message: never, user: "@bob", code: "never-given-out"}

		// A private channel, known to some who are no longer in it; and the conversation of two others.
		secret := spot{room: id(ann.Room("secret", "private").ID), user: "@bob", code: "never-given-out"}
		ann.Add("secret", bob, "moderator")
		for _, u := range strangers[2:] {
			ann.Add("secret", u, "")
		}
		secret.message = bob.Send("secret", "a secret").ID
		mine := map[*harness.User]int64{}
		for _, u := range strangers[2:] {
			mine[u] = u.Send("secret", "my own words").ID
		}
		ann.Delete("/v1/rooms/secret/members/@removed").Want(204)
		strangers[3].Post("/v1/rooms/secret/leave", nil).Want(204)
		ann.Put("/v1/rooms/secret/bans/@banned", nil).Want(200)
		said := ann.Send("@bob", "between us")
		direct := spot{room: id(said.RoomID), message: said.ID, user: "@bob", code: none.code}
		// One that was deleted, and whose number everybody may know.
		gone := spot{room: id(ann.Room("gone", "public").ID), user: "@bob", code: none.code}
		gone.message = ann.Send("gone", "while it was there").ID
		ann.Delete("/v1/rooms/gone").Want(204)

		visitor := s.Visitor("visitor")
		talk := visitor.Open(map[string]any{"text": "help me"})
		support := spot{room: id(talk.RoomID), message: visitor.History(id(talk.RoomID))[0].ID, user: "@bob", code: none.code}
		noted := note(root, talk.ID, "what agents say of it")
		notes := spot{room: id(noted.RoomID), message: noted.ID, user: "@root", code: none.code}
		sameAnswers(t, visitor, "notes", notes, none)

		for _, u := range strangers {
			for what, at := range map[string]spot{
				"a visitor's": support, "notes": notes,
				"private": secret, "private by name": secret.in("secret"), "direct": direct, "deleted": gone} {
				sameAnswers(t, u, what, at, none)
			}
			if own := mine[u]; own != 0 {
				sameAnswers(t, u, "own words", secret.withID(own), none)
			}
		}
		for _, u := range []*harness.User{ann, bob} {
			sameAnswers(t, u, "deleted", gone, none)
		}
		// Who reads since they joined knows of nothing before it.
		ann.Room("young", "private")
		ann.Patch("/v1/rooms/young", map[string]any{"history": "since_join"}).Want(200)
		before := ann.Send("young", "before").ID
		ann.Add("young", late, "moderator")
		sameAnswers(t, late, "before joining", spot{room: id(never), message: before, user: "@bob", code: none.code}, none)
		if a := ann.Get("/v1/rooms/secret"); a.Status != 200 {
			t.Fatal("the owner does not see the room: this test compares nothing")
		}
	})
}

// sameAnswers makes every call that can point at something private at both spots, and demands the same answers.
func sameAnswers(t *testing.T, u *harness.User, what string, hidden, none spot) {
	t.Helper()
	for _, o := range harness.TheSpec().Operations() {
		calls := callsAt(o.ID)
		if calls == nil {
			continue
		}
		a, b := calls(u, hidden), calls(u, none)
		for i := range a {
			if x, y := faceOf(a[i]), faceOf(b[i]); x != y {
				t.Errorf("%s, call %d by %s, %s:\n%s\nwhere nothing is:\n%s", o.ID, i, u.Name, what, x, y)
			}
		}
	}
}

// requestIDs are what no two answers share.
var requestIDs = regexp.MustCompile(`"request_id":"[^"]*"`)

// faceOf is all that an answer says, but for what is every answer's own.
func faceOf(a *harness.Answer) string {
	var headers []string
	for name, values := range a.Header {
		if name != "X-Request-Id" && name != "Date" {
			headers = append(headers, fmt.Sprint(name, values))
		}
	}
	slices.Sort(headers)
	body := cursors.ReplaceAllString(requestIDs.ReplaceAllString(string(a.Body), ""), "")
	return fmt.Sprintf("%d %s %s", a.Status, body, strings.Join(headers, " "))
}

// A filter by what may not be known of is a filter by nothing, on the streams as on the poll.
func TestHiddenFromStreams(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	s.User("root")
	ann, bob := s.User("ann"), s.User("bob")
	secret := ann.Room("secret", "private")
	start := bob.Head()
	ann.Send("secret", "a secret")
	ann.Post("/v1/rename", map[string]any{"name": "anna"}).Want(200) // for everyone
	for _, ref := range []string{id(secret.ID), "secret", "@ann", "nowhere", "999999"} {
		for _, st := range []*harness.Stream{
			bob.Stream(harness.After(start), harness.Query("rooms", ref)), bob.NDJSON(harness.After(start), harness.Query("rooms", ref)),
		} {
			st.Want("user.renamed")
			st.Close()
		}
	}
}
