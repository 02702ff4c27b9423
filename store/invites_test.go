package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

func TestInvites(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		o.Clock = fixedClock
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		nook, den := newChannel(t, s, "nook", ann), newChannel(t, s, "den", ann)
		now := models.At(fixedClock())
		later, soon := models.At(now.Add(time.Hour)), models.At(now.Add(time.Millisecond))
		// The first three live.
		drafts := []models.Invite{
			{RoomID: nook.ID}, {RoomID: nook.ID, ExpiresAt: soon, MaxUses: 2, Uses: 1}, {RoomID: nook.ID, ExpiresAt: later, Uses: 7},
			{RoomID: nook.ID, ExpiresAt: now}, {RoomID: nook.ID, MaxUses: 2, Uses: 2}, {RoomID: den.ID, ExpiresAt: now, MaxUses: 1, Uses: 1},
		}
		made := make([]models.Invite, len(drafts))
		for i, d := range drafts {
			d.CodeHash, d.ByID, d.CreatedAt = []byte{byte(i), 0, 255}, ann.ID, now
			do(t, s, func(tx chat.Tx) (err error) {
				made[i], err = tx.InsertInvite(d)
				return err
			})
		}
		ids := func(room int64, before int64, limit int) (ids []int64) {
			view(t, s, func(r chat.Reader) error {
				list, err := r.Invites(room, now, before, limit)
				for _, inv := range list {
					ids = append(ids, inv.ID)
				}
				return err
			})
			return ids
		}
		if got, want := fmt.Sprint(ids(nook.ID, models.MaxID, 50)), fmt.Sprint([]int64{made[2].ID, made[1].ID, made[0].ID}); got != want {
			t.Errorf("live are %s, want %s", got, want)
		}
		if got := ids(nook.ID, made[2].ID, 1); len(got) != 1 || got[0] != made[1].ID {
			t.Errorf("the second page is %v", got)
		}
		view(t, s, func(r chat.Reader) error {
			for i, want := range made {
				byHash, err := r.InviteByHash([]byte{byte(i), 0, 255})
				byID, err2 := r.Invite(want.ID)
				want.ByName = "ann"
				if fmt.Sprint(byHash) != fmt.Sprint(want) || fmt.Sprint(byID) != fmt.Sprint(want) || errors.Join(err, err2) != nil {
					t.Errorf("%d: %+v and %+v, want %+v; %v, %v", i, byHash, byID, want, err, err2)
				}
				if live := byID.Live(now.Time); live != (i < 3) {
					t.Errorf("%d is live: %v", i, live)
				}
			}
			n, err := r.LiveInvites(nook.ID, now)
			if m, err2 := r.LiveInvites(den.ID, now); n != 3 || m != 0 || errors.Join(err, err2) != nil {
				t.Errorf("%d and %d live, %v, %v", n, m, err, err2)
			}
			_, err = r.InviteByHash([]byte("nonsense"))
			if _, err2 := r.Invite(999); !errors.Is(err, chat.ErrNotFound) || !errors.Is(err2, chat.ErrNotFound) {
				t.Errorf("what is not there: %v, %v", err, err2)
			}
			return nil
		})

		do(t, s, func(tx chat.Tx) error { return tx.CountInviteUse(made[1].ID) })
		do(t, s, func(tx chat.Tx) error { return tx.DeleteInvite(made[0].ID) })
		if got := ids(nook.ID, models.MaxID, 50); len(got) != 1 || got[0] != made[2].ID {
			t.Errorf("one was used up, one revoked; live are %v", got)
		}
		for name, cmd := range map[string]chat.Command{
			"use":    func(tx chat.Tx) error { return tx.CountInviteUse(made[0].ID) },
			"delete": func(tx chat.Tx) error { return tx.DeleteInvite(made[0].ID) },
		} {
			if err := s.Do(t.Context(), cmd); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("%s one that is gone: %v", name, err)
			}
		}

		// With the room go its invitations.
		do(t, s, func(tx chat.Tx) error { return tx.DeleteRoom(nook.ID, tx.NextID()) })
		view(t, s, func(r chat.Reader) error {
			for i := range made {
				if _, err := r.Invite(made[i].ID); (err == nil) != (i == 5) {
					t.Errorf("%d: %v", i, err)
				}
			}
			return nil
		})
	})
}

func TestDeadInvitesGoInSteps(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		k := newKeeper(t, o, 0)
		ann := k.guest().User
		room := newChannel(t, k.store, "nook", ann)
		do(t, k.store, func(tx chat.Tx) error {
			for i := range 250 {
				inv := models.Invite{RoomID: room.ID, ByID: ann.ID, CodeHash: []byte{byte(i), byte(i >> 8)}, CreatedAt: tx.Now()}
				switch i % 5 {
				case 0:
					inv.MaxUses, inv.Uses = 1, 1
				case 1:
					inv.MaxUses, inv.Uses, inv.ExpiresAt = 2, 2, models.At(tx.Now().Add(time.Minute))
				case 2, 3:
					inv.ExpiresAt = models.At(tx.Now().Add(time.Minute))
				}
				if _, err := tx.InsertInvite(inv); err != nil {
					return err
				}
			}
			return nil
		})
		if steps := k.do("delete dead invitations"); fmt.Sprint(steps) != "[100 0]" || k.count("invites") != 150 {
			t.Errorf("those used up went by %v, %d are left", steps, k.count("invites"))
		}
		k.ahead.Store(int64(2 * time.Minute))
		if steps := k.do("delete dead invitations"); fmt.Sprint(steps) != "[100 0]" || k.count("invites") != 50 {
			t.Errorf("those expired went by %v, %d are left", steps, k.count("invites"))
		}
	})
}

// Support visitors are in no room but their own, whatever they hold.
func TestVisitorsFollowNoInvite(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		k := newKeeper(t, o, 0)
		ann := k.guest()
		visitor := chat.Actor{User: newUser(t, k.store, "visitor-9", models.RoleVisitor)}
		newChannel(t, k.store, "nook", ann.User)
		hidden := models.Private
		ctx := context.Background()
		if _, err := k.service.UpdateRoom(ctx, ann, "nook", chat.RoomChange{Visibility: &hidden}); err != nil {
			t.Fatal(err)
		}
		_, code, err := k.service.CreateInvite(ctx, ann, "nook", chat.NewInvite{})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []string{code, "nonsense"} {
			_, err := k.service.Invitation(ctx, visitor, c)
			if _, err2 := k.service.AcceptInvite(ctx, visitor, c); models.CodeOf(err) != models.CodeForbidden || models.CodeOf(err2) != models.CodeForbidden {
				t.Errorf("%s: %v, %v", c, err, err2)
			}
		}
	})
}
