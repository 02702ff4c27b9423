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

// revise gives a message another text, or tells only of something else.
func revise(tx chat.Tx, m models.Message, text string, textStays bool) (models.Message, error) {
	entry := tx.NextID()
	if !textStays {
		m.Text, m.Version, m.EditedAt = text, entry, tx.Now()
	}
	_, err := tx.Append(models.Event{
		Type: models.MessageUpdated, RoomID: m.RoomID, Audience: models.InRoom(m.RoomID),
	}, models.MessageData{Message: m.ForEvent()})
	return m, errors.Join(err, tx.InsertEdit(m, entry, textStays))
}

// entomb is what a deletion writes.
func entomb(tx chat.Tx, ids []int64) error {
	if err := tx.BuryMessages(ids); err != nil {
		return err
	}
	entries, err := tx.EntriesOf(ids)
	if err != nil {
		return err
	}
	return tx.RewriteEntries(entries, func(e *models.Event) error { return e.Bury(tx.Now(), "") })
}

func TestEarlierTexts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		one, two := send(t, s, models.LobbyID, ann.ID, "0"), send(t, s, models.LobbyID, ann.ID, "a")
		his := send(t, s, models.LobbyID, bob.ID, "bob's")
		never := send(t, s, models.LobbyID, ann.ID, "never edited")
		var gone, late models.Message
		do(t, s, func(tx chat.Tx) (err error) {
			for i, text := range []string{"1", "2", "", "3", ""} { // empty: a pin
				if one, err = revise(tx, one, text, text == ""); err != nil {
					return err
				}
				if i != 1 {
					continue
				}
				if two, err = revise(tx, two, "b", false); err != nil {
					return err
				}
			}
			if _, e := revise(tx, his, "not ann's", false); e != nil {
				return e
			}
			if gone, err = post(tx, models.LobbyID, ann.ID, "gone", ""); err != nil {
				return err
			}
			if gone, err = revise(tx, gone, "gone too", false); err != nil {
				return err
			}
			if late, err = post(tx, models.LobbyID, ann.ID, "late", ""); err != nil {
				return err
			}
			_, err = revise(tx, late, "later", false)
			return errors.Join(err, entomb(tx, []int64{gone.ID}))
		})
		of := func(edits []models.Edit, err error) string {
			if err != nil {
				t.Error(err)
			}
			var out []string
			for _, e := range edits {
				out = append(out, fmt.Sprint(e.MessageID, e.Text))
			}
			return strings.Join(out, " ")
		}
		both(t, s, func(r chat.Reader) error {
			for m, want := range map[int64]string{
				one.ID: fmt.Sprintf("%[1]d0 %[1]d1 %[1]d2", one.ID), two.ID: fmt.Sprint(two.ID, "a"), never.ID: "", 999: "",
			} {
				if got := of(r.Edits(m, 0, 9)); got != want {
					t.Errorf("message %d had %q, want %q", m, got, want)
				}
			}
			edits, err := r.Edits(one.ID, 0, 2)
			if err != nil || len(edits) != 2 || edits[0].CreatedAt != one.CreatedAt {
				return fmt.Errorf("%+v, %w", edits, err)
			}
			if got := of(r.Edits(one.ID, edits[1].ID, 2)); got != fmt.Sprint(one.ID, "2") {
				t.Errorf("the second page is %q", got)
			}
			var all []string
			for message, id := (chat.MessageKey{}), int64(0); ; {
				page, err := r.EditsFrom(ann.ID, message, id, gone.ID, 2)
				if err != nil {
					return err
				}
				if len(page) == 0 {
					break
				}
				all = append(all, of(page, nil))
				last := page[len(page)-1]
				message, id = chat.MessageKey{RoomID: last.RoomID, ID: last.MessageID}, last.ID
			}
			if want := fmt.Sprintf("%[1]d0 %[1]d1 %[1]d2 %[2]da", one.ID, two.ID); strings.Join(all, " ") != want {
				t.Errorf("ann's texts were %q, want %q", all, want)
			}
			return nil
		})
	})
}

// Whatever is edited and deleted in whatever order, nothing of what is deleted stays in the files, and what is not
// stays as it is.
func TestNothingDeletedIsInTheFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	ann := newUser(t, s, "ann", models.RoleMember)
	random := rand.New(rand.NewPCG(5, 7))
	text := func(m int64) string {
		out := fmt.Sprintf("SECRET%d.", m) + strings.Repeat("x", random.IntN(40))
		if random.IntN(20) == 0 {
			out += strings.Repeat("long", random.IntN(2200))
		}
		return out
	}
	var said []models.Message
	for range 12 {
		do(t, s, func(tx chat.Tx) error {
			for range 40 {
				m, err := post(tx, models.LobbyID, ann.ID, text(tx.NextID()), "")
				if err != nil {
					return err
				}
				said = append(said, m)
				for range random.IntN(3) {
					at := random.IntN(len(said))
					if said[at], err = revise(tx, said[at], text(said[at].ID), random.IntN(4) == 0); err != nil {
						return err
					}
				}
			}
			return nil
		})
		random.Shuffle(len(said), func(i, j int) { said[i], said[j] = said[j], said[i] })
		gone := said[:10]
		said = said[10:]
		for _, m := range gone {
			do(t, s, func(tx chat.Tx) error { return entomb(tx, []int64{m.ID}) })
		}
		if err := s.Scrub(context.Background()); err != nil {
			t.Fatal(err)
		}
		for _, m := range gone {
			for _, name := range []string{sqliteFile, sqliteFile + "-wal"} {
				content, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil {
					t.Fatal(err)
				}
				if found := bytes.Count(content, fmt.Appendf(nil, "SECRET%d.", m.ID)); found > 0 {
					t.Errorf("%s has %d texts of message %d", name, found, m.ID)
				}
			}
		}
	}
	view(t, s, func(r chat.Reader) error {
		for _, want := range said {
			if got, err := r.Message(want.ID); err != nil || got.Text != want.Text || got.Version != want.Version || got.IsDeleted() {
				t.Errorf("%+v, %v, want %+v", got, err, want)
			}
		}
		return nil
	})
}

// Read marks go with the account, and the others' stay.
func TestReadMarksGoWithTheAccount(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		do(t, s, func(c chat.Tx) error {
			_, err := c.(*tx).write("prepare", "INSERT INTO reads (user_id, room_id, read_id) VALUES (?, 1, 1), (?, 1, 1)", ann.ID, bob.ID)
			return err
		})
		do(t, s, func(tx chat.Tx) error { return tx.DeleteUser(ann, tx.NextID()-1, false) })
		view(t, s, func(r chat.Reader) error {
			left, err := many[int64](r.(*reader), "look", "SELECT user_id FROM reads")
			if !slices.Equal(left, []int64{bob.ID}) {
				t.Errorf("left are the marks of %v", left)
			}
			return err
		})
	})
}
