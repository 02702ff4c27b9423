package store

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/chat"
	"parley/models"
)

// oldTalk is a database of version 5: ann (2) and bob (3) talk in the lobby, which bob was erased in, and in tea (4).
type oldTalk struct {
	messages []models.Message // as they must be afterwards
	queries  []string
	head     int64
}

const (
	oldTea    = 4
	oldSecret = "SECRET that was said before the upgrade"
)

func newOldTalk(pg bool) *oldTalk {
	blob := "BLOB"
	if pg {
		blob = "bytea"
	}
	old := &oldTalk{queries: []string{
		"INSERT INTO users (id, name, name_key, display_name, role, status_text, password, created_at, last_seen_at) " +
			"VALUES (2, 'ann', 'ann', 'Ann', 'admin', '', '', 1, 1), (3, 'bob', 'bob', 'Bob', 'member', '', '', 1, 1)",
		"INSERT INTO rooms (id, kind, name, name_key, topic, visibility, member_count, archived, created_at, direct_a, direct_b) " +
			"SELECT 4, kind, 'tea', 'tea', 'leaves', visibility, 2, archived, 1, 0, 0 FROM rooms WHERE id = 1",
		"UPDATE rooms SET member_count = 2 WHERE id = 1",
		"INSERT INTO memberships (room_id, user_id, role, from_id, to_id, revoked, joined_at) " +
			"SELECT 4, id, 'member', id + 3, NULL, revoked, 1 FROM users, (SELECT " + falseIn(pg) + " AS revoked) AS r",
	}}
	entry := func(id int64, kind string, room int64, audience int, json string) {
		old.queries = append(old.queries, fmt.Sprintf("INSERT INTO log (id, at, type, room_id, aud_kind, aud_id, json) "+
			"VALUES (%d, 1, '%s', %d, %d, %d, CAST('%s' AS %s))", id, kind, room, audience, room, json, blob))
		old.head = id
	}
	entry(2, "user.registered", 0, 0, "{}")
	entry(3, "user.registered", 0, 0, "{}")
	entry(4, "room.created", 4, 1, `{"id":4,"type":"room.created","at":"1970-01-01T00:00:00.001Z","room_id":4,"data":{"room":{}}}`)
	entry(5, "member.joined", 4, 2, `{"id":5,"type":"member.joined","at":"1970-01-01T00:00:00.001Z","room_id":4,"data":{"user":{},"role":"member"}}`)
	entry(6, "member.joined", 4, 2, `{"id":6,"type":"member.joined","at":"1970-01-01T00:00:00.001Z","room_id":4,"data":{"user":{},"role":"member"}}`)
	for i := range int64(60) {
		m := models.Message{ID: old.head + 1, RoomID: 1 + 3*(i%2), SenderID: 2 + i/3%2, Text: fmt.Sprintf("%s, number %d", oldSecret, i)}
		if i%10 == 9 {
			m.Text = strings.Repeat(m.Text+" ", 400) // has pages of its own
		}
		text, deleted, stone := m.Text, "", ""
		if m.SenderID == 3 && m.RoomID == models.LobbyID {
			text, m.Text, m.DeletedAt = strings.Repeat(" ", len(m.Text)), "", models.FromMillis(7)
			deleted, stone = `,"deleted_at":"1970-01-01T00:00:00.007Z"`, strings.Repeat(" ", len(text)) // padded by the erasure
		}
		old.messages = append(old.messages, m)
		old.queries = append(old.queries, fmt.Sprintf("INSERT INTO messages (id, room_id, sender_id, body, created_at, nonce) "+
			"VALUES (%d, %d, %d, '%s', 1, 'n%d')", m.ID, m.RoomID, m.SenderID, text, i))
		if m.IsDeleted() {
			old.queries = append(old.queries, fmt.Sprintf("INSERT INTO tombstones (message_id, deleted_at) VALUES (%d, 7)", m.ID))
		}
		entry(m.ID, "message.created", m.RoomID, 2, fmt.Sprintf(`{"id":%d,"type":"message.created","at":"1970-01-01T00:00:00.001Z","room_id":%d,`+
			`"data":{"message":{"id":%d,"room_id":%d,"sender":{"id":%d,"name":"x"},"text":"%s","created_at":"1970-01-01T00:00:00.001Z"%s}}}%s`,
			m.ID, m.RoomID, m.ID, m.RoomID, m.SenderID, m.Text, deleted, stone))
	}
	old.queries = append(old.queries, fmt.Sprintf("UPDATE log_head SET head = %d", old.head))
	return old
}

func falseIn(pg bool) string {
	if pg {
		return "false"
	}
	return "0"
}

// A database of version 5 comes up with each message in its place, tombstones that know their room and sender, and
// events that have the lists; and nothing is lost.
func TestUpgradeToRooms(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		old := newOldTalk(o.URL != "")
		oldDatabase(t, o, 5, old.queries...)
		s := mustOpen(t, o)
		old.check(t, s)
		for _, room := range []int64{models.LobbyID, oldTea} {
			m := send(t, s, room, 2, "after the upgrade")
			if m.ID <= old.head {
				t.Errorf("the next message is %d after %d", m.ID, old.head)
			}
			old.messages = append(old.messages, m)
		}
		if h := check(t, o); len(h.Findings) > 0 || h.Messages != 62 {
			t.Errorf("%+v", h)
		}
		old.check(t, s)
	})
}

// check holds what the database has against what it must have.
func (old *oldTalk) check(t *testing.T, s *Store) {
	t.Helper()
	type row struct{ ID, RoomID, SenderID, Ord, Own, Tomb int64 }
	var want []row
	ord, own := map[int64]int64{}, map[pair]int64{}
	for _, m := range old.messages {
		ord[m.RoomID]++
		own[pair{m.RoomID, m.SenderID}]++
		r := row{m.ID, m.RoomID, m.SenderID, ord[m.RoomID], own[pair{m.RoomID, m.SenderID}], 0}
		if m.IsDeleted() {
			r.Tomb = 10*m.RoomID + m.SenderID
		}
		want = append(want, r)
	}
	err := s.snapshot(context.Background(), func(r *reader) error {
		got, err := many[row](r, "places", "SELECT m.id, m.room_id, m.sender_id, m.ord, m.own, COALESCE(10 * t.room_id + t.sender_id, 0) AS tomb "+
			"FROM messages m LEFT JOIN tombstones t ON t.message_id = m.id ORDER BY m.id")
		if !slices.Equal(got, want) {
			t.Errorf("the places are\n%v, want\n%v", got, want)
		}
		if err != nil {
			return err
		}
		for _, m := range old.messages {
			if got, err := r.Message(m.ID); err != nil || got.Text != m.Text || got.IsDeleted() != m.IsDeleted() || got.Version != m.ID {
				t.Errorf("%+v, %v, want %+v", got, err, m)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := s.Page(context.Background(), 2, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	said := map[int64]string{}
	for _, e := range page.Events {
		if e.Type == models.MessageCreated {
			said[e.ID] = string(e.JSON)
		}
	}
	for _, m := range old.messages {
		e := said[m.ID]
		if !strings.Contains(e, `"mentions":[],"attachments":[],"reactions":[]}}}`) || !strings.Contains(e, fmt.Sprintf(`"text":"%s"`, m.Text)) ||
			strings.Contains(e, `"deleted_at"`) != m.IsDeleted() || strings.HasSuffix(e, " ") {
			t.Errorf("the entry of %+v is %q", m, e)
		}
	}
}

// The upgrade makes tables anew. What is deleted after it is in none of the files, neither where it is now nor where it was.
func TestNothingBuriedAfterAnUpgradeIsInTheFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	oldDatabase(t, Options{Dir: dir}, 5, newOldTalk(false).queries...)
	s := mustOpen(t, Options{Dir: dir})
	for _, id := range []int64{2, 3} {
		var u models.User
		view(t, s, func(r chat.Reader) (err error) {
			u, err = r.User(id)
			return err
		})
		buryAll(t, s, u, 7)
	}
	if err := s.Scrub(context.Background()); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(content, []byte(oldSecret)); n > 0 {
			t.Errorf("%s has %d of the deleted texts", filepath.Base(file), n)
		}
	}
}
