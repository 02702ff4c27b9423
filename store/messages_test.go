package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

func TestHistoryPages(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		other := newChannel(t, s, "other", ann)
		var ids []int64
		for range 10 {
			ids = append(ids, send(t, s, models.LobbyID, ann.ID, "x").ID)
			send(t, s, other.ID, ann.ID, "not this one")
		}
		all := func(r chat.Reader) error {
			for before := int64(-1); before <= ids[9]+2; before++ {
				for after := int64(-1); after <= ids[9]+2; after++ {
					if before >= 0 && after >= before {
						continue
					}
					for _, limit := range []int{1, 3, 50} {
						page := models.Page{
							Before: max(before, 0), HasBefore: before >= 0, After: max(after, 0), HasAfter: after >= 0, Limit: limit,
						}
						if err := historyIs(t, r, ids, page); err != nil {
							return err
						}
					}
				}
			}
			return nil
		}
		both(t, s, all)
	})
}

// historyIs compares a page with one cut from the ids of the room's messages.
func historyIs(t *testing.T, r chat.Reader, ids []int64, page models.Page) error {
	t.Helper()
	got, err := r.Messages(models.LobbyID, page)
	if err != nil {
		return err
	}
	within := func(id int64) bool {
		return (!page.HasBefore || id < page.Before) && (!page.HasAfter || id > page.After)
	}
	var want []int64
	for _, id := range ids {
		if within(id) {
			want = append(want, id)
		}
	}
	if cut := len(want) - page.Limit; cut > 0 {
		if page.HasAfter {
			want = want[:page.Limit]
		} else {
			want = want[cut:]
		}
	}
	first, last := page.After+1, int64(models.MaxID)
	if page.HasBefore {
		last = page.Before - 1
	}
	if len(want) > 0 {
		first, last = want[0], want[len(want)-1]
	}
	hasBefore, hasAfter := ids[0] < first, ids[len(ids)-1] > last
	var have []int64
	for _, m := range got.Messages {
		have = append(have, m.ID)
	}
	if !slices.Equal(have, want) || got.HasBefore != hasBefore || got.HasAfter != hasAfter {
		return fmt.Errorf("page %+v gives %v, %v, %v, want %v, %v, %v", page, have, got.HasBefore, got.HasAfter, want, hasBefore, hasAfter)
	}
	return nil
}

func TestMessageHasThePresentName(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		stored := send(t, s, models.LobbyID, ann.ID, "привет \"мир\" 😀\n\\")
		do(t, s, func(tx chat.Tx) error {
			fresh, err := post(tx, models.LobbyID, ann.ID, "two", "n")
			if err != nil {
				return err
			}
			ann.Name = "anna"
			if err := tx.UpdateUser(ann); err != nil {
				return err
			}
			fresh.SenderName, stored.SenderName = "anna", "anna"
			for _, want := range []models.Message{fresh, stored} {
				if got, err := tx.Message(want.ID); err != nil || !reflect.DeepEqual(got, want) {
					t.Errorf("inside the command: %+v, %v, want %+v", got, err, want)
				}
			}
			return nil
		})
		both(t, s, func(r chat.Reader) error {
			got, err := r.Message(stored.ID)
			if err != nil || !reflect.DeepEqual(got, stored) {
				t.Errorf("message %+v, %v, want %+v", got, err, stored)
			}
			if _, err := r.Message(999); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("no message: %v", err)
			}
			return nil
		})
	})
}

func TestNonces(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		old := models.Nonce{UserID: 2, Nonce: "old", MessageID: 5, To: "#tea", Digest: []byte{1, 0}, CreatedAt: models.At(fixedClock())}
		young := old
		young.Nonce, young.CreatedAt = "young", models.At(fixedClock().Add(time.Millisecond))
		do(t, s, func(tx chat.Tx) error { return errors.Join(tx.InsertNonce(old), tx.InsertNonce(young)) })
		is := func(r chat.Reader, n models.Nonce, there bool) {
			t.Helper()
			got, err := r.Nonce(n.UserID, n.Nonce)
			if there != (err == nil) || !there && !errors.Is(err, chat.ErrNotFound) ||
				there && fmt.Sprint(got) != fmt.Sprint(n) {
				t.Errorf("nonce %+v, %v, want %+v there: %v", got, err, n, there)
			}
		}
		both(t, s, func(r chat.Reader) error {
			is(r, old, true)
			is(r, young, true)
			is(r, models.Nonce{UserID: 3, Nonce: "old"}, false)
			is(r, models.Nonce{UserID: 2, Nonce: "a\x00"}, false)
			return nil
		})
		err := s.Do(context.Background(), func(tx chat.Tx) error {
			fresh := young
			fresh.Nonce = "fresh"
			return errors.Join(tx.InsertNonce(fresh), tx.InsertNonce(fresh))
		})
		if err == nil {
			t.Error("a command inserted one nonce twice")
		}
		do(t, s, func(tx chat.Tx) error {
			fresh := old
			fresh.Nonce = "fresh"
			if err := tx.InsertNonce(fresh); err != nil {
				return err
			}
			for _, want := range []int{1, 1, 0} { // one at a time
				if n, err := tx.DeleteNonces(young.CreatedAt, 1); err != nil || n != want {
					t.Errorf("deleted %d, %v, want %d", n, err, want)
				}
			}
			if err := errors.Join(tx.InsertNonce(fresh), tx.DeleteNonce(fresh.UserID, fresh.Nonce)); err != nil {
				return err
			}
			is(tx, fresh, false)
			is(tx, old, false)
			is(tx, young, true)
			return nil
		})
		both(t, s, func(r chat.Reader) error {
			is(r, old, false)
			is(r, young, true)
			return nil
		})
	})
}
