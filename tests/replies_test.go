package tests

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// answerTo answers a message.
func answerTo(u *harness.User, to any, text string, message int64) client.Message {
	return sent(send(u, map[string]any{"to": to, "text": text, "reply_to": message}).Want(201))
}

// thread is the whole thread of a message, read by pages of the size.
func thread(t *testing.T, u *harness.User, message int64, limit int) (all []client.Message) {
	t.Helper()
	with := []harness.With{harness.Query("limit", fmt.Sprint(limit))}
	for {
		list := harness.Into[client.ReplyList](u.Get("/v1/messages/"+id(message)+"/replies", with...).Want(200))
		if len(list.Replies) > limit {
			t.Errorf("a page of %d has %d", limit, len(list.Replies))
		}
		all = append(all, list.Replies...)
		if list.NextPage == nil {
			return all
		}
		with = []harness.With{harness.Query("limit", fmt.Sprint(limit)), harness.Query("page", *list.NextPage)}
	}
}

// inHistory is a message as the room's history has it.
func inHistory(t *testing.T, u *harness.User, room string, message int64) client.Message {
	t.Helper()
	for _, m := range u.History(room) {
		if m.ID == message {
			return m
		}
	}
	t.Fatalf("the history of %s has no %d", room, message)
	return client.Message{}
}

func TestThread(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "private")
		ann.Add("tea", bob, "")
		stream := bob.Stream()
		first := sent(send(ann, map[string]any{"to": "tea", "text": "first", "nonce": "first"}))
		other := ann.Send("tea", "another thread")
		if first.ReplyTo != nil || first.ThreadID != nil || first.Thread != nil || len(thread(t, bob, first.ID, 5)) != 0 {
			t.Errorf("nobody has answered %+v", first)
		}
		var want []int64
		answers := map[int64]int64{} // to what
		last := first.ID
		for i := range 5 {
			to := first.ID
			if i%2 == 1 {
				to = last // an answer to an answer
			}
			m := answerTo([]*harness.User{ann, bob}[i%2], "tea", fmt.Sprint("answer ", i), to)
			if *m.ReplyTo != to || *m.ThreadID != first.ID || m.Thread != nil {
				t.Errorf("the answer is %+v", m)
			}
			last = m.ID
			want, answers[m.ID] = append(want, m.ID), to
		}
		elsewhere := answerTo(bob, "tea", "in the other thread", other.ID)
		for _, limit := range []int{1, 2, 5, 200} {
			for _, message := range []int64{first.ID, want[0], want[4]} {
				got := thread(t, bob, message, limit)
				if !slices.Equal(idsOf(got), want) {
					t.Errorf("by pages of %d the thread of %d is %v, want %v", limit, message, idsOf(got), want)
				}
				for _, m := range got {
					if *m.ReplyTo != answers[m.ID] || *m.ThreadID != first.ID {
						t.Errorf("in the thread: %+v", m)
					}
				}
			}
		}
		if got := thread(t, ann, elsewhere.ID, 9); !slices.Equal(idsOf(got), []int64{elsewhere.ID}) {
			t.Errorf("the other thread is %v", idsOf(got))
		}
		// The first message, and it alone, says what there is.
		for how, m := range map[string]client.Message{
			"history": inHistory(t, bob, "tea", first.ID),
			"nonce":   sent(send(ann, map[string]any{"to": "tea", "text": "first", "nonce": "first"}).Want(200)),
		} {
			if m.Thread == nil || m.Thread.Replies != 5 || m.Thread.LastID != want[4] || m.Thread.LastAt.Before(m.CreatedAt) {
				t.Errorf("%s: the thread is %+v", how, m.Thread)
			}
		}
		if m := inHistory(t, bob, "tea", want[1]); m.Thread != nil {
			t.Errorf("an answer that was answered has the thread %+v", m.Thread)
		}
		// Events say where they belong, live and in replay, and nothing that changes.
		live := stream.UntilID(elsewhere.ID)
		for how, events := range map[string][]harness.Event{"live": live, "replay": bob.Events(first.ID - 1)} {
			seen := 0
			for _, e := range events {
				m := harness.DataOf[client.MessageData](e).Message
				if m.Thread != nil {
					t.Errorf("%s: %s", how, e.JSON)
				}
				if to, ok := answers[m.ID]; ok {
					seen++
					if m.ReplyTo == nil || *m.ReplyTo != to || m.ThreadID == nil || *m.ThreadID != first.ID {
						t.Errorf("%s: %s", how, e.JSON)
					}
				}
			}
			if seen != len(want) {
				t.Errorf("%s: %d answers", how, seen)
			}
		}
	})
}

// What cannot be answered is no message of the room, whatever the reason: the sender learns nothing.
func TestReplyTo(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob, carl := s.User("ann"), s.User("bob"), s.User("carl")
		ann.Room("tea", "public")
		ann.Add("tea", bob, "")
		ann.Room("secret", "private")
		secret, direct := ann.Send("secret", "x").ID, ann.Send("@carl", "x").ID
		tea, lobby := ann.Send("tea", "x").ID, ann.Send("lobby", "x").ID
		event := ann.Room("new", "public").ID
		head := ann.Head()
		check := unchanged(t, bob)
		for _, to := range []any{"tea", "lobby", "@ann"} { // the last is not made
			ids := []int64{secret, direct, event, 1, head + 10, 1<<53 - 1}
			if to != "tea" {
				ids = append(ids, tea)
			}
			if to != "lobby" {
				ids = append(ids, lobby)
			}
			var same string
			for _, id := range ids {
				p := send(bob, map[string]any{"to": to, "text": "x", "reply_to": id}).Refused("validation_failed", "reply_to")
				if said := fmt.Sprint(p.Title, p.Detail, p.Errors); same == "" {
					same = said
				} else if said != same {
					t.Errorf("to %v, %d: %s, others %s", to, id, said, same)
				}
			}
		}
		send(bob, map[string]any{"text": "x", "reply_to": tea}).Refused("validation_failed", "reply_to") // the room is not guessed
		for _, wrong := range []any{0, -1, 1.5, "x", true, []int{1}, int64(1) << 53, nil} {
			send(bob, map[string]any{"text": "x", "reply_to": wrong}).Refused("validation_failed", "reply_to")
		}
		for _, wrong := range []string{"", "0", "-1", "x", "1.5", "9007199254740992"} {
			bob.Do("POST", "/v1/send", harness.Form("text", "x", "reply_to", wrong)).Refused("validation_failed", "reply_to")
		}
		send(carl, map[string]any{"to": "secret", "text": "x", "reply_to": secret}).Refused("not_found")
		send(carl, map[string]any{"to": "tea", "text": "x", "reply_to": tea}).Refused("forbidden") // no member
		check()
		m := sent(bob.Do("POST", "/v1/send", harness.Form("text", "x", "reply_to", id(lobby))).Want(201))
		if *m.ReplyTo != lobby || *m.ThreadID != lobby {
			t.Errorf("by a form: %+v", m)
		}
	})
}

// A nonce stands for the whole request.
func TestReplyNonce(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	one, two := ann.Send("lobby", "one").ID, ann.Send("lobby", "two").ID
	plain := map[string]any{"text": "x", "nonce": "plain"}
	answer := map[string]any{"text": "x", "nonce": "answer", "reply_to": one}
	first, second := sent(send(ann, plain).Want(201)), sent(send(ann, answer).Want(201))
	if again := sent(send(ann, plain).Want(200)); again.ID != first.ID {
		t.Errorf("again: %+v", again)
	}
	if again := sent(send(ann, answer).Want(200)); again.ID != second.ID || *again.ReplyTo != one || *again.ThreadID != one {
		t.Errorf("again: %+v", again)
	}
	send(ann, map[string]any{"text": "x", "nonce": "plain", "reply_to": one}).Refused("nonce_reused")
	send(ann, map[string]any{"text": "x", "nonce": "answer"}).Refused("nonce_reused")
	send(ann, map[string]any{"text": "x", "nonce": "answer", "reply_to": two}).Refused("nonce_reused")
}

// A thread that somebody may not read is not there: the same answer as for a message that nobody sent.
func TestRepliesAreNotThere(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob, carl := s.User("root"), s.User("ann"), s.User("bob"), s.User("carl")
		ann.Room("secret", "private")
		ann.Add("secret", carl, "")
		secret := ann.Send("secret", "x").ID
		answerTo(carl, "secret", "y", secret)
		direct := ann.Send("@carl", "x").ID
		gone := ann.Room("gone", "public")
		inGone := ann.Send("gone", "x").ID
		ann.Delete("/v1/rooms/" + id(gone.ID)).Want(204)
		none := ann.Head() + 10
		same := func(u *harness.User, ref string) {
			t.Helper()
			want := u.Get("/v1/messages/" + id(none) + "/replies").Refused("not_found")
			got := u.Get("/v1/messages/" + ref + "/replies").Refused("not_found")
			if got.Title != want.Title || got.Detail != want.Detail {
				t.Errorf("%s: %+v, one that is not there %+v", ref, got, want)
			}
		}
		for _, message := range []int64{secret, direct, inGone, gone.ID, 1, ann.ID} {
			same(bob, id(message))
		}
		same(root, id(direct)) // directs of others do not exist for admins either
		for _, ref := range []string{"0", "-1", "x", "@ann", "1.0", "9007199254740992", "%20"} {
			same(ann, ref)
		}
		if got := thread(t, root, secret, 9); len(got) != 1 {
			t.Errorf("the admin reads %v", got)
		}
		entries := harness.Into[client.AuditList](root.Get("/v1/audit").Want(200)).Entries
		if len(entries) == 0 || entries[0].Room == nil || entries[0].Room.Name != "secret" {
			t.Errorf("that the admin read is not in the audit log: %+v", entries)
		}
		// Who was removed reads it no more.
		thread(t, carl, secret, 9)
		ann.Delete("/v1/rooms/secret/members/@carl").Want(204)
		same(carl, id(secret))
		for _, page := range []string{"x", "%20", "AAAA", "LTE"} {
			ann.Get("/v1/messages/"+id(secret)+"/replies?page="+page).Refused("validation_failed", "page")
		}
		for _, limit := range []string{"0", "201", "-1", "x", ""} {
			ann.Get("/v1/messages/"+id(secret)+"/replies?limit="+limit).Refused("validation_failed", "limit")
		}
	})
}

// Who sees a room from their joining on sees of a thread what was said since, and can answer that only.
func TestThreadSinceJoining(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "private")
		ann.Patch("/v1/rooms/tea", map[string]any{"history": "since_join"}).Want(200)
		first := ann.Send("tea", "before").ID
		early := answerTo(ann, "tea", "early", first).ID
		ann.Add("tea", bob, "")
		late := answerTo(ann, "tea", "late", early).ID
		for _, message := range []int64{first, early} {
			bob.Get("/v1/messages/" + id(message) + "/replies").Refused("not_found")
			send(bob, map[string]any{"to": "tea", "text": "x", "reply_to": message}).Refused("validation_failed", "reply_to")
		}
		mine := answerTo(bob, "tea", "mine", late)
		if *mine.ThreadID != first {
			t.Errorf("the thread is %+v", mine)
		}
		if got := idsOf(thread(t, bob, late, 1)); !slices.Equal(got, []int64{late, mine.ID}) {
			t.Errorf("bob reads %v", got)
		}
		if got := idsOf(thread(t, ann, late, 1)); !slices.Equal(got, []int64{early, late, mine.ID}) {
			t.Errorf("ann reads %v", got)
		}
	})
}

// Answers of many at once are all counted.
func TestRepliesTogether(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		first := ann.Send("lobby", "first").ID
		var wg sync.WaitGroup
		for range 20 {
			for _, u := range []*harness.User{ann, bob} {
				wg.Go(func() {
					_, err := s.Try(t.Context(), "POST", "/v1/send", u.Bearer(), harness.Form("text", "x", "reply_to", id(first)))
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
		wg.Wait()
		got := thread(t, bob, first, 7)
		if m := inHistory(t, bob, "lobby", first); len(got) != 40 || m.Thread.Replies != 40 || m.Thread.LastID != got[39].ID {
			t.Errorf("%d answers, the thread is %+v", len(got), m.Thread)
		}
	})
}

// An erased account's answers stay in the thread as tombstones and do not count.
func TestErasedReplies(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob := s.User("ann"), s.User("bob")
		first := bob.Send("lobby", "first").ID
		hers := ann.Send("lobby", "hers").ID
		one, two := answerTo(bob, "lobby", "one", first).ID, answerTo(ann, "lobby", "two", first).ID
		below := answerTo(bob, "lobby", "below", hers).ID
		leave(ann, true).Want(204)
		harness.Eventually(t, "ann's messages go", func() bool { return inHistory(t, bob, "lobby", two).DeletedAt != nil })
		got := thread(t, bob, two, 9)
		if !slices.Equal(idsOf(got), []int64{one, two}) || got[1].Text != "" || got[1].DeletedAt == nil || *got[1].ReplyTo != first {
			t.Errorf("the thread is %+v", got)
		}
		if m := inHistory(t, bob, "lobby", first); m.Thread == nil || m.Thread.Replies != 1 || m.Thread.LastID != one {
			t.Errorf("the thread has %+v", m.Thread)
		}
		// A thread goes on below a tombstone.
		more := answerTo(bob, "lobby", "more", hers)
		further := answerTo(bob, "lobby", "further", two)
		if *more.ThreadID != hers || *further.ThreadID != first {
			t.Errorf("%+v, %+v", more, further)
		}
		if m := inHistory(t, bob, "lobby", hers); m.Thread == nil || m.Thread.Replies != 2 || !slices.Equal(idsOf(thread(t, bob, hers, 9)), []int64{below, more.ID}) {
			t.Errorf("below the tombstone: %+v", m.Thread)
		}
	})
}
