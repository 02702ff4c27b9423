package tests

import (
	"sync"
	"sync/atomic"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

func blocksOf(u *harness.User, limit string) (names []string) {
	page := ""
	for {
		with := []harness.With{harness.Query("limit", limit)}
		if page != "" {
			with = append(with, harness.Query("page", page))
		}
		list := harness.Into[client.BlockList](u.Get("/v1/blocks", with...).Want(200))
		for _, b := range list.Blocks {
			names = append(names, b.User.Name)
		}
		if list.NextPage == nil {
			return names
		}
		page = *list.NextPage
	}
}

func TestBlocks(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		direct := sent(send(bob, map[string]any{"to": "@ann", "text": "hi", "nonce": "1"})).RoomID
		tea := ann.Room("tea", "public").ID
		ann.Add("tea", bob, "")
		annStream, bobStream := ann.Stream(), bob.Stream()
		before := admin.Head()
		for range 2 {
			ann.Put("/v1/blocks/@BOB", nil).Want(204)
		}
		for _, u := range []*harness.User{admin, ann, bob} {
			if told := u.Events(before); len(told) != 0 {
				t.Errorf("%s is told of a block: %v", u.Name, told)
			}
		}

		// Neither reaches the other, and both are told the same, by whatever reference.
		refused := func() {
			t.Helper()
			var first string
			for _, tt := range []struct {
				u  *harness.User
				to any
			}{{ann, "@bob"}, {bob, "@ann"}, {ann, direct}, {bob, direct}, {bob, id(direct)}, {bob, "@ANN"}} {
				p := send(tt.u, map[string]any{"to": tt.to, "text": "hi"}).Refused("forbidden")
				if first == "" {
					first = p.Detail
				}
				if p.Detail != first {
					t.Errorf("%s to %v is told %q, others %q", tt.u.Name, tt.to, p.Detail, first)
				}
			}
		}
		refused()
		// What was said stays, and so do rooms, and the answer to a repeat.
		for _, u := range []*harness.User{ann, bob} {
			if got := u.History(id(direct)); len(got) != 1 || got[0].Text != "hi" {
				t.Errorf("%s reads %+v", u.Name, got)
			}
		}
		if m := harness.Into[client.Message](send(bob, map[string]any{"to": "@ann", "text": "hi", "nonce": "1"}).Want(200)); m.RoomID != direct {
			t.Errorf("the repeat gives %+v", m)
		}
		send(bob, map[string]any{"to": "tea", "text": "in tea"}).Want(201)
		bob.Send("lobby", "in the lobby")
		for _, st := range []*harness.Stream{annStream, bobStream} {
			if got := harness.DataOf[client.MessageData](st.Want("message.created")[0]).Message; got.RoomID != tea {
				t.Errorf("%+v", got)
			}
			st.Want("message.created")
		}

		// A block is of the person, not of the name.
		bob.Post("/v1/rename", map[string]any{"name": "robert"}).Want(200)
		send(bob, map[string]any{"to": "@ann", "text": "hi"}).Refused("forbidden")
		s.User("bob").Send("@ann", "another bob")
		if got := blocksOf(ann, "50"); len(got) != 1 || got[0] != "robert" {
			t.Errorf("blocked: %v", got)
		}
		bob.Post("/v1/rename", map[string]any{"name": "bobby"}).Want(200)
		if got := blocksOf(bob, "50"); len(got) != 0 {
			t.Errorf("bob blocks %v", got)
		}

		// It is lifted by whom it is; the other's own stays.
		bob.Put("/v1/blocks/"+ann.Ref(), nil).Want(204)
		ann.Delete("/v1/blocks/@bobby").Want(204)
		ann.Delete("/v1/blocks/@bobby").Want(204)
		send(ann, map[string]any{"to": direct, "text": "hi"}).Refused("forbidden")
		s.Restart()
		send(ann, map[string]any{"to": direct, "text": "hi"}).Refused("forbidden")
		bob.Delete("/v1/blocks/@ann").Want(204)
		ann.Send("@bobby", "again")
		bob.Send("@ann", "again")
	})
}

func TestBlocksOfAll(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin, ann := s.User("root"), s.User("ann")
		guest := s.Guest("passer-by")
		// Where there was no conversation there comes none.
		for _, pair := range [][2]*harness.User{{ann, admin}, {admin, guest}, {guest, ann}} {
			by, of := pair[0], pair[1]
			by.Put("/v1/blocks/"+of.Ref(), nil).Want(204)
			send(by, map[string]any{"to": "@" + of.Name, "text": "hi"}).Refused("forbidden")
			send(of, map[string]any{"to": "@" + by.Name, "text": "hi"}).Refused("forbidden")
			by.Get("/v1/rooms/@" + of.Name).Refused("not_found")
			if got := of.History("@" + by.Name); len(got) != 0 {
				t.Errorf("history %v", got)
			}
		}
		for i := range 5 {
			ann.Put("/v1/blocks/"+s.User("user"+id(int64(i))).Ref(), nil).Want(204)
		}
		for _, limit := range []string{"1", "2", "3", "6", "50"} {
			if got := blocksOf(ann, limit); len(got) != 6 || got[0] != "root" || got[5] != "user4" {
				t.Errorf("by %s: %v", limit, got)
			}
		}
		one := harness.Into[client.BlockList](ann.Get("/v1/blocks").Want(200)).Blocks[0]
		if one.User.ID != admin.ID || string(one.User.Role) != "admin" || one.User.DisplayName != "root" || one.CreatedAt.IsZero() {
			t.Errorf("%+v", one)
		}
		for _, method := range []string{"PUT", "DELETE"} {
			ann.Do(method, "/v1/blocks/@ann").Refused("validation_failed", "user")
			ann.Do(method, "/v1/blocks/999999").Refused("not_found")
		}
		ann.Get("/v1/blocks?limit=0").Refused("validation_failed", "limit")
		ann.Get("/v1/blocks?page=nonsense").Refused("validation_failed", "page")
	})
}

// After a block was answered, no message between the two gets a number, however many are on their way.
func TestBlockIsNotOvertaken(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		const others = 4
		people := make([]*harness.User, others)
		for i := range people {
			people[i] = s.User("user" + id(int64(i)))
			people[i].Send("@ann", "before")
		}
		for range 3 {
			var all sync.WaitGroup
			var stop atomic.Bool
			newest := make([]int64, others)
			for i, u := range people {
				all.Go(func() {
					for !stop.Load() {
						a, err := s.Try(t.Context(), "POST", "/v1/send", u.Bearer(), harness.Form("to", "@ann", "text", "hi"))
						if err != nil {
							t.Error(err)
							return
						}
						if a.Status == 201 {
							newest[i] = sent(a).ID
						} else {
							a.Refused("forbidden")
						}
					}
				})
			}
			heads := make([]int64, others)
			for i, u := range people {
				ann.Send("lobby", "time goes by")
				ann.Put("/v1/blocks/"+u.Ref(), nil).Want(204)
				heads[i] = ann.Head()
			}
			ann.Send("lobby", "time goes by")
			stop.Store(true)
			all.Wait()
			for i, u := range people {
				if newest[i] > heads[i] {
					t.Errorf("message %d after the block at %d", newest[i], heads[i])
				}
				ann.Delete("/v1/blocks/" + u.Ref()).Want(204)
				u.Send("@ann", "after")
			}
		}
	})
}
