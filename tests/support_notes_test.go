package tests

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// ofTalk is a path about a conversation.
func ofTalk(conversation int64, what string) string {
	return "/v1/support/conversations/" + id(conversation) + "/" + what
}

// note notes something that must be taken.
func note(u *harness.User, conversation int64, text string) client.Message {
	return harness.Into[client.Message](u.Post(ofTalk(conversation, "notes"), map[string]any{"text": text}).Want(201))
}

// notesOf gives the texts of all pages of a conversation's notes.
func notesOf(u *harness.User, conversation int64, limit int) (texts []string) {
	for page := ""; ; {
		with := []harness.With{harness.Query("limit", fmt.Sprint(limit))}
		if page != "" {
			with = append(with, harness.Query("page", page))
		}
		list := harness.Into[client.NoteList](u.Get(ofTalk(conversation, "notes"), with...).Want(200))
		for _, m := range list.Notes {
			texts = append(texts, m.Text)
		}
		if list.NextPage == nil {
			return texts
		}
		page = *list.NextPage
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root := s.User("root")
		eve, ann := s.Agent(root, "eve"), s.Agent(root, "ann")
		li := s.Visitor("Li Wei")
		c := li.Open(map[string]any{"text": "hello"})
		if got := notesOf(ann, c.ID, 50); len(got) != 0 {
			t.Errorf("there are notes already: %v", got)
		}
		start := root.Head()
		tap := eve.Stream(harness.After(start))

		// The first note makes the room. Whoever has the conversation, each agent notes.
		first := note(ann, c.ID, "wants a refund")
		told := tap.Want("support.updated", "message.created")
		talk := harness.DataOf[client.SupportData](told[0]).Conversation
		if talk.ID != c.ID || talk.NotesRoomID == nil || *talk.NotesRoomID != first.RoomID || first.RoomID == c.RoomID {
			t.Errorf("told of %s, the note is in %d", told[0].JSON, first.RoomID)
		}
		if told[1].ID != first.ID || told[1].RoomID != first.RoomID || told[1].Text() != "wants a refund" {
			t.Errorf("the event is %s, the note %+v", told[1].JSON, first)
		}
		room := harness.Into[client.Conversation](ann.Get("/v1/support/conversations/" + id(c.ID)).Want(200)).NotesRoomID
		if room == nil || *room != first.RoomID {
			t.Errorf("the conversation's notes are in %v", room)
		}

		// Nonces are those of sending.
		body := map[string]any{"text": "@eve and @root, not @li: look", "nonce": "n1"}
		second := harness.Into[client.Message](eve.Post(ofTalk(c.ID, "notes"), body).Want(201))
		if !slices.Equal(second.Mentions, []int64{min(eve.ID, root.ID), max(eve.ID, root.ID)}) {
			t.Errorf("%v are mentioned", second.Mentions)
		}
		again := harness.Into[client.Message](eve.Do("POST", ofTalk(c.ID, "notes"), harness.Form("text", body["text"].(string), "nonce", "n1")).Want(200))
		if again.ID != second.ID || again.Text != second.Text {
			t.Errorf("repeated: %+v, first %+v", again, second)
		}
		other := s.Visitor("Bo").Open(nil)
		eve.Post("/v1/send", map[string]any{"text": "said", "nonce": "n2"}).Want(201)
		before := root.Head()
		eve.Post(ofTalk(c.ID, "notes"), map[string]any{"text": "another", "nonce": "n1"}).Refused("nonce_reused")
		eve.Post(ofTalk(other.ID, "notes"), body).Refused("nonce_reused")
		for _, to := range []int64{first.RoomID, c.ID} {
			send(eve, map[string]any{"to": to, "text": body["text"], "nonce": "n1"}).Refused("nonce_reused")
		}
		eve.Post(ofTalk(c.ID, "notes"), map[string]any{"text": ""}).Refused("validation_failed", "text")
		eve.Post(ofTalk(c.ID, "notes"), map[string]any{"text": strings.Repeat("x", 16385)}).Refused("validation_failed", "text")
		eve.Post(ofTalk(c.ID, "notes"), map[string]any{"text": "x", "nonce": strings.Repeat("n", 65)}).Refused("validation_failed", "nonce")
		eve.Post("/v1/support/conversations/x/notes", map[string]any{"text": "said", "nonce": "n2"}).Refused("not_found")
		for _, nowhere := range []int64{1, first.RoomID, 1 << 50} {
			eve.Post(ofTalk(nowhere, "notes"), map[string]any{"text": "x"}).Refused("not_found")
			eve.Get(ofTalk(nowhere, "notes")).Refused("not_found")
		}
		eve.Get("/v1/support/conversations/x/notes").Refused("not_found")
		eve.Post("/v1/support/conversations/x/notes", map[string]any{"text": "x"}).Refused("not_found")
		if after := root.Head(); after != before {
			t.Errorf("the log went from %d to %d", before, after)
		}

		// Messages by their id, for agents.
		edit := func(u *harness.User, m client.Message) *harness.Answer {
			return u.Patch("/v1/messages/"+id(m.ID), map[string]any{"text": "wants it back"})
		}
		edit(eve, first).Refused("forbidden")
		edit(ann, first).Want(200)
		react(root, first.ID, "👍").Want(204)
		eve.Delete("/v1/messages/" + id(first.ID)).Refused("forbidden")
		pin(root, first.ID).Refused("forbidden")
		third := note(root, c.ID, "gone soon")
		eve.Delete("/v1/messages/" + id(third.ID)).Refused("forbidden")
		root.Delete("/v1/messages/" + id(second.ID)).Want(204)
		root.Delete("/v1/messages/" + id(third.ID)).Want(204)
		wantAudit(t, audit(root, "&action=message.delete"), fmt.Sprintf("root message.delete @eve # [message_id:%d]", second.ID))
		note(ann, other.ID, "of the other")
		act(root, c.ID, "close").Want(200)
		note(ann, c.ID, "after the end")

		s.Restart()
		for _, limit := range []int{1, 2, 3, 4, 50} {
			if got, want := fmt.Sprint(notesOf(eve, c.ID, limit)), "[wants it back   after the end]"; got != want {
				t.Errorf("by %d: %s, want %s", limit, got, want)
			}
		}
		list := harness.Into[client.NoteList](root.Get(ofTalk(c.ID, "notes")).Want(200)).Notes
		if counts(list[0]) != "👍1+" || list[0].EditedAt == nil || list[1].DeletedAt == nil || list[3].Sender.Name != "ann" {
			t.Errorf("notes %+v", list)
		}
		if h := ann.History(id(first.RoomID)); len(h) != 4 || h[3].Text != "after the end" {
			t.Errorf("their room has %+v", h)
		}
		eve.Get(ofTalk(c.ID, "notes")+"?page=nonsense").Refused("validation_failed", "page")
		eve.Get(ofTalk(c.ID, "notes")+"?limit=0").Refused("validation_failed", "limit")

		// What agents are told, live or later, is the same, and all of it.
		want := []string{
			"support.updated", "message.created", "message.created", "message.updated", "reaction.added", "message.created",
			"message.deleted", "message.deleted", "support.updated", "message.created", "support.updated", "message.created",
		}
		var got []string
		for _, e := range ann.Stream(harness.After(start)).UntilID(root.Head()) {
			if e.Type != "support.updated" && e.RoomID != first.RoomID && e.Text() != "of the other" {
				continue
			}
			if e.Type == "support.updated" && harness.DataOf[client.SupportData](e).Conversation.NotesRoomID == nil {
				continue // of the other's opening
			}
			got = append(got, e.Type)
		}
		if !slices.Equal(got, want) {
			t.Errorf("an agent's replay has %v, want %v", got, want)
		}
		if narrow := ann.Stream(harness.After(start), harness.Query("rooms", id(first.RoomID)), harness.Query("types", "message.created")); narrow.Next().ID != first.ID {
			t.Error("the room's filter finds no note")
		}
	})
}

// Whatever the visitor asks and follows, there is no note in it: the room of the notes is to them as if it were not, and so
// it is to everybody who is no agent, also once they are none any more.
func TestNotesAreTheAgents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root := s.User("root")
		eve, ann := s.Agent(root, "eve"), s.Agent(root, "ann")
		eve.Stream()
		eve.Serve(1)
		li, bob, guest := s.Visitor("Li Wei"), s.User("bob"), s.Guest("guest")
		stream, lines, guests, members := li.Stream(), li.NDJSON(), guest.Stream(), bob.Stream()
		c := li.Open(map[string]any{"text": "hello"})
		first := note(ann, c.ID, "TOP SECRET one")
		second := note(eve, c.ID, "TOP SECRET two, @bob")
		ann.Patch("/v1/messages/"+id(first.ID), map[string]any{"text": "TOP SECRET three"}).Want(200)
		react(eve, first.ID, "👍").Want(204)
		eve.Delete("/v1/messages/" + id(second.ID)).Want(204)
		eve.Send(id(c.RoomID), "how can I help?")
		li.Put(ofTalk(c.ID, "rating"), map[string]any{"score": 5}).Want(200)
		note(eve, c.ID, "TOP SECRET four")
		last := eve.Send("lobby", "the last of it").ID // for everyone but visitors
		end := eve.Send(id(c.RoomID), "bye").ID

		hidden := regexp.MustCompile(fmt.Sprintf(`SECRET|notes_room_id|id":(%d|%d|%d)\b`, first.RoomID, first.ID, second.ID))
		clean := func(what, text string) {
			t.Helper()
			if found := hidden.FindString(text); found != "" {
				t.Errorf("%s has %q: %s", what, found, text)
			}
		}
		seen := func(what string, st *harness.Stream, until int64) {
			t.Helper()
			heard := false
			for _, e := range st.UntilID(until) {
				clean(what, e.JSON)
				heard = heard || e.Type == "support.updated" || e.Text() == "the last of it"
			}
			if !heard {
				t.Errorf("%s has nothing at all", what)
			}
		}
		seen("the visitor's stream", stream, end)
		seen("the visitor's lines", lines, end)
		seen("a guest's stream", guests, last)
		seen("a member's stream", members, last)
		for _, u := range []*harness.User{li, bob, guest} {
			until := last
			if u == li {
				until = end
			}
			seen("the replay of "+u.Name, u.Stream(harness.After(0)), until)
			for _, e := range u.Events(0) {
				clean("the poll of "+u.Name, e.JSON)
			}
			code := "not_found"
			if u == li {
				code = "forbidden"
			}
			u.Get(ofTalk(c.ID, "notes")).Refused("forbidden")
			u.Post(ofTalk(c.ID, "notes"), map[string]any{"text": "mine"}).Refused("forbidden")
			for _, m := range []client.Message{first, second} {
				u.Get("/v1/messages/" + id(m.ID)).Refused(code)
				u.Get("/v1/messages/" + id(m.ID) + "/edits").Refused(code)
				u.Patch("/v1/messages/"+id(m.ID), map[string]any{"text": "x"}).Refused(code)
				u.Delete("/v1/messages/" + id(m.ID)).Refused(code)
				react(u, m.ID, "👍").Refused(code)
			}
			u.Get("/v1/rooms/" + id(first.RoomID)).Refused(code)
			u.Get("/v1/rooms/" + id(first.RoomID) + "/messages").Refused(code)
			u.Get("/v1/rooms/" + id(first.RoomID) + "/members").Refused(code)
			send(u, map[string]any{"to": first.RoomID, "text": "x"}).Refused(code)
			send(u, map[string]any{"to": c.RoomID, "text": "x", "reply_to": first.ID}).Want(404, 422)
			for name, file := range unzip(t, u.Get("/v1/me/export").Want(200)) {
				clean(u.Name+"'s export, "+name, string(file))
			}
		}
		clean("the conversation", string(li.Get("/v1/support/conversations/"+id(c.ID)).Want(200).Body))
		clean("the conversations", string(li.Get("/v1/support/conversations").Want(200).Body))
		clean("the room", string(li.Get("/v1/rooms/"+id(c.RoomID)).Want(200).Body))
		clean("the history", string(li.Get("/v1/rooms/"+id(c.RoomID)+"/messages").Want(200).Body))
		for _, format := range []string{"json", "text"} {
			clean("the transcript", string(li.Get(ofTalk(c.ID, "transcript")+"?format="+format).Want(200).Body))
		}

		// Who is an agent no more has no notes, their own neither.
		root.Put("/v1/users/"+ann.Ref()+"/role", map[string]any{"role": "member"}).Want(200)
		ann.Get(ofTalk(c.ID, "notes")).Refused("forbidden")
		ann.Get("/v1/messages/" + id(first.ID)).Refused("not_found")
		ann.Patch("/v1/messages/"+id(first.ID), map[string]any{"text": "x"}).Refused("not_found")
		ann.Get("/v1/rooms/" + id(first.RoomID) + "/messages").Refused("not_found")
	})
}
