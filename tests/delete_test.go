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

// After a deletion the text, and all that it was before, is in no answer, no replay and no export; all that is left is that there was
// a message.
func TestDeleteMessage(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		start := bob.Head()
		m := sent(send(ann, map[string]any{"text": "one " + marker, "nonce": "n"}))
		edit(ann, m, "two "+marker).Want(200)
		edit(ann, m, marker+strings.Repeat(" long", 3000)).Want(200)
		stays := ann.Send("lobby", "this stays")
		live := bob.Stream()
		before := bob.Events(start)
		ann.Delete(pathOf(m)).Want(204)
		e := live.Want("message.deleted")[0]
		if want := fmt.Sprintf(`"room_id":1,"data":{"message_id":%d}}`, m.ID); !strings.HasSuffix(e.JSON, want) {
			t.Errorf("the event is %s", e.JSON)
		}
		head := bob.Head()
		ann.Delete(pathOf(m)).Want(204)
		root.Delete(pathOf(m)).Want(204)
		bob.Delete(pathOf(m)).Refused("forbidden")
		if now := bob.Head(); now != head {
			t.Errorf("to delete it again moves the log from %d to %d", head, now)
		}
		edit(ann, m, "back again").Refused("conflict")
		edit(ann, m, "back again", ifMatch("*")).Refused("conflict")

		for how, after := range map[string][]harness.Event{
			"poll": bob.Events(start), "stream": bob.Stream(harness.After(start)).UntilID(e.ID), "ndjson": bob.NDJSON(harness.After(start)).UntilID(e.ID),
			"stream of the author": ann.Stream(harness.After(start)).UntilID(e.ID),
		} {
			if len(after) != len(before)+1 {
				t.Fatalf("%s: %v", how, after)
			}
			for i, was := range before {
				now := after[i]
				if now.ID != was.ID || now.Type != was.Type || !now.At.Equal(was.At) {
					t.Errorf("%s: %s has become %s", how, was.Data, now.Data)
				}
				told := harness.DataOf[client.MessageData](now).Message
				if told.ID == m.ID && (told.Text != "" || told.DeletedAt == nil || !told.DeletedAt.Equal(e.At) || told.Nonce != nil ||
					told.Sender.Name != "ann" || strings.Contains(string(now.Data), marker)) {
					t.Errorf("%s: %s", how, now.Data)
				}
				if told.ID == stays.ID && string(now.Data) != string(was.Data) {
					t.Errorf("%s: %s has become %s", how, was.Data, now.Data)
				}
			}
		}
		tombs := []client.Message{
			bob.History("lobby")[0], harness.Into[client.Message](bob.Get(pathOf(m)).Want(200)),
			harness.Into[client.Message](send(ann, map[string]any{"text": "one " + marker, "nonce": "n"}).Want(200)),
			ndjson[client.Message](t, unzip(t, ann.Get("/v1/me/export").Want(200))["messages.ndjson"])[0],
		}
		for _, got := range tombs {
			if got.ID != m.ID || got.Text != "" || got.DeletedAt == nil || !got.DeletedAt.Equal(e.At) || got.EditedAt != nil || got.Nonce != nil ||
				!got.CreatedAt.Equal(m.CreatedAt) || got.Sender.Name != "ann" {
				t.Errorf("the tombstone is %+v", got)
			}
		}
		if tag := bob.Get(pathOf(m)).Header.Get("ETag"); tag == `"`+id(m.ID)+`"` || tag == "" {
			t.Errorf("the tombstone's ETag is %s", tag)
		}
		for _, path := range []string{"/edits", ""} {
			if a := ann.Get(pathOf(m) + path).Want(200); strings.Contains(string(a.Body), marker) {
				t.Errorf("%s: %s", path, a.Body)
			}
		}
		s.Restart()
		if a := bob.Get("/v1/rooms/lobby/messages").Want(200); strings.Contains(string(a.Body), marker) || !strings.Contains(string(a.Body), "this stays") {
			t.Errorf("after a restart: %s", a.Body)
		}
	})
}

// A stream that reads slowly, or that was in the middle of reading the log, gets the tombstone of what it had not read yet.
func TestDeletedBeforeItWasRead(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	start := bob.Head()
	var secrets []client.Message
	for range 60 {
		secrets = append(secrets, ann.Send("lobby", marker+strings.Repeat("x", 16000)))
	}
	for _, m := range secrets {
		ann.Delete(pathOf(m)).Want(204)
	}
	for _, e := range bob.NDJSON(harness.After(start)).UntilID(bob.Head()) {
		if strings.Contains(e.JSON, marker) {
			t.Errorf("%.200s", e.JSON)
		}
	}
}

// What it took an admin's right to delete is in the audit log, without the text.
func TestAuditOfDeletedMessages(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		tea := ann.Room("tea", "private")
		ann.Add("tea", bob, "")
		root.Room("own", "private")
		root.Add("own", bob, "")
		ann.Delete(pathOf(bob.Send("tea", "by the owner"))).Want(204)
		root.Delete(pathOf(bob.Send("own", "by the owner"))).Want(204)
		root.Delete(pathOf(root.Send("tea", "by its author"))).Want(204)
		wantAudit(t, audit(root, ""))
		in, lobby := bob.Send("tea", "by the admin"), bob.Send("lobby", "by the admin")
		root.Delete(pathOf(in)).Want(204)
		root.Delete(pathOf(in)).Want(204)
		root.Delete(pathOf(lobby)).Want(204)
		all := []string{
			fmt.Sprintf("root message.delete @bob #tea [message_id:%d]", in.ID),
			fmt.Sprintf("root message.delete @bob #lobby [message_id:%d]", lobby.ID),
		}
		wantAudit(t, audit(root, ""), all...)
		wantAudit(t, audit(root, "&action=message.delete"), all...)
		// To look at one message of a private channel is to read there.
		root.Get(pathOf(ann.Send("tea", "hello"))).Want(200)
		if got := audit(root, "&action=room.read"); !slices.Equal(got, []string{"root room.read #tea"}) {
			t.Errorf("%q, room %d", got, tea.ID)
		}
	})
}

// Deleted text, and what it was before, goes from the database's files while the server runs.
func TestDeletedFromFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := harness.Start(t, harness.Flags("--data", dir))
	s.User("root")
	ann, bob := s.User("ann"), s.User("bob")
	ann.Room("tea", "public")
	ann.Add("tea", bob, "")
	var said []client.Message
	for i, text := range []string{
		marker, "<b>&" + marker + "\u2028", marker + strings.Repeat(" long", 3000), "\"\\\n" + marker, "日本" + marker, "x" + marker,
	} {
		for _, to := range []string{"lobby", "tea", "@bob"} {
			m := ann.Send(to, text)
			bob.Send("lobby", strings.Repeat("between ", 1+i*7))
			edit(ann, m, "short "+marker).Want(200)
			edit(ann, m, strings.Repeat(marker, 300)).Want(200)
			if i%2 == 0 {
				edit(ann, m, "harmless").Want(200)
			}
			said = append(said, m)
		}
	}
	if len(inFiles(t, dir, marker)) == 0 {
		t.Fatal("the test looks at the wrong files")
	}
	began := time.Now()
	for _, m := range said {
		ann.Delete(pathOf(m)).Want(204)
	}
	harness.Eventually(t, "nothing of it is in the files", func() bool { return len(inFiles(t, dir, marker)) == 0 })
	if took := time.Since(began); took > 15*time.Second { // a server that nobody writes to tidies up after 20 s anyhow
		t.Errorf("that took %v", took)
	}
	s.Stop()
	for _, found := range inFiles(t, dir, marker) {
		t.Error("after the stop:", found)
	}
}
