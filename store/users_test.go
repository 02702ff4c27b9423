package store

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	"parley/chat"
	"parley/models"
)

func TestUsers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		o.Clock = fixedClock
		s := mustOpen(t, o)
		view(t, s, func(r chat.Reader) error {
			if some, err := r.HasAccounts(); some || err != nil {
				t.Errorf("a fresh database has accounts: %v, %v", some, err)
			}
			return nil
		})
		ann := newUser(t, s, "Ann", models.RoleGuest)
		var bob models.User
		do(t, s, func(tx chat.Tx) error {
			bob = models.User{
				ID: tx.NextID(), Name: "Bøb", Key: "bøb", DisplayName: "Bob the \"builder\"", Role: models.RoleVisitor,
				StatusText: "out", CreatedAt: tx.Now(), LastSeenAt: tx.Now(),
			}
			if _, err := tx.Append(models.Event{Type: models.UserRegistered}, models.RegisteredData{}); err != nil {
				return err
			}
			return tx.InsertUser(bob, "$hash$")
		})
		check := func(r chat.Reader) error {
			got, err := r.User(bob.ID)
			if err != nil || got != bob {
				t.Errorf("user %+v, %v, want %+v", got, err, bob)
			}
			if got, err = r.UserByKey("bøb"); err != nil || got != bob {
				t.Errorf("by key %+v, %v", got, err)
			}
			all, err := r.Users([]int64{bob.ID, 999, ann.ID, ann.ID})
			slices.SortFunc(all, func(a, b models.User) int { return int(a.ID - b.ID) })
			if err != nil || !slices.Equal(all, []models.User{ann, bob}) {
				t.Errorf("users %+v, %v", all, err)
			}
			if none, err := r.Users(nil); len(none) != 0 || err != nil {
				t.Errorf("no users: %v, %v", none, err)
			}
			hash, err := r.PasswordHash(bob.ID)
			noHash, err2 := r.PasswordHash(ann.ID)
			if hash != "$hash$" || noHash != "" || err != nil || err2 != nil {
				t.Errorf("hashes %q, %q, %v, %v", hash, noHash, err, err2)
			}
			if some, err := r.HasAccounts(); !some || err != nil {
				t.Errorf("accounts: %v, %v", some, err)
			}
			lobby, err := r.Room(models.LobbyID)
			if err != nil || lobby.MemberCount != 1 {
				t.Errorf("the lobby has %d members (%v), a visitor is none", lobby.MemberCount, err)
			}
			for what, err := range map[string]error{
				"User":         errOf(r.User(999)),
				"UserByKey":    errOf(r.UserByKey("nobody")),
				"NUL":          errOf(r.UserByKey("a\x00b")),
				"not UTF-8":    errOf(r.UserByKey("a\xff")),
				"PasswordHash": errOf(r.PasswordHash(999)),
			} {
				if !errors.Is(err, chat.ErrNotFound) {
					t.Errorf("%s of nobody: %v", what, err)
				}
			}
			return nil
		}
		view(t, s, check)
		do(t, s, func(tx chat.Tx) error { return check(tx) })

		bob.Name, bob.Key, bob.Role, bob.StatusText, bob.DisplayName = "Rob", "rob", models.RoleMember, "in", "R"
		do(t, s, func(tx chat.Tx) error { return tx.UpdateUser(bob) })
		view(t, s, func(r chat.Reader) error {
			got, err := r.User(bob.ID)
			lobby, err2 := r.Room(models.LobbyID)
			if got != bob || lobby.MemberCount != 2 || err != nil || err2 != nil {
				t.Errorf("after the update %+v, %v; lobby %d, %v", got, err, lobby.MemberCount, err2)
			}
			return nil
		})
		err := s.Do(context.Background(), func(tx chat.Tx) error { return tx.UpdateUser(models.User{ID: 999}) })
		if !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("update of nobody: %v", err)
		}
	})
}

func errOf[T any](_ T, err error) error { return err }

func TestUsersByPrefix(t *testing.T) {
	t.Parallel()
	keys := []string{
		"50%", "50%off", "500", "_x", "a", "a_b", "a_c", "axb", "b", "z", "é", "éa", "ab", "abc", "ac",
		"퟿", "퟿x", "\ue000", "￿", "小", "小明", "小红", "\U0010FFFF", "\U0010FFFFz", "x\U0010FFFF", "x\U0010FFFFy", "y",
	}
	slices.Sort(keys)
	prefixes := append(slices.Clone(keys), "", "%", "_", "5", "a_", "q", "小", "ab%", `a\`, "a\x00", "a\xff")
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		do(t, s, func(tx chat.Tx) error {
			for _, k := range keys {
				u := models.User{ID: tx.NextID(), Name: k, Key: k, Role: models.RoleMember}
				if _, err := tx.Append(models.Event{Type: models.UserRegistered}, 0); err != nil {
					return err
				}
				if err := tx.InsertUser(u, ""); err != nil {
					return err
				}
				// Between any two is a visitor, whom nobody finds.
				hidden := models.User{ID: tx.NextID(), Name: k + "!", Key: k + "!", Role: models.RoleVisitor}
				if _, err := tx.Append(models.Event{Type: models.UserRegistered}, 0); err != nil {
					return err
				}
				if err := tx.InsertUser(hidden, ""); err != nil {
					return err
				}
			}
			return nil
		})
		view(t, s, func(r chat.Reader) error {
			for _, prefix := range prefixes {
				var want []string
				for _, k := range keys {
					if len(k) >= len(prefix) && k[:len(prefix)] == prefix {
						want = append(want, k)
					}
				}
				var got []string
				for after := ""; ; {
					page, err := r.UsersByPrefix(prefix, after, 2)
					if err != nil {
						return err
					}
					for _, u := range page {
						got = append(got, u.Key)
					}
					if len(page) < 2 {
						break
					}
					after = got[len(got)-1]
				}
				if !slices.Equal(got, want) {
					t.Errorf("prefix %q gives %q, want %q", prefix, got, want)
				}
			}
			return nil
		})
	})
}

func FuzzSuccessor(f *testing.F) {
	for _, s := range []string{"", "a", "퟿", "\U0010FFFF", "a\U0010FFFF\U0010FFFF", "a\xff"} {
		f.Add(s, "b")
	}
	f.Fuzz(func(t *testing.T, prefix, other string) {
		if !utf8.ValidString(prefix) || !utf8.ValidString(other) {
			t.Skip()
		}
		next := successor(prefix)
		if !utf8.ValidString(next) || next != "" && next <= prefix {
			t.Fatalf("successor of %q is %q", prefix, next)
		}
		begins := len(other) >= len(prefix) && other[:len(prefix)] == prefix
		if inRange := other >= prefix && (next == "" || other < next); begins != inRange {
			t.Errorf("%q begins with %q: %v, but in the range to %q: %v", other, prefix, begins, next, inRange)
		}
	})
}

func TestSessionsAndTickets(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		o.Clock = fixedClock
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		now := models.At(fixedClock())
		later := models.At(now.Add(time.Hour))
		one := models.Session{
			UserID: ann.ID, TokenHash: []byte{0, 1, 255}, CreatedAt: now, LastUsedAt: now, ExpiresAt: later,
			Agent: "curl", Address: "::1",
		}
		two := one
		two.TokenHash = []byte{2}
		ticket := models.Ticket{Hash: []byte{9}, UserID: ann.ID, CreatedAt: now}
		do(t, s, func(tx chat.Tx) (err error) {
			if one, err = tx.InsertSession(one); err != nil {
				return err
			}
			if two, err = tx.InsertSession(two); err != nil {
				return err
			}
			ticket.SessionID = one.ID
			return tx.InsertTicket(ticket)
		})
		if one.ID == 0 || two.ID <= one.ID {
			t.Fatalf("session ids %d, %d", one.ID, two.ID)
		}
		sessionIs(t, s, one)
		ticketIs(t, s, ticket)

		one.LastUsedAt, one.ExpiresAt = later, models.At(later.Add(time.Hour))
		ticket.UsedAt, ticket.ClosedAt = now, later
		do(t, s, func(tx chat.Tx) error {
			return errors.Join(tx.TouchSession(one.ID, one.LastUsedAt, one.ExpiresAt),
				tx.TouchSession(one.ID, now, now), // an older touch that comes late
				tx.SetTicketUse(ticket.Hash, ticket.UsedAt, ticket.ClosedAt))
		})
		sessionIs(t, s, one)
		ticketIs(t, s, ticket)
		for _, read := range []func(func(chat.Reader) error){
			func(f func(chat.Reader) error) { view(t, s, f) },
			func(f func(chat.Reader) error) { do(t, s, func(tx chat.Tx) error { return f(tx) }) },
		} {
			read(func(r chat.Reader) error {
				if u, err := r.User(ann.ID); !u.LastSeenAt.Equal(later.Time) {
					t.Errorf("last seen %v, %v, want %v", u.LastSeenAt, err, later)
				}
				return nil
			})
		}
		latest := models.At(later.Add(time.Minute))
		before := two
		two.LastUsedAt, two.ExpiresAt = latest, models.At(latest.Add(time.Hour))
		do(t, s, func(tx chat.Tx) error {
			gone := models.Session{ID: 999, UserID: 999}
			return errors.Join(tx.TouchSessions([]models.Session{before, gone}, latest, two.ExpiresAt),
				tx.TouchSessions([]models.Session{before, gone}, now, now)) // an older one that comes late
		})
		sessionIs(t, s, one)
		sessionIs(t, s, two)
		do(t, s, func(tx chat.Tx) error {
			if u, err := tx.User(ann.ID); !u.LastSeenAt.Equal(latest.Time) {
				t.Errorf("last seen %v, %v, want %v", u.LastSeenAt, err, latest)
			}
			return nil
		})
		do(t, s, func(tx chat.Tx) error { return tx.DeleteSession(one.ID) })
		view(t, s, func(r chat.Reader) error {
			for what, err := range map[string]error{
				"Session": errOf(r.Session(one.ID)), "SessionByHash": errOf(r.SessionByHash(one.TokenHash)),
				"Ticket": errOf(r.Ticket(ticket.Hash)), "no hash": errOf(r.SessionByHash(nil)),
			} {
				if !errors.Is(err, chat.ErrNotFound) {
					t.Errorf("%s after the session's end: %v", what, err)
				}
			}
			return nil
		})
		sessionIs(t, s, two)
		for _, gone := range []chat.Command{
			func(tx chat.Tx) error { return tx.TouchSession(one.ID, now, now) },
			func(tx chat.Tx) error { return tx.SetTicketUse(ticket.Hash, now, now) },
		} {
			if err := s.Do(context.Background(), gone); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("an update of what is gone: %v", err)
			}
		}
		do(t, s, func(tx chat.Tx) error { return tx.DeleteSession(one.ID) }) // again changes nothing
	})
}

func sessionIs(t *testing.T, s *Store, want models.Session) {
	t.Helper()
	view(t, s, func(r chat.Reader) error {
		for _, get := range []func() (models.Session, error){
			func() (models.Session, error) { return r.Session(want.ID) },
			func() (models.Session, error) { return r.SessionByHash(want.TokenHash) },
		} {
			got, err := get()
			if err != nil {
				return err
			}
			if string(got.TokenHash) != string(want.TokenHash) {
				t.Errorf("hash %v", got.TokenHash)
			}
			got.TokenHash, want.TokenHash = nil, slices.Clone(want.TokenHash)
			if a, b := got, want; a.ID != b.ID || a.UserID != b.UserID || a.CreatedAt != b.CreatedAt || a.LastUsedAt != b.LastUsedAt ||
				a.ExpiresAt != b.ExpiresAt || a.Agent != b.Agent || a.Address != b.Address {
				t.Errorf("session %+v, want %+v", got, want)
			}
		}
		return nil
	})
}

func ticketIs(t *testing.T, s *Store, want models.Ticket) {
	t.Helper()
	view(t, s, func(r chat.Reader) error {
		got, err := r.Ticket(want.Hash)
		if err != nil {
			return err
		}
		if got.SessionID != want.SessionID || got.UserID != want.UserID || got.CreatedAt != want.CreatedAt ||
			got.UsedAt != want.UsedAt || got.ClosedAt != want.ClosedAt || got.UsedAt.IsZero() != want.UsedAt.IsZero() {
			t.Errorf("ticket %+v, want %+v", got, want)
		}
		return nil
	})
}

func TestDeleteTickets(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		at := func(sec int64) models.Time { return models.FromMillis(sec * 1000) }
		tickets := map[byte]models.Ticket{
			1: {CreatedAt: at(10)},                                         // unused and old: goes
			2: {CreatedAt: at(30)},                                         // unused, young
			3: {CreatedAt: at(1), UsedAt: at(2)},                           // a stream is open
			4: {CreatedAt: at(1), UsedAt: at(2), ClosedAt: at(5)},          // closed long ago: goes
			5: {CreatedAt: at(1), UsedAt: at(2), ClosedAt: at(15)},         // closed a moment ago
			6: {CreatedAt: at(20), UsedAt: at(20), ClosedAt: at(9)},        // goes
			7: {CreatedAt: at(20), UsedAt: models.Time{}, ClosedAt: at(0)}, // just at the limit
		}
		do(t, s, func(tx chat.Tx) error {
			session, err := tx.InsertSession(models.Session{UserID: ann.ID, TokenHash: []byte{1}})
			if err != nil {
				return err
			}
			for id, k := range tickets {
				k.Hash, k.SessionID, k.UserID = []byte{id}, session.ID, ann.ID
				if err := tx.InsertTicket(k); err != nil {
					return err
				}
			}
			for _, want := range []int{2, 1, 0} { // one of each sort at a time
				if n, err := tx.DeleteTickets(at(20), at(10), 1); err != nil || n != want {
					t.Errorf("deleted %d, %v, want %d", n, err, want)
				}
			}
			return nil
		})
		view(t, s, func(r chat.Reader) error {
			for id := range tickets {
				_, err := r.Ticket([]byte{id})
				if gone := errors.Is(err, chat.ErrNotFound); gone != (id == 1 || id == 4 || id == 6) {
					t.Errorf("ticket %d: %v", id, err)
				}
			}
			return nil
		})
	})
}
