package store

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

func TestBlocks(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		o.Clock = fixedClock
		s := mustOpen(t, o)
		people := make([]models.User, 4)
		for i := range people {
			people[i] = newUser(t, s, fmt.Sprintf("user%d", i), models.RoleMember)
		}
		ann, bob, eve := people[0], people[1], people[2]
		block := func(by, of models.User) {
			t.Helper()
			do(t, s, func(tx chat.Tx) error { return tx.InsertBlock(by.ID, of.ID) })
		}
		unblock := func(by, of models.User) {
			t.Helper()
			do(t, s, func(tx chat.Tx) error { return tx.DeleteBlock(by.ID, of.ID) })
		}
		blocked := func(want string) {
			t.Helper()
			for name, read := range map[string]func(func(r chat.Reader) error){
				"view": func(f func(chat.Reader) error) { view(t, s, f) },
				"tx":   func(f func(chat.Reader) error) { do(t, s, func(tx chat.Tx) error { return f(tx) }) },
			} {
				read(func(r chat.Reader) error {
					got := ""
					for i, a := range people {
						for j, b := range people {
							one, err := r.Blocked(a.ID, b.ID)
							other, err2 := r.Blocked(b.ID, a.ID)
							if err := errors.Join(err, err2); err != nil || one != other {
								return fmt.Errorf("%s and %s: %v, %v, %w", a.Name, b.Name, one, other, err)
							}
							if one && i < j {
								got += fmt.Sprintf("%d%d ", i, j)
							}
						}
					}
					if got != want {
						t.Errorf("%s: blocked are %q, want %q", name, got, want)
					}
					return nil
				})
			}
		}
		blocked("")
		block(ann, bob)
		block(ann, bob)
		blocked("01 ")
		block(bob, ann)
		block(eve, ann)
		blocked("01 02 ")
		unblock(ann, bob)
		unblock(ann, bob)
		blocked("01 02 ")
		unblock(bob, ann)
		blocked("02 ")

		// What is refused, or fails, is forgotten by the writer too.
		refused := errors.New("refused")
		err := s.Do(t.Context(), func(tx chat.Tx) error {
			if err := errors.Join(tx.InsertBlock(ann.ID, bob.ID), tx.DeleteBlock(eve.ID, ann.ID)); err != nil {
				return err
			}
			if is, err := tx.Blocked(bob.ID, ann.ID); !is || err != nil {
				t.Errorf("a command does not see its own block: %v", err)
			}
			return refused
		})
		if !errors.Is(err, refused) {
			t.Errorf("got %v", err)
		}
		blocked("02 ")

		block(ann, people[3])
		block(ann, bob)
		block(ann, eve)
		view(t, s, func(r chat.Reader) error {
			var got []models.User
			for after := int64(0); ; {
				page, err := r.Blocks(ann.ID, after, 2)
				if err != nil {
					return err
				}
				for _, b := range page {
					if !b.CreatedAt.Equal(fixedClock()) {
						t.Errorf("blocked at %v", b.CreatedAt)
					}
					got = append(got, b.User)
				}
				if len(page) < 2 {
					break
				}
				after = got[len(got)-1].ID
			}
			if !slices.Equal(got, people[1:]) {
				t.Errorf("blocked are %+v", got)
			}
			return nil
		})
	})
}

// A message of a direct conversation asks for blocks: on SQLite the writer remembers that there are none, on
// PostgreSQL the batch asks once for all.
func TestBlocksAreAskedForTogether(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var reads atomic.Int64
		o.Fault = func(op string) error {
			if op == OpRead {
				reads.Add(1)
			}
			return nil
		}
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		cmds := make([]chat.Command, 20)
		for i := range cmds {
			other := newUser(t, s, fmt.Sprintf("user%d", i), models.RoleMember)
			if i%5 == 0 {
				do(t, s, func(tx chat.Tx) error { return tx.InsertBlock(other.ID, ann.ID) })
			}
			cmds[i] = func(tx chat.Tx) error {
				blocked, err := tx.Blocked(ann.ID, other.ID)
				if err == nil && blocked != (i%5 == 0) {
					t.Errorf("ann and user%d: blocked %v", i, blocked)
				}
				return err
			}
		}
		for round, most := range []int64{int64(len(cmds)), 0} {
			if s.engine.lockHead() {
				most = 0
			}
			reads.Store(0)
			for i, err := range together(t, s, cmds...) {
				if err != nil {
					t.Errorf("command %d: %v", i, err)
				}
			}
			if n := reads.Load(); n > most {
				t.Errorf("round %d: %d queries of single commands, want at most %d", round, n, most)
			}
		}
	})
}

func TestLiveSessions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		o.Clock = fixedClock
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		now := models.At(fixedClock())
		var want []int64
		do(t, s, func(tx chat.Tx) error {
			want = nil
			for i := range 12 {
				session := models.Session{
					UserID: ann.ID, TokenHash: []byte{byte(i)}, CreatedAt: now, LastUsedAt: now,
					ExpiresAt: models.At(now.Add(time.Duration(i%3-1) * time.Millisecond)),
				}
				if i%4 == 3 {
					session.UserID = bob.ID
				}
				session, err := tx.InsertSession(session)
				if err != nil {
					return err
				}
				if i%4 != 3 && i%3 != 0 {
					want = append(want, session.ID)
				}
			}
			return nil
		})
		slices.Reverse(want)
		view(t, s, func(r chat.Reader) error {
			for _, limit := range []int{1, 2, 5, 50} {
				var got []int64
				for before := int64(0); ; {
					page, err := r.LiveSessions(ann.ID, before, now, limit)
					if err != nil {
						return err
					}
					for _, session := range page {
						got = append(got, session.ID)
					}
					if len(page) < limit {
						break
					}
					before = got[len(got)-1]
				}
				if !slices.Equal(got, want) {
					t.Errorf("by %d: %v, want %v", limit, got, want)
				}
			}
			return nil
		})
	})
}

func TestSetPassword(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		do(t, s, func(tx chat.Tx) error {
			if err := tx.SetPassword(ann.ID, "$new$"); err != nil {
				return err
			}
			if hash, err := tx.PasswordHash(ann.ID); hash != "$new$" || err != nil {
				t.Errorf("in the command: %q, %v", hash, err)
			}
			return nil
		})
		view(t, s, func(r chat.Reader) error {
			hash, err := r.PasswordHash(ann.ID)
			other, err2 := r.PasswordHash(bob.ID)
			if hash != "$new$" || other != "" || err != nil || err2 != nil {
				t.Errorf("hashes %q, %q, %v, %v", hash, other, err, err2)
			}
			return nil
		})
		if err := s.Do(t.Context(), func(tx chat.Tx) error { return tx.SetPassword(999, "x") }); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("of nobody: %v", err)
		}
	})
}

func TestCloseTickets(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		at := func(sec int64) models.Time { return models.FromMillis(sec * 1000) }
		closed := map[byte]int64{1: 0, 2: 50, 3: 5} // what becomes of an unused, an open and a closed one
		do(t, s, func(tx chat.Tx) error {
			session, err := tx.InsertSession(models.Session{UserID: ann.ID, TokenHash: []byte{1}})
			if err != nil {
				return err
			}
			for id, k := range map[byte]models.Ticket{
				1: {CreatedAt: at(1)}, 2: {CreatedAt: at(1), UsedAt: at(2)}, 3: {CreatedAt: at(1), UsedAt: at(2), ClosedAt: at(5)},
			} {
				k.Hash, k.SessionID, k.UserID = []byte{id}, session.ID, ann.ID
				if err := tx.InsertTicket(k); err != nil {
					return err
				}
			}
			return tx.CloseTickets(at(50))
		})
		view(t, s, func(r chat.Reader) error {
			for id, want := range closed {
				k, err := r.Ticket([]byte{id})
				if got := millis(k.ClosedAt); err != nil || got != want*1000 {
					t.Errorf("ticket %d closed at %d, %v; want %d s", id, got, err, want)
				}
			}
			return nil
		})
	})
}
