package tests

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// A message is either before the deletion, and erased, or refused.
func TestSendRacesErasure(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann := s.User("root"), s.User("ann")
		sessions := []*harness.User{ann, s.Login("ann"), s.Login("ann")}
		var sending sync.WaitGroup
		var mu sync.Mutex
		taken := map[int64]bool{}
		enough := make(chan struct{})
		for i, u := range sessions {
			sending.Go(func() {
				for n := 0; ; n++ {
					a, err := s.Try(t.Context(), "POST", "/v1/send", u.Bearer(), harness.JSON(map[string]any{"text": "said", "nonce": fmt.Sprint(i, n)}))
					if err != nil {
						t.Error(err)
						return
					}
					if a.Status != 201 {
						a.Refused("unauthorized")
						return
					}
					mu.Lock()
					if taken[sent(a).ID] = true; len(taken) == 300 {
						close(enough)
					}
					mu.Unlock()
				}
			})
		}
		<-enough
		leave(ann, true).Want(204)
		sending.Wait()
		for id, text := range texts(root, "lobby") {
			if text != "" {
				t.Errorf("message %d still says %q", id, text)
			}
			delete(taken, id)
		}
		if len(taken) > 0 {
			t.Errorf("%d messages are not there at all", len(taken))
		}
		for _, e := range root.Events(0) {
			if strings.Contains(string(e.Data), "said") {
				t.Errorf("the log still has %s", e.Data)
			}
		}
	})
}

// Whoever logs in while the account is being deleted has no session afterwards, and the name goes to one only.
func TestLoginRacesDeletion(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, bob := s.User("root"), s.User("bob")
		// A password of his own: once he is called ann, a login of ann's must not be one of his.
		changePassword(bob, harness.Password, newPassword).Want(204)
		for range 5 {
			ann := s.User("ann")
			var racing sync.WaitGroup
			tokens := make(chan string, 8)
			for range 4 {
				racing.Go(func() {
					a, err := s.Try(t.Context(), "POST", "/v1/login", harness.JSON(map[string]any{"name": "ann", "password": harness.Password}))
					switch {
					case err != nil:
						t.Error(err)
					case a.Status == 200:
						tokens <- harness.Into[client.Session](a).Token
					default:
						a.Refused("invalid_credentials")
					}
				})
			}
			racing.Go(func() {
				if a, err := s.Try(t.Context(), "POST", "/v1/rename", bob.Bearer(), harness.JSON(map[string]any{"name": "ann"})); err != nil {
					t.Error(err)
				} else if a.Status != 200 {
					a.Refused("name_taken")
				}
			})
			racing.Go(func() {
				a, err := s.Try(t.Context(), "POST", "/v1/me/delete", ann.Bearer(), harness.JSON(map[string]any{"password": harness.Password}))
				if err != nil || a.Status != 204 {
					t.Errorf("%+v, %v", a, err)
				}
			})
			racing.Wait()
			close(tokens)
			for token := range tokens {
				s.Do("GET", "/v1/me", harness.Header("Authorization", "Bearer "+token)).Refused("unauthorized")
			}
			bob.Post("/v1/rename", map[string]any{"name": "bob"}).Want(200)
			if a := root.Get("/v1/users?q=ann").Want(200); strings.Contains(string(a.Body), "ann") {
				t.Errorf("ann is still there: %s", a.Body)
			}
		}
	})
}

// However an owner's leaving and another one's deletion fall together, a room with members has an owner.
func TestOwnersRaceDeletion(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, bob, carl := s.User("root"), s.User("bob"), s.User("carl")
		for i := range 10 {
			ann := s.User(fmt.Sprint("ann", i))
			room := fmt.Sprint("room", i)
			ann.Room(room, "public")
			ann.Add(room, bob, "owner")
			ann.Add(room, carl, "")
			var racing sync.WaitGroup
			heir := carl
			racing.Go(func() {
				a, err := s.Try(t.Context(), "POST", "/v1/rooms/"+room+"/leave", bob.Bearer())
				if err != nil {
					t.Error(err)
				} else if a.Status != 204 {
					a.Refused("conflict") // ann went first, and he was the last owner
					heir = bob
				}
			})
			racing.Go(func() {
				a, err := s.Try(t.Context(), "POST", "/v1/me/delete", ann.Bearer(), harness.JSON(map[string]any{"password": harness.Password}))
				if err != nil || a.Status != 204 {
					t.Errorf("%+v, %v", a, err)
				}
			})
			racing.Wait()
			members := harness.Into[client.MemberList](root.Get("/v1/rooms/" + room + "/members").Want(200)).Members
			for _, m := range members {
				if owns := m.Role == "owner"; owns != (m.User.ID == heir.ID) || m.User.ID == ann.ID {
					t.Errorf("%s is left with %+v, %s must own it", room, members, heir.Name)
				}
			}
			if len(members) == 0 || (heir == carl) != (len(members) == 1) {
				t.Errorf("%s is left with %+v", room, members)
			}
		}
	})
}
