package tests

import (
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// send sends and gives the answer, whatever it is.
func send(u *harness.User, body map[string]any) *harness.Answer { return u.Post("/v1/send", body) }

func sent(a *harness.Answer) client.Message { return harness.Into[client.Message](a.Want(200, 201)) }

// The same room, however it is written.
func TestSendTo(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		tea := ann.Room("Tea", "public").ID
		direct := sent(send(ann, map[string]any{"to": "@bob", "text": "hi"})).RoomID
		for _, tt := range []struct {
			to   any
			room int64
		}{
			{nil, 1}, {1, 1}, {"1", 1}, {"lobby", 1}, {"#lobby", 1}, {"LOBBY", 1}, {"ｌobby", 1}, {1.0, 1},
			{tea, tea}, {id(tea), tea}, {"tea", tea}, {"#TEA", tea},
			{direct, direct}, {id(direct), direct}, {"@bob", direct}, {"@BOB", direct},
		} {
			body := map[string]any{"text": "hi"}
			if tt.to != nil {
				body["to"] = tt.to
			}
			if m := sent(send(ann, body)); m.RoomID != tt.room {
				t.Errorf("to %v went to %d, want %d", tt.to, m.RoomID, tt.room)
			}
		}
		for _, tt := range [][]string{{"text", "hi"}, {"text", "hi", "to", "1"}, {"text", "hi", "to", "#lobby"}} {
			if m := harness.Into[client.Message](ann.Do("POST", "/v1/send", harness.Form(tt...)).Want(201)); m.RoomID != 1 {
				t.Errorf("form %v went to %d", tt, m.RoomID)
			}
		}
		before := bob.Head()
		for _, to := range []any{
			"nowhere", "#nowhere", 999, "999", 0, "0", "##lobby", "#1", "#", "#@bob", "@nobody", "@ann", "@", "@lobby",
			"a b", "..", "4２", "٤", "9007199254740992", "99999999999999999999", int64(1)<<53 - 1, "lobby,tea", "a/b", "-1", "1.0",
			strings.Repeat("a", 5000),
		} {
			send(ann, map[string]any{"to": to, "text": "hi"}).Refused("not_found")
		}
		for _, to := range []any{
			"", -1, 1.5, true, []int{1}, map[string]any{}, int64(1) << 53, 1e300,
		} {
			send(ann, map[string]any{"to": to, "text": "hi"}).Refused("validation_failed", "to")
		}
		if after := bob.Head(); after != before {
			t.Errorf("the log went from %d to %d", before, after)
		}
	})
}

func TestMessage(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		stream := bob.Stream()
		text := "Grüße, 小明 🐟 \u202e\"quoted\" <b>&\\ \r\n\ttab \u2028"
		began := time.Now().Add(-time.Second)
		m := sent(send(ann, map[string]any{"text": text, "nonce": "n-1"}))
		if m.Text != text || m.Sender.ID != ann.ID || m.Sender.Name != "ann" || m.RoomID != 1 || *m.Nonce != "n-1" ||
			m.CreatedAt.Before(began) || m.EditedAt != nil || m.DeletedAt != nil {
			t.Errorf("sent %+v", m)
		}
		e := stream.Want("message.created")[0]
		got := harness.DataOf[client.MessageData](e).Message
		if e.ID != m.ID || e.RoomID != 1 || got.ID != m.ID || got.Text != text || *got.Nonce != "n-1" || !e.At.Equal(m.CreatedAt) {
			t.Errorf("the event is %s", e.JSON)
		}
		history := bob.History("lobby")
		if len(history) != 1 || history[0].Text != text || history[0].ID != m.ID || *history[0].Nonce != "n-1" {
			t.Errorf("the history is %+v", history)
		}
		// Ids follow each other without a gap.
		for i := range int64(3) {
			if next := ann.Send("lobby", "more"); next.ID != m.ID+1+i {
				t.Errorf("the message after %d is %d", m.ID+i, next.ID)
			}
		}
	})
}

// The limit is in bytes, and a configured one is kept.
func TestTextLimit(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		with  []harness.Option
		limit int
	}{
		"default": {nil, 16384},
		"small":   {[]harness.Option{harness.Flags("--max-message-bytes", "10")}, 10},
		"large":   {[]harness.Option{harness.Flags("--max-message-bytes", "65536")}, 64 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := harness.Start(t, tt.with...)
			ann := s.User("ann")
			fits := []string{
				strings.Repeat("a", tt.limit), strings.Repeat("é", tt.limit/2), strings.Repeat("\n", tt.limit),
				strings.Repeat("\x01", tt.limit), strings.Repeat("小", tt.limit/3),
			}
			for _, text := range fits {
				if m := sent(send(ann, map[string]any{"text": text})); m.Text != text {
					t.Errorf("%d bytes came back as %d", len(text), len(m.Text))
				}
				ann.Do("POST", "/v1/send", harness.Form("text", text)).Want(201)
			}
			for _, text := range []string{
				strings.Repeat("a", tt.limit+1), strings.Repeat("é", tt.limit/2+1), strings.Repeat("小", tt.limit/3+1),
			} {
				send(ann, map[string]any{"text": text}).Refused("validation_failed", "text")
				ann.Do("POST", "/v1/send", harness.Form("text", text)).Refused("validation_failed", "text")
			}
			if got := ann.History("lobby"); len(got) != 2*len(fits) {
				t.Errorf("%d messages", len(got))
			}
		})
	}
}
