package tests

import (
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

func TestNonce(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		tea := ann.Room("tea", "public").ID
		ann.Add("tea", bob, "")
		stream := ann.Stream()
		first := harness.Into[client.Message](send(bob, map[string]any{"to": "tea", "text": "hi", "nonce": "1"}).Want(201))
		// Written the same or naming the same room is the same request.
		for _, to := range []any{"tea", "#TEA", tea, id(tea)} {
			again := harness.Into[client.Message](send(bob, map[string]any{"to": to, "text": "hi", "nonce": "1"}).Want(200))
			if again.ID != first.ID || again.Text != "hi" || again.RoomID != tea || *again.Nonce != "1" || !again.CreatedAt.Equal(first.CreatedAt) {
				t.Errorf("to %v: %+v, first %+v", to, again, first)
			}
		}
		bob.Do("POST", "/v1/send", harness.Form("to", "tea", "text", "hi", "nonce", "1")).Want(200)
		before := ann.Head()
		for _, body := range []map[string]any{
			{"to": "tea", "text": "ho"}, {"to": "tea", "text": "hi "}, {"to": "tea", "text": "Hi"},
			{"to": "lobby", "text": "hi"}, {"text": "hi"}, {"to": "@ann", "text": "hi"}, {"to": "nowhere", "text": "hi"},
			{"to": "@nobody", "text": "hi"}, {"to": 999, "text": "hi"},
		} {
			body["nonce"] = "1"
			send(bob, body).Refused("nonce_reused")
		}
		if after := ann.Head(); after != before {
			t.Errorf("the log went from %d to %d", before, after)
		}
		// Another user's nonce is another nonce, and so is one in another case.
		for _, a := range []*harness.Answer{
			send(ann, map[string]any{"to": "tea", "text": "hi", "nonce": "1"}).Want(201),
			send(bob, map[string]any{"to": "tea", "text": "hi", "nonce": "a"}).Want(201),
			send(bob, map[string]any{"to": "tea", "text": "hi", "nonce": "A"}).Want(201),
			send(bob, map[string]any{"to": "tea", "text": "hi", "nonce": strings.Repeat("é", 64)}).Want(201),
		} {
			if m := sent(a); m.ID == first.ID {
				t.Errorf("%+v", m)
			}
		}
		if got := stream.Want("message.created", "message.created", "message.created", "message.created", "message.created"); got[0].ID != first.ID {
			t.Errorf("the events are %v", got)
		}
		if got := ann.History("tea"); len(got) != 5 {
			t.Errorf("%d messages", len(got))
		}
		for _, nonce := range []any{"", strings.Repeat("n", 65), strings.Repeat("é", 65), "a\x00b", 7, true} {
			send(bob, map[string]any{"to": "tea", "text": "hi", "nonce": nonce}).Refused("validation_failed", "nonce")
		}
	})
}

// A repeat is answered whatever became of the right to send.
func TestNonceAfterAll(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "private")
		ann.Add("tea", bob, "")
		request := map[string]any{"to": "tea", "text": "hi", "nonce": "1"}
		first := sent(send(bob, request))
		again := func(when string) {
			t.Helper()
			for range 2 {
				if m := harness.Into[client.Message](send(bob, request).Want(200)); m.ID != first.ID {
					t.Errorf("%s: %+v, first %+v", when, m, first)
				}
			}
		}
		ann.Delete("/v1/rooms/tea/members/@bob").Want(204)
		send(bob, map[string]any{"to": "tea", "text": "hi"}).Refused("not_found")
		again("after the removal")
		ann.Patch("/v1/rooms/tea", map[string]any{"name": "coffee"}).Want(200)
		again("after the rename")
		ann.Room("tea", "public")
		again("after another room has the name")
		bob.Post("/v1/rename", map[string]any{"name": "bobby"}).Want(200)
		if m := sent(send(bob, request)); m.Sender.Name != "bobby" {
			t.Errorf("the answer has the sender's old name: %+v", m)
		}
		s.Restart()
		again("after a restart")
		ann.Delete("/v1/rooms/coffee").Want(204)
		again("after the deletion")
	})
}

// Doubles at the same time give one message.
func TestNonceTogether(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		stream := bob.Stream()
		const doubles = 16
		answers := make(chan *harness.Answer, doubles)
		for range doubles {
			go func() {
				a, err := s.Try(t.Context(), "POST", "/v1/send", ann.Bearer(), harness.Form("to", "@bob", "text", "hi", "nonce", "once"))
				if err != nil {
					t.Error(err)
				}
				answers <- a
			}()
		}
		statuses, ids := map[int]int{}, map[int64]int{}
		for range doubles {
			if a := <-answers; a != nil {
				statuses[a.Status]++
				ids[sent(a).ID]++
			}
		}
		if statuses[201] != 1 || statuses[200] != doubles-1 || len(ids) != 1 {
			t.Errorf("statuses %v, ids %v", statuses, ids)
		}
		stream.Want("room.created", "message.created")
		end := ann.Send("lobby", "end")
		if rest := stream.UntilID(end.ID); len(rest) != 1 {
			t.Errorf("%v came besides", rest)
		}
	})
}

// A nonce is remembered for 30 days.
func TestNonceLife(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, harness.OwnClock())
	ann := s.User("ann")
	request := map[string]any{"text": "hi", "nonce": "1"}
	first := sent(send(ann, request))
	s.Advance(29 * 24 * time.Hour)
	if m := harness.Into[client.Message](send(ann, request).Want(200)); m.ID != first.ID {
		t.Errorf("after 29 days: %+v", m)
	}
	s.Advance(2 * 24 * time.Hour)
	second := harness.Into[client.Message](send(ann, request).Want(201))
	if m := harness.Into[client.Message](send(ann, request).Want(200)); m.ID != second.ID {
		t.Errorf("after 31 days: %+v, then %+v", second, m)
	}
}
