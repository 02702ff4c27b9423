package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

// newBan adds a ban with an entry of its own.
func newBan(t *testing.T, s *Store, b models.Ban) models.Ban {
	t.Helper()
	do(t, s, func(tx chat.Tx) error {
		b.ID, b.CreatedAt = tx.NextID(), tx.Now()
		if _, err := tx.Append(models.Event{Type: models.UserBanned}, models.BanData{ID: b.ID}); err != nil {
			return err
		}
		return tx.InsertBan(b)
	})
	return b
}

func TestBans(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		o.Clock = fixedClock
		s := mustOpen(t, o)
		now := models.At(fixedClock())
		ann := newUser(t, s, "ann", models.RoleMember)
		past := newBan(t, s, models.Ban{UserID: ann.ID, UserName: "annie", Until: now, Reason: "old", ByName: "root"})
		gone := newBan(t, s, models.Ban{UserID: 999, UserName: "gone", Until: models.At(now.Add(time.Hour)), ByID: ann.ID, ByName: "ann"})
		one := newBan(t, s, models.Ban{Network: "192.0.2.7", Reason: "why \x7f \"", ByName: "root"})
		wide := newBan(t, s, models.Ban{Network: "192.0.0.0/8", ByName: "root"})
		past.UserName = "ann" // the present name
		check := func(r chat.Reader) error {
			for _, want := range []models.Ban{past, gone, one, wide} {
				if got, err := r.Ban(want.ID); err != nil || got != want {
					t.Errorf("ban %+v, %v, want %+v", got, err, want)
				}
			}
			if got, err := r.BanOfUser(ann.ID); err != nil || got != past {
				t.Errorf("ann's %+v, %v", got, err)
			}
			for what, err := range map[string]error{
				"Ban": errOf(r.Ban(12345)), "BanOfUser": errOf(r.BanOfUser(12345)), "of nobody": errOf(r.BanOfUser(0)),
			} {
				if !errors.Is(err, chat.ErrNotFound) {
					t.Errorf("%s: %v", what, err)
				}
			}
			for _, tt := range []struct {
				what string
				got  func() ([]models.Ban, error)
				want []models.Ban
			}{
				{"networks", func() ([]models.Ban, error) {
					return r.BansOfNetworks([]string{"192.0.2.0/24", "192.0.0.0/8", "192.0.2.7"})
				}, []models.Ban{one, wide}},
				{"no networks", func() ([]models.Ban, error) { return r.BansOfNetworks(nil) }, nil},
				{"no network", func() ([]models.Ban, error) { return r.BansOfNetworks([]string{""}) }, nil},
				{"addresses", r.AddressBans, []models.Ban{one, wide}},
				{"users", func() ([]models.Ban, error) { return r.BansOfUsers([]int64{0, ann.ID, 5555}) }, []models.Ban{past}},
				{"in force", func() ([]models.Ban, error) { return r.Bans(now, models.MaxID, 10) }, []models.Ban{wide, one, gone}},
				{"the second", func() ([]models.Ban, error) { return r.Bans(now, wide.ID, 1) }, []models.Ban{one}},
			} {
				if got, err := tt.got(); err != nil || !slices.Equal(got, tt.want) {
					t.Errorf("%s: %+v, %v, want %+v", tt.what, got, err, tt.want)
				}
			}
			return nil
		}
		view(t, s, check)
		do(t, s, func(tx chat.Tx) error { return check(tx) })
		do(t, s, func(tx chat.Tx) error {
			one.Until, one.Reason, one.ByID, one.ByName = now, "else", ann.ID, "ann"
			if err := tx.UpdateBan(one); err != nil {
				return err
			}
			if got, err := tx.Ban(one.ID); err != nil || got != one {
				t.Errorf("changed to %+v, %v", got, err)
			}
			return errors.Join(tx.DeleteBan(wide.ID), tx.DeletePastBans(now))
		})
		view(t, s, func(r chat.Reader) error {
			for id, want := range map[int64]bool{past.ID: false, gone.ID: true, one.ID: false, wide.ID: false} {
				if _, err := r.Ban(id); (err == nil) != want {
					t.Errorf("ban %d: %v, to be there: %v", id, err, want)
				}
			}
			return nil
		})
	})
}

func TestAuditPages(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		o.Clock = fixedClock
		s := mustOpen(t, o)
		full := models.AuditEntry{
			ActorID: 2, ActorName: "Ann", Action: models.AuditUserBan, UserID: 3, UserName: "bøb", RoomID: 4, RoomName: "tea",
			Network: "192.0.2.0/24", Detail: map[string]string{"reason": "\"<é\n"}, Address: "::1", Via: models.ViaHTTP,
		}
		do(t, s, func(tx chat.Tx) error {
			full.At = tx.Now()
			for range 2 {
				if err := tx.InsertAudit(full); err != nil {
					return err
				}
			}
			return tx.InsertAudit(models.AuditEntry{At: tx.Now(), ActorName: "root", Action: models.AuditUserKick, Via: models.ViaCLI})
		})
		pages := func(q models.AuditPage) (ids []int64, list []models.AuditEntry) {
			view(t, s, func(r chat.Reader) (err error) {
				list, err = r.Audit(q)
				return err
			})
			for _, e := range list {
				ids = append(ids, e.ID)
			}
			return ids, list
		}
		all, list := pages(models.AuditPage{Limit: 10})
		if len(all) != 3 || all[0] <= all[1] || all[1] <= all[2] {
			t.Fatalf("entries %v", all)
		}
		full.ID = all[2]
		if got := list[2]; fmt.Sprint(got) != fmt.Sprint(full) || !maps.Equal(got.Detail, full.Detail) {
			t.Errorf("%+v, want %+v", got, full)
		}
		for _, tt := range []struct {
			q    models.AuditPage
			want []int64
		}{
			{models.AuditPage{Limit: 2}, all[:2]},
			{models.AuditPage{Limit: 2, Before: all[1]}, all[2:]},
			{models.AuditPage{Limit: 9, ActorID: 2}, all[1:]},
			{models.AuditPage{Limit: 9, Action: models.AuditUserKick}, all[:1]},
			{models.AuditPage{Limit: 9, ActorID: 2, Action: models.AuditUserKick}, nil},
		} {
			if got, _ := pages(tt.q); !slices.Equal(got, tt.want) {
				t.Errorf("%+v gives %v, want %v", tt.q, got, tt.want)
			}
		}
		// A refused command leaves no entry.
		refused := errors.New("no")
		err := s.Do(t.Context(), func(tx chat.Tx) error {
			return errors.Join(tx.InsertAudit(full), refused)
		})
		if now, _ := pages(models.AuditPage{Limit: 10}); !errors.Is(err, refused) || len(now) != 3 {
			t.Errorf("%v, and the entries are %v", err, now)
		}
	})
}

func TestSessionsByAddress(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleAdmin)
		bob := newUser(t, s, "bob", models.RoleMember)
		var made []models.Session
		do(t, s, func(tx chat.Tx) error {
			made = nil
			for i, address := range []string{"192.0.2.1", "", "192.0.2.1"} {
				user := []models.User{ann, bob, bob}[i]
				session, err := tx.InsertSession(models.Session{
					UserID: user.ID, TokenHash: []byte{byte(i)}, CreatedAt: tx.Now(), LastUsedAt: tx.Now(), ExpiresAt: tx.Now(), Address: address,
				})
				if err != nil {
					return err
				}
				made = append(made, session)
			}
			return nil
		})
		view(t, s, func(r chat.Reader) error {
			addresses, err := r.SessionAddresses()
			slices.Sort(addresses)
			if err != nil || !slices.Equal(addresses, []string{"", "192.0.2.1"}) {
				t.Errorf("addresses %q, %v", addresses, err)
			}
			from, err := r.SessionsFrom("192.0.2.1")
			if err != nil || len(from) != 2 || from[0].ID != made[0].ID || from[1].ID != made[2].ID {
				t.Errorf("sessions %+v, %v", from, err)
			}
			return nil
		})
		do(t, s, func(tx chat.Tx) error { return tx.SetPassword(bob.ID, "$new$") })
		view(t, s, func(r chat.Reader) error {
			if hash, err := r.PasswordHash(bob.ID); hash != "$new$" || err != nil {
				t.Errorf("hash %q, %v", hash, err)
			}
			return nil
		})
		if err := s.Do(t.Context(), func(tx chat.Tx) error { return tx.SetPassword(9999, "x") }); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("a password for nobody: %v", err)
		}
	})
}

// Looking into a directory without a database makes none.
func TestExisting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir() + "/none"
	if s, err := Open(t.Context(), Options{Dir: dir, Existing: true}); !errors.Is(err, ErrNoDatabase) {
		t.Fatalf("got %v, %v", s, err)
	}
	s := mustOpen(t, Options{Dir: dir})
	if _, err := Open(t.Context(), Options{Dir: dir, Existing: true}); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, Options{Dir: dir, Existing: true})
}
