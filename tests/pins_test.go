package tests

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

func pinPath(message int64) string { return "/v1/messages/" + id(message) + "/pin" }

func pin(u *harness.User, message int64) *harness.Answer   { return u.Put(pinPath(message), nil) }
func unpin(u *harness.User, message int64) *harness.Answer { return u.Delete(pinPath(message)) }

// pinsOf gives all pages of a room's pins.
func pinsOf(u *harness.User, room string, limit int) (all []client.Pin) {
	for page := ""; ; {
		with := []harness.With{harness.Query("limit", fmt.Sprint(limit))}
		if page != "" {
			with = append(with, harness.Query("page", page))
		}
		list := harness.Into[client.PinList](u.Get("/v1/rooms/"+room+"/pins", with...).Want(200))
		all = append(all, list.Pins...)
		if list.NextPage == nil {
			return all
		}
		page = *list.NextPage
	}
}

func pinned(u *harness.User, room string, limit int) (ids []int64) {
	for _, p := range pinsOf(u, room, limit) {
		ids = append(ids, p.Message.ID)
	}
	return ids
}

func TestPins(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		eve := s.User("eve")
		eve.Room("tea", "public")
		eve.Add("tea", bob, "moderator")
		eve.Add("tea", ann, "")
		var m []int64
		for i := range 4 {
			m = append(m, eve.Send("tea", fmt.Sprint("number ", i)).ID)
		}
		react(bob, m[2], "👍").Want(204)
		react(eve, m[2], "👍").Want(204)
		stream := ann.Stream()
		want := func(message int64, is bool) {
			t.Helper()
			e := stream.Want("message.updated")[0]
			got := harness.DataOf[client.MessageData](e).Message
			if got.ID != message || (got.Pinned != nil) != is || is && !*got.Pinned || got.EditedAt != nil || got.Text == "" || e.RoomID != got.RoomID {
				t.Errorf("%v, want %d pinned: %v", e, message, is)
			}
			for _, r := range got.Reactions {
				if r.Me != nil {
					t.Errorf("an event says who its reader is: %v", e)
				}
			}
			if message == m[2] && counts(got) != "👍2" {
				t.Errorf("the event has %q", counts(got))
			}
		}
		for _, n := range []int{2, 0, 3} {
			pin(eve, m[n]).Want(204)
			pin(bob, m[n]).Want(204) // it is pinned: nothing is told, and it stays eve's pin
			want(m[n], true)
		}
		unpin(bob, m[1]).Want(204) // it is not pinned
		unpin(bob, m[0]).Want(204)
		unpin(bob, m[0]).Want(204)
		want(m[0], false)
		pin(bob, m[0]).Want(204)
		want(m[0], true)

		s.Restart()
		order := []int64{m[0], m[3], m[2]} // what was pinned last comes first
		for _, limit := range []int{1, 2, 3, 50} {
			if got := pinned(ann, "tea", limit); !slices.Equal(got, order) {
				t.Errorf("by %d: %v, want %v", limit, got, order)
			}
		}
		all := pinsOf(bob, "tea", 50)
		if all[0].PinnedBy.Name != "bob" || all[1].PinnedBy.ID != eve.ID || all[0].PinnedAt.Before(all[1].PinnedAt) || all[0].PinnedAt.IsZero() {
			t.Errorf("pins %+v", all)
		}
		if last := all[2].Message; last.Text != "number 2" || last.Pinned == nil || counts(last) != "👍2+" {
			t.Errorf("the first pin is %+v", last)
		}
		for _, got := range ann.History("tea") {
			if is := got.Pinned != nil; is != slices.Contains(order, got.ID) {
				t.Errorf("history: %d is pinned: %v", got.ID, is)
			}
		}
		if got := pinned(ann, "lobby", 50); len(got) != 0 {
			t.Errorf("the lobby has %v", got)
		}
		ann.Get("/v1/rooms/tea/pins?page=nonsense").Refused("validation_failed", "page")
		ann.Get("/v1/rooms/tea/pins?limit=0").Refused("validation_failed", "limit")

		// A pin goes with its message.
		eve.Post("/v1/me/delete", map[string]any{"password": harness.Password, "erase": true}).Want(204)
		if got := pinned(ann, "tea", 50); len(got) != 0 {
			t.Errorf("of deleted messages there are pins: %v", got)
		}
		before := ann.Head()
		pin(bob, m[1]).Refused("conflict")
		unpin(bob, m[2]).Want(204)
		if after := ann.Head(); after != before {
			t.Errorf("the log went from %d to %d", before, after)
		}
	})
}

func TestPinRights(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob, eve, carl := s.User("root"), s.User("ann"), s.User("bob"), s.User("eve"), s.User("carl")
		for name, visibility := range map[string]string{"open": "public", "secret": "private"} {
			ann.Room(name, visibility)
			ann.Add(name, bob, "moderator")
			ann.Add(name, eve, "")
		}
		open, secret, lobby := ann.Send("open", "hello").ID, ann.Send("secret", "hello").ID, ann.Send("lobby", "hello").ID
		direct := ann.Send("@bob", "hello").ID
		for _, tt := range []struct {
			u        *harness.User
			room     string
			message  int64
			pin, get int
		}{
			{root, "open", open, 204, 200}, {ann, "open", open, 204, 200}, {bob, "open", open, 204, 200}, {eve, "open", open, 403, 200}, {carl, "open", open, 403, 200},
			{root, "secret", secret, 204, 200}, {ann, "secret", secret, 204, 200}, {bob, "secret", secret, 204, 200}, {eve, "secret", secret, 403, 200}, {carl, "secret", secret, 404, 404},
			{root, "lobby", lobby, 204, 200}, {ann, "lobby", lobby, 403, 200}, {carl, "lobby", lobby, 403, 200},
			{ann, "@bob", direct, 403, 200}, {bob, "@ann", direct, 403, 200}, {root, "@ann", direct, 404, 404}, {eve, "@carl", direct, 404, 404},
		} {
			pin(tt.u, tt.message).Want(tt.pin)
			tt.u.Get("/v1/rooms/" + tt.room + "/pins").Want(tt.get)
			unpin(tt.u, tt.message).Want(tt.pin)
		}
		sameAsNone(t, pin(carl, secret), pin(carl, 1<<50))
		sameAsNone(t, unpin(carl, direct), unpin(carl, 1<<50))
		sameAsNone(t, carl.Get("/v1/rooms/secret/pins"), carl.Get("/v1/rooms/nowhere/pins"))
		// What took the admin's right is written down.
		wantAudit(t, audit(root, "&action=message.pin"),
			fmt.Sprintf("root message.pin #open [message_id:%d]", open), fmt.Sprintf("root message.pin #secret [message_id:%d]", secret),
			fmt.Sprintf("root message.pin #lobby [message_id:%d]", lobby))
		if got := audit(root, "&action=message.unpin"); len(got) != 3 {
			t.Errorf("unpinned: %v", got)
		}
		if got := audit(root, "&action=room.read"); len(got) != 1 {
			t.Errorf("read: %v", got)
		}
	})
}

// A room has at most 100 pins, however many are pinned at once.
func TestHundredPins(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		tea := ann.Room("tea", "public")
		ann.Room("other", "public")
		m := sendMany(t, s, ann, "tea", 110)
		for _, message := range m[:95] {
			pin(ann, message).Want(204)
		}
		var all sync.WaitGroup
		for _, message := range m[95:] {
			all.Go(func() {
				a, err := s.Try(t.Context(), "PUT", pinPath(message), ann.Bearer())
				if err != nil {
					t.Error(err)
				} else if a.Status != 204 {
					a.Refused("conflict")
				}
			})
		}
		all.Wait()
		got := pinned(ann, id(tea.ID), 30)
		if len(got) != 100 {
			t.Fatalf("there are %d pins", len(got))
		}
		pin(ann, got[0]).Want(204) // is pinned
		pin(ann, ann.Send("other", "hello").ID).Want(204)
		unpin(ann, got[50]).Want(204)
		pin(ann, got[50]).Want(204)
		if again := pinned(ann, id(tea.ID), 200); len(again) != 100 || again[0] != got[50] {
			t.Errorf("%d pins, the newest of %d", len(again), again[0])
		}
	})
}
