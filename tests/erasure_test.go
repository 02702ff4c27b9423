package tests

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// marker is in everything that must be found nowhere after an erasure.
const marker = "XYZZY"

// ghost is an account with a name that is marked, and what it said, everywhere.
func ghost(t *testing.T, s *harness.Server, bob *harness.User) (*harness.User, []client.Message) {
	t.Helper()
	ann := s.User("ann")
	ann.Post("/v1/rename", map[string]any{"name": "ann-" + marker}).Want(200)
	ann.Room("tea", "public")
	ann.Add("tea", bob, "moderator")
	var said []client.Message
	for i, text := range []string{
		marker, "<b>&" + marker + "\u2028", marker + strings.Repeat(" long", 3000), "\"\\\n" + marker, "日本" + marker, "x" + marker,
	} {
		for _, to := range []string{"lobby", "tea", "@bob"} {
			bob.Send("lobby", strings.Repeat("between ", 1+i*7))
			m := sent(send(ann, map[string]any{"to": to, "text": text, "nonce": fmt.Sprint(marker, i, to)}))
			said = append(said, m)
			if i%2 == 0 {
				edit(ann, m, "edited "+marker).Want(200)
				edit(ann, m, "harmless").Want(200)
			}
		}
	}
	ann.Post("/v1/rooms/tea/leave", nil).Refused("conflict")
	ann.Add("tea", bob, "owner")
	ann.Post("/v1/rooms/tea/leave", nil).Want(204)
	ann.Post("/v1/rooms/tea/join", nil).Want(200)
	return ann, said
}

// After an erasure everything is in its place, and nothing of it says what was said or who said it.
func TestErase(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		bob := s.User("bob")
		ann, said := ghost(t, s, bob)
		if got := earlier(bob, said[1]); len(got) != 2 { // a moderator of tea
			t.Errorf("before, earlier texts are %q", got)
		}
		live, head := bob.Stream(), bob.Head()
		before := bob.NDJSON(harness.After(0)).UntilID(head)
		leave(ann, true).Want(204)
		end := bob.Send("lobby", "end")

		news := live.Until("message.created")
		if gone := news[len(news)-2]; !strings.HasSuffix(gone.JSON, fmt.Sprintf(`"data":{"user_id":%d,"erased":true}}`, ann.ID)) {
			t.Errorf("ann goes by %s", gone.JSON)
		}
		for how, after := range map[string][]harness.Event{
			"poll": bob.Events(0), "stream": bob.Stream(harness.After(0)).UntilID(end.ID), "ndjson": bob.NDJSON(harness.After(0)).UntilID(end.ID),
		} {
			if len(after) < len(before) {
				t.Fatalf("%s: %d events, before %d", how, len(after), len(before))
			}
			for i, e := range before {
				if now := after[i]; now.ID != e.ID || now.Type != e.Type || !now.At.Equal(e.At) || now.RoomID != e.RoomID {
					t.Errorf("%s: %s has become %s", how, e.JSON, now.JSON)
				}
				if !strings.Contains(e.JSON, marker) && !strings.Contains(e.JSON, `"ann"`) && string(after[i].Data) != string(e.Data) {
					t.Errorf("%s: %s was rewritten to %s", how, e.JSON, after[i].Data)
				}
			}
			for _, e := range after {
				if data := string(e.Data); strings.Contains(data, marker) || strings.Contains(data, `"ann"`) {
					t.Errorf("%s: event %d has %s", how, e.ID, data)
				}
			}
		}
		texts := map[int64]client.Message{}
		for _, room := range []string{"lobby", "tea", id(said[2].RoomID)} {
			for _, m := range bob.History(room) {
				texts[m.ID] = m
			}
		}
		for _, m := range said {
			now := texts[m.ID]
			if now.ID == 0 || now.Text != "" || now.Nonce != nil || now.DeletedAt == nil || now.Sender.Name != deletedName(ann) || !now.CreatedAt.Equal(m.CreatedAt) {
				t.Errorf("message %d is %+v", m.ID, now)
			}
			if now.DeletedAt != nil && now.DeletedAt.Before(m.CreatedAt) {
				t.Errorf("message %d was deleted before it was sent", m.ID)
			}
		}
		if got := earlier(bob, said[1]); len(got) != 0 {
			t.Errorf("earlier texts are %q", got)
		}
		for _, e := range bob.Events(head - 1) {
			if e.Type == "message.deleted" {
				t.Errorf("%s: one event is enough", e.JSON)
			}
		}
	})
}

// inFiles says which of the database's files hold any of the words, as they are or as JSON has them.
func inFiles(t *testing.T, dir string, words ...string) (found []string) {
	t.Helper()
	for _, name := range []string{"parley.db", "parley.db-wal", "parley.db-shm"} {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range words {
			if n := bytes.Count(content, []byte(word)); n > 0 {
				at := bytes.Index(content, []byte(word))
				found = append(found, fmt.Sprintf("%s holds %q %d times, once in %.200q", name, word, n, content[max(0, at-100):at]))
			}
		}
	}
	return found
}

// What was erased is not in the database's files, from the answer on.
func TestErasedFromFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := harness.Start(t, harness.Flags("--data", dir))
	s.User("root")
	bob := s.User("bob")
	ann, _ := ghost(t, s, bob)
	if len(inFiles(t, dir, marker)) == 0 {
		t.Fatal("the test looks at the wrong files")
	}
	hash := passwordHashes(t, dir)
	leave(ann, true).Want(204)
	for _, found := range inFiles(t, dir, marker) {
		t.Error(found)
	}
	bob.Send("lobby", "life goes on")
	s.Restart()
	for _, found := range inFiles(t, dir, marker) {
		t.Error("after a restart:", found)
	}
	s.Stop()
	if now := passwordHashes(t, dir); now != hash-1 {
		t.Errorf("%d password hashes in the files, before %d", now, hash)
	}
}

// passwordHashes counts what looks like one.
func passwordHashes(t *testing.T, dir string) int {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "parley.db"))
	if err != nil {
		t.Fatal(err)
	}
	wal, err := os.ReadFile(filepath.Join(dir, "parley.db-wal"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	hashes := map[string]bool{}
	for _, file := range [][]byte{content, wal} {
		for part := range bytes.SplitSeq(file, []byte("$argon2id$")) {
			if len(part) >= 60 && bytes.HasPrefix(part, []byte("v=")) {
				hashes[string(part[:60])] = true
			}
		}
	}
	return len(hashes)
}

// Who hangs up has deleted their account all the same, and it is cleared away.
func TestEraseWithoutItsCaller(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann := s.User("root"), s.User("ann")
		sendMany(t, s, ann, "lobby", 500)
		first := root.Head()
		ctx, hangUp := context.WithCancel(t.Context())
		defer hangUp()
		go func() {
			harness.Eventually(t, "ann is deleted", func() bool { return root.Head() > first })
			hangUp()
		}()
		_, _ = s.Try(ctx, "POST", "/v1/me/delete", ann.Bearer(), harness.JSON(map[string]any{"password": harness.Password, "erase": true}))
		harness.Eventually(t, "all is erased", func() bool {
			for _, e := range root.Events(0) {
				if strings.Contains(e.Text(), "number") {
					return false
				}
			}
			return true
		})
	})
}

// A database that fails in the middle makes the call fail, and what is left is done later.
func TestEraseThroughFaults(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann := s.User("root"), s.User("ann")
		sendMany(t, s, ann, "lobby", 500)
		ann.Get("/v1/me").Want(200)
		s.BreakAfter(harness.Commit, 2)
		leave(ann, true).Refused("unavailable")
		s.Mend()
		ann.Get("/v1/me").Refused("unauthorized")
		root.Get("/v1/users/" + ann.Ref()).Refused("not_found")
		s.Restart()
		harness.Eventually(t, "all is erased", func() bool {
			for _, e := range root.Events(0) {
				if strings.Contains(e.Text(), "number") {
					return false
				}
			}
			return true
		})
	})
}

// texts are those in a room's whole history.
func texts(u *harness.User, room string) map[int64]string {
	all := map[int64]string{}
	for after := int64(0); ; {
		page := harness.Into[client.MessageList](u.Get("/v1/rooms/"+room+"/messages", harness.After(after), harness.Query("limit", "200")).Want(200))
		for _, m := range page.Messages {
			all[m.ID], after = m.Text, m.ID
		}
		if !page.HasAfter {
			return all
		}
	}
}
