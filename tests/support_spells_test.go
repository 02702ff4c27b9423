package tests

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// serving works out which events after the first are a user's from what an admin is given, who was one from the beginning: those
// to everyone, and those to the agents between a user.updated that makes the user agent or admin and one that ends it.
func serving(seen []harness.Event, user int64, first int64) (ids []int64) {
	agent := false
	for _, e := range seen {
		switch e.Type {
		case "support.updated":
			if !agent {
				continue
			}
		case "user.updated":
			if u := harness.DataOf[client.UserData](e).User; u.ID == user {
				agent = u.Role == "agent" || u.Role == "admin"
			}
		default: // of a room that the user is not in, or the admin's own
			continue
		}
		if e.ID > first {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

func ofSupport(events []harness.Event) (ids []int64) {
	for _, e := range events {
		if e.Type == "support.updated" || e.Type == "user.updated" {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// Who becomes an agent, and ceases to be one, and becomes one again, while agents are told of conversations, gets live what
// replays give them ever after: what was told while they were agent or admin.
func TestAgentsEventsLiveAndReplayed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		admin, bob, cas := s.User("admin"), s.User("bob"), s.User("cas")
		visitors := []*harness.User{s.Visitor("Li"), s.Visitor("Bo")}
		people := []*harness.User{bob, cas}
		first := admin.Head()
		live := map[*harness.User][]*harness.Stream{}
		for _, u := range people {
			live[u] = []*harness.Stream{u.Stream(harness.After(first)), u.NDJSON(harness.After(first)), u.Stream(harness.After(0))}
		}
		const changes = 60
		errs := make(chan error, len(people)+len(visitors))
		for i, u := range people {
			go func() { errs <- alternate(t, s, admin, u, rand.New(rand.NewPCG(seed, uint64(i))), changes) }()
		}
		for _, v := range visitors {
			go func() { errs <- chat(t, s, v, changes/2) }()
		}
		for range cap(errs) {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		admin.Post("/v1/rename", map[string]any{"name": "end"}).Want(200)
		end := admin.Head()
		seen := admin.NDJSON(harness.After(0)).UntilID(end)
		for _, u := range people {
			for i, st := range live[u] {
				after := first
				if i == 2 {
					after = 0
				}
				want := serving(seen, u.ID, max(after, u.ID))
				if got := ofSupport(st.UntilID(end)); !slices.Equal(got, want) {
					t.Errorf("%s got live %s", u.Name, difference(got, want))
				}
				for _, cursor := range []int64{after, first + (end-first)/3, end - 10} {
					want := serving(seen, u.ID, max(cursor, u.ID))
					if got := ofSupport(u.Stream(harness.After(cursor)).UntilID(end)); !slices.Equal(got, want) {
						t.Errorf("%s is given after %d %s", u.Name, cursor, difference(got, want))
					}
				}
			}
			told := 0
			for _, e := range seen {
				if e.Type == "support.updated" {
					told++
				}
			}
			if n := len(serving(seen, u.ID, first)); n < changes/4 || n > changes+told {
				t.Errorf("%s got %d events of %d: nothing was tried", u.Name, n, told)
			}
		}
	})
}

// alternate gives the user one role after the other.
func alternate(t *testing.T, s *harness.Server, admin, u *harness.User, rng *rand.Rand, n int) error {
	t.Helper()
	for range n {
		role := []string{"member", "member", "agent", "admin"}[rng.IntN(4)]
		a, err := s.Try(t.Context(), "PUT", "/v1/users/"+u.Ref()+"/role", admin.Bearer(), harness.JSON(inRole(role)))
		if err != nil || a.Status != 200 {
			return errors.Join(err, fmt.Errorf("role %s: %v", role, a))
		}
	}
	return nil
}

// chat opens a conversation and closes it, again and again.
func chat(t *testing.T, s *harness.Server, u *harness.User, n int) error {
	t.Helper()
	for range n {
		a, err := s.Try(t.Context(), "POST", "/v1/support/conversations", u.Bearer(), harness.JSON(map[string]any{}))
		if err != nil || a.Status != 201 {
			return errors.Join(err, fmt.Errorf("open: %v", a))
		}
		c := harness.Into[client.Conversation](a)
		a, err = s.Try(t.Context(), "POST", fmt.Sprintf("/v1/support/conversations/%d/close", c.ID), u.Bearer())
		if err != nil || a.Status != 200 {
			return errors.Join(err, fmt.Errorf("close: %v", a))
		}
	}
	return nil
}
