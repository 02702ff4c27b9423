package tests

import (
	"fmt"
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

func announce(u *harness.User, body map[string]any) *harness.Answer {
	return u.Post("/v1/announcements", body)
}

func isAnnouncement(m client.Message) bool { return m.Announcement != nil && *m.Announcement }

func TestAnnouncement(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann := s.User("root"), s.User("ann")
		guest := s.Guest("passer-by")
		start := ann.Head()
		streams := []*harness.Stream{root.Stream(), ann.Stream(), guest.Stream()}

		m := sent(announce(root, map[string]any{"text": "tea at four", "nonce": "1"}).Want(201))
		if !isAnnouncement(m) || m.RoomID != 1 || m.Text != "tea at four" || m.Sender.ID != root.ID || *m.Nonce != "1" {
			t.Errorf("announced: %+v", m)
		}
		plain := root.Send("lobby", "tea at four")
		if isAnnouncement(plain) {
			t.Errorf("sent: %+v", plain)
		}
		check := func(where string, events []harness.Event) {
			t.Helper()
			if len(events) != 2 {
				t.Fatalf("%s: %v", where, events)
			}
			one, two := harness.DataOf[client.MessageData](events[0]).Message, harness.DataOf[client.MessageData](events[1]).Message
			if one.ID != m.ID || !isAnnouncement(one) || two.ID != plain.ID || isAnnouncement(two) {
				t.Errorf("%s: %s\n%s", where, events[0].JSON, events[1].JSON)
			}
		}
		for i, st := range streams {
			check(fmt.Sprint("stream ", i), st.Want("message.created", "message.created"))
		}
		s.Restart()
		check("replay", ann.Events(start))
		if got := guest.History("lobby"); len(got) != 2 || !isAnnouncement(got[0]) || isAnnouncement(got[1]) {
			t.Errorf("history: %+v", got)
		}
		form := sent(root.Do("POST", "/v1/announcements", harness.Form("text", "by form")).Want(201))
		if !isAnnouncement(form) {
			t.Errorf("announced: %+v", form)
		}
		wantAudit(t, audit(root, ""), fmt.Sprintf("root announcement.create #lobby [message_id:%d]", m.ID),
			fmt.Sprintf("root announcement.create #lobby [message_id:%d]", form.ID))
	})
}

// A nonce makes a repeat safe as with send, and the same text sent is another request than announced.
func TestNonceOfAnAnnouncement(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann := s.User("root"), s.User("ann")
		first := sent(announce(root, map[string]any{"text": "tea", "nonce": "1"}).Want(201))
		plain := sent(send(root, map[string]any{"text": "tea", "nonce": "2"}).Want(201))
		before := root.Head()
		if again := sent(announce(root, map[string]any{"text": "tea", "nonce": "1"}).Want(200)); again.ID != first.ID || !isAnnouncement(again) {
			t.Errorf("the repeat gives %+v", again)
		}
		send(root, map[string]any{"text": "tea", "nonce": "1"}).Refused("nonce_reused")
		send(root, map[string]any{"to": "lobby", "text": "tea", "nonce": "1"}).Refused("nonce_reused")
		announce(root, map[string]any{"text": "tea", "nonce": "2"}).Refused("nonce_reused")
		announce(root, map[string]any{"text": "coffee", "nonce": "1"}).Refused("nonce_reused")
		if again := sent(send(root, map[string]any{"text": "tea", "nonce": "2"}).Want(200)); again.ID != plain.ID {
			t.Errorf("the repeat gives %+v", again)
		}
		// A repeat is answered whatever became of the right.
		root.Put("/v1/users/@ann/role", inRole("admin")).Want(200)
		ann.Put("/v1/users/@root/role", inRole("member")).Want(200)
		before++ // each is a user.updated
		before++
		announce(root, map[string]any{"text": "tea", "nonce": "1"}).Want(200)
		announce(root, map[string]any{"text": "tea", "nonce": "3"}).Refused("forbidden")
		if after := root.Head(); after != before {
			t.Errorf("the log went from %d to %d", before, after)
		}
		if lines := audit(ann, "&action=announcement.create"); len(lines) != 1 {
			t.Errorf("the audit log has %v", lines)
		}
	})
}

func TestAnnouncementRefusals(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.Flags("--max-message-bytes", "64"))
	root, ann, guest := s.User("root"), s.User("ann"), s.Guest("passer-by")
	check := unchanged(t, ann)
	for _, u := range []*harness.User{ann, guest} {
		announce(u, map[string]any{"text": "hear, hear"}).Refused("forbidden")
	}
	for _, text := range []any{"", "a\x00b", strings.Repeat("a", 65), 1, nil} {
		announce(root, map[string]any{"text": text}).Refused("validation_failed", "text")
	}
	announce(root, map[string]any{"text": "x", "nonce": strings.Repeat("n", 65)}).Refused("validation_failed", "nonce")
	announce(root, map[string]any{"text": "x", "to": "tea"}).Refused("validation_failed", "to")
	check()
}
