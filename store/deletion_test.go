package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/chat"
	"parley/models"
)

// buryAll makes tombstones of all that a user said, in steps.
func buryAll(t *testing.T, s *Store, u models.User, step int) {
	t.Helper()
	for {
		var ids []int64
		view(t, s, func(r chat.Reader) error {
			live, err := r.LiveMessages(u.ID, chat.MessageKey{}, step)
			for _, message := range live {
				ids = append(ids, message.ID)
			}
			return err
		})
		if len(ids) == 0 {
			return
		}
		do(t, s, func(tx chat.Tx) error { return bury(tx, ids) })
	}
}

func bury(tx chat.Tx, ids []int64) error {
	return errors.Join(tx.BuryMessages(ids), tx.RewriteEntries(ids, func(e *models.Event) error { return e.Bury(tx.Now(), "") }))
}

// Whatever is erased in whatever order, nothing of it stays in the files: neither where it was, nor in copies
// that were made of it while others were erased.
func TestNothingBuriedIsInTheFiles(t *testing.T) {
	t.Parallel()
	// Of many seeds those with which rows that change their size leave something behind: it is rare. Where entries of the
	// log get another length, other seeds do: the mutant erased-rows-shrink tells.
	seeds := []uint64{6, 13, 34}
	if testing.Short() {
		seeds = seeds[:1] // the race detector finds the same in each
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			nothingBuriedIsInTheFiles(t, rand.New(rand.NewPCG(seed, 2)))
		})
	}
}

func nothingBuriedIsInTheFiles(t *testing.T, random *rand.Rand) {
	t.Helper()
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	var users []models.User
	for i := range 6 {
		users = append(users, newUser(t, s, fmt.Sprint("user", i), models.RoleMember))
	}
	for range 100 {
		do(t, s, func(tx chat.Tx) error {
			for range 60 {
				u := users[random.IntN(len(users))]
				text := fmt.Sprintf("SECRET%d.", u.ID) + strings.Repeat("x", random.IntN(30))
				if random.IntN(20) == 0 {
					text += strings.Repeat("long", random.IntN(2200)) // has pages of its own
				}
				if _, err := post(tx, models.LobbyID, u.ID, text, ""); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for n, u := range users[:5] {
		buryAll(t, s, u, 100)
		if err := s.Scrub(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, gone := range users[:n+1] {
			word := fmt.Appendf(nil, "SECRET%d.", gone.ID)
			for _, name := range []string{sqliteFile, sqliteFile + "-wal"} {
				content, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				if found := bytes.Count(content, word); found > 0 {
					t.Errorf("after %d were erased, %s has %d texts of the %d.", n+1, name, found, gone.ID)
				}
			}
		}
	}
	page, err := s.Page(context.Background(), users[5].ID, 0, 10000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range page.Events {
		own := bytes.Contains(e.JSON, fmt.Appendf(nil, "SECRET%d.", users[5].ID))
		if tomb := bytes.Contains(e.JSON, []byte("deleted_at")); own == tomb {
			t.Fatalf("%s", e.JSON)
		}
	}
}

// What is rewritten in the batch that appended it is published as it was rewritten, unless the command that
// rewrote it was refused.
func TestRewrittenInTheSameBatch(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var rec recorder
		o.OnCommit = rec.add
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		var first, second models.Message
		say := func(m *models.Message, text string) chat.Command {
			return func(tx chat.Tx) (err error) {
				*m, err = post(tx, models.LobbyID, ann.ID, text, text)
				return err
			}
		}
		errs := together(t, s,
			say(&first, "secret"), say(&second, "stays"),
			func(tx chat.Tx) error { return bury(tx, []int64{first.ID}) },
			func(tx chat.Tx) error { return errors.Join(bury(tx, []int64{second.ID}), errMuted) })
		if err := errors.Join(errs[:3]...); err != nil || !errors.Is(errs[3], errMuted) {
			t.Fatal(errs)
		}
		page, err := s.Page(context.Background(), ann.ID, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		published := map[int64]string{}
		for _, e := range slices.Clone(rec.events) {
			published[e.ID] = string(e.JSON)
			if e.Type == models.LogRewritten && (e.Change.Kind != models.EntriesGone || fmt.Sprint(e.Change.EventIDs) != fmt.Sprint([]int64{first.ID})) {
				t.Errorf("the caches are told %+v", e.Change)
			}
		}
		for _, e := range page.Events {
			if published[e.ID] != string(e.JSON) {
				t.Errorf("published was %s, the log has %s", published[e.ID], e.JSON)
			}
		}
		both(t, s, func(r chat.Reader) error {
			for id, text := range map[int64]string{first.ID: "", second.ID: "stays"} {
				now, err := r.Message(id)
				if err != nil || now.Text != text || now.Nonce != text || now.DeletedAt.IsZero() != (text != "") {
					t.Errorf("%+v, %v", now, err)
				}
			}
			return nil
		})
		if strings.Contains(published[first.ID], "secret") || !strings.Contains(published[second.ID], "stays") {
			t.Errorf("published: %s and %s", published[first.ID], published[second.ID])
		}
	})
}
