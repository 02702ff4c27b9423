package store

import (
	"errors"
	"maps"
	"testing"

	"parley/chat"
	"parley/models"
)

func TestLegacyIDs(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		do(t, s, func(tx chat.Tx) error { return tx.InsertLegacyID("frame", 7, ann.ID) })
		do(t, s, func(tx chat.Tx) error { return tx.InsertLegacyID("ws", 7, bob.ID) })
		for name, err := range map[string]error{
			"an id twice":    s.Do(t.Context(), func(tx chat.Tx) error { return tx.InsertLegacyID("frame", 7, bob.ID) }),
			"two ids of one": s.Do(t.Context(), func(tx chat.Tx) error { return tx.InsertLegacyID("frame", 8, ann.ID) }),
		} {
			if err == nil {
				t.Errorf("%s was taken", name)
			}
		}
		want := func(protocol string, ids map[int64]int64) {
			t.Helper()
			view(t, s, func(r chat.Reader) error {
				got, err := r.LegacyIDs(protocol, []int64{ann.ID, bob.ID, 99})
				if err != nil || !maps.Equal(got, ids) {
					t.Errorf("%s: %v, %v, want %v", protocol, got, err, ids)
				}
				for user, id := range ids {
					if got, err := r.LegacyUser(protocol, id); err != nil || got != user {
						t.Errorf("%s %d is %d, %v", protocol, id, got, err)
					}
				}
				if _, err := r.LegacyUser(protocol, 8); !errors.Is(err, chat.ErrNotFound) {
					t.Errorf("%s 8: %v", protocol, err)
				}
				return nil
			})
		}
		want("frame", map[int64]int64{ann.ID: 7})
		want("ws", map[int64]int64{bob.ID: 7})
		do(t, s, func(tx chat.Tx) error {
			user, err := tx.User(ann.ID)
			if err != nil {
				return err
			}
			return tx.DeleteUser(user, tx.NextID()-1, false)
		})
		want("frame", map[int64]int64{})
		want("ws", map[int64]int64{bob.ID: 7})
	})
}

// An account of which something is left stays.
func TestForgetUser(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleGuest), newUser(t, s, "bob", models.RoleGuest)
		eve := newUser(t, s, "eve", models.RoleGuest)
		newChannel(t, s, "tea", eve)
		send(t, s, models.LobbyID, bob.ID, "hello")
		do(t, s, func(tx chat.Tx) error { return tx.InsertLegacyID("ws", 7, ann.ID) })
		do(t, s, func(tx chat.Tx) error { return tx.InsertBlock(bob.ID, ann.ID) })
		do(t, s, func(tx chat.Tx) error {
			before, err := tx.Room(models.LobbyID)
			if err != nil {
				return err
			}
			for user, want := range map[models.User]bool{ann: true, bob: false, eve: false} {
				if got, err := tx.ForgetUser(user); err != nil || got != want {
					t.Errorf("%s: forgotten %v, %v", user.Name, got, err)
				}
			}
			after, err := tx.Room(models.LobbyID)
			if err != nil || after.MemberCount != before.MemberCount-1 {
				t.Errorf("%d members after %d, %v", after.MemberCount, before.MemberCount, err)
			}
			for _, key := range []string{"ann", "bob"} {
				if _, err := tx.UserByKey(key); (err == nil) != (key == "bob") {
					t.Errorf("%s: %v", key, err)
				}
			}
			return nil
		})
		view(t, s, func(r chat.Reader) error {
			if _, err := r.User(ann.ID); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("ann: %v", err)
			}
			if _, err := r.LegacyUser("ws", 7); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("ann's older id: %v", err)
			}
			return nil
		})
		if again := newUser(t, s, "ann", models.RoleGuest); again.ID == ann.ID {
			t.Error("an id came twice")
		}
	})
}

// The ids of an older protocol, as its gateway asks for them.
func TestLegacyAccounts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		service := chat.New(chat.Options{Store: s, Guests: true, Hasher: chat.NewHasher(chat.HashCost{MemoryKiB: 8, Passes: 1})})
		ctx := t.Context()
		register := func(id int64, name, password string) (models.User, error) {
			l := chat.LegacyAccount{Protocol: "frame", ID: id, Name: name, Prefix: "u-", Password: password, LeastPassword: 2}
			if password == "" {
				login, err := service.RegisterLegacy(ctx, l, chat.Device{})
				return login.Actor.User, err
			}
			if err := service.AddLegacy(ctx, l, chat.Device{}); err != nil {
				return models.User{}, err
			}
			return service.LegacyUser(ctx, "frame", id)
		}
		web := newUser(t, s, "web user", models.RoleMember)
		for _, tt := range []struct {
			id             int64
			name, password string
			want           string // the account's name, or the code of the refusal
			role           models.Role
		}{
			{7, "张三", "12", "张三", models.RoleMember}, // though it is the first with a password
			{7, "李四", "12", string(models.CodeConflict), ""},
			{8, "张三", "12", "u-8", models.RoleMember},
			{9, "a b", "12", "u-9", models.RoleMember},
			{-9, "x", "12", string(models.CodeValidationFailed), ""},
			{0, "x", "12", string(models.CodeValidationFailed), ""},
			{10, "u-10", "1", string(models.CodeValidationFailed), ""},
			{11, "", "", "u-11", models.RoleGuest},
			{12, "u-13", "", "u-13", models.RoleGuest},
			{13, "", "", "u-13-1", models.RoleGuest},
			{chat.LegacyOffset + web.ID, "x", "12", string(models.CodeValidationFailed), ""}, // others call the web user that
		} {
			user, err := register(tt.id, tt.name, tt.password)
			if err != nil && string(models.CodeOf(err)) != tt.want || err == nil && (user.Name != tt.want || user.Role != tt.role) {
				t.Errorf("%d %q: %+v, %v", tt.id, tt.name, user, err)
			}
		}
		ann, err := service.LegacyUser(ctx, "frame", 7)
		if err != nil || ann.Name != "张三" {
			t.Fatalf("7 is %+v, %v", ann, err)
		}
		for id, want := range map[int64]bool{
			7: true, 99: false, 0: false, chat.LegacyOffset + web.ID: true, chat.LegacyOffset + ann.ID: false, chat.LegacyOffset + 999: false,
		} {
			if _, err := service.LegacyUser(ctx, "frame", id); (err == nil) != want || err != nil && models.CodeOf(err) != models.CodeNotFound {
				t.Errorf("%d: %v", id, err)
			}
		}
		if u, err := service.LegacyUser(ctx, "ws", chat.LegacyOffset+ann.ID); err != nil || u.ID != ann.ID {
			t.Errorf("in another protocol: %+v, %v", u, err)
		}
		ids, err := service.LegacyIDs(ctx, "frame", []int64{ann.ID, web.ID})
		if err != nil || !maps.Equal(ids, map[int64]int64{ann.ID: 7, web.ID: chat.LegacyOffset + web.ID}) {
			t.Errorf("ids %v, %v", ids, err)
		}
		for _, tt := range []struct {
			id       int64
			password string
			want     models.Code
		}{{7, "12", ""}, {7, "13", models.CodeInvalidCredentials}, {99, "12", models.CodeNotFound}, {11, "", models.CodeInvalidCredentials}} {
			login, err := service.LoginLegacy(ctx, "frame", tt.id, tt.password, chat.Device{})
			if err == nil && (tt.want != "" || login.Actor.User.ID != ann.ID) || err != nil && models.CodeOf(err) != tt.want {
				t.Errorf("%d %q: %+v, %v", tt.id, tt.password, login.Actor.User, err)
			}
		}
		guest := newUser(t, s, "web guest", models.RoleGuest)
		for id, want := range map[int64]models.Code{
			11: "", 7: models.CodeUnauthorized, 99: models.CodeNotFound, chat.LegacyOffset + guest.ID: models.CodeUnauthorized,
		} {
			login, err := service.ReturnLegacy(ctx, "frame", id, chat.Device{})
			if err == nil && (want != "" || login.Actor.User.Name != "u-11") || err != nil && models.CodeOf(err) != want {
				t.Errorf("%d comes back: %+v, %v", id, login.Actor.User, err)
			}
		}
	})
}
