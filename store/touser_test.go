package store

import (
	"testing"

	"parley/chat"
	"parley/models"
)

// A message to somebody's id is theirs, whoever has taken their name meanwhile; to oneself, nobody or a visitor there is none.
func TestSendToUser(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		service := chat.New(chat.Options{Store: s})
		actor := chat.Actor{User: newUser(t, s, "ann", models.RoleMember)}
		bob, vic := newUser(t, s, "bob", models.RoleMember), newUser(t, s, "vic", models.RoleVisitor)
		rename := func(u models.User, name string) {
			do(t, s, func(tx chat.Tx) error {
				u.Name, u.Key = name, name
				return tx.UpdateUser(u)
			})
		}
		rename(bob, "bert")
		thief := newUser(t, s, "bob", models.RoleMember)
		for range 2 { // the first makes the conversation
			m, err := service.SendToUser(t.Context(), actor, bob.ID, "for your eyes only")
			if err != nil {
				t.Fatal(err)
			}
			view(t, s, func(r chat.Reader) error {
				room, err := r.Direct(actor.User.ID, bob.ID)
				if err != nil || room.ID != m.RoomID {
					t.Errorf("it went to room %d, theirs is %d, %v", m.RoomID, room.ID, err)
				}
				return nil
			})
		}
		for id, want := range map[int64]models.Code{
			actor.User.ID: models.CodeNotFound, vic.ID: models.CodeNotFound, 999: models.CodeNotFound, thief.ID: "",
		} {
			if _, err := service.SendToUser(t.Context(), actor, id, "x"); err == nil && want != "" || err != nil && models.CodeOf(err) != want {
				t.Errorf("to %d: %v", id, err)
			}
		}
		if _, err := service.SendToUser(t.Context(), actor, bob.ID, ""); models.CodeOf(err) != models.CodeValidationFailed {
			t.Errorf("nothing said: %v", err)
		}
	})
}
