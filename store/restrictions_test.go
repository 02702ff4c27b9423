package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

func TestRestrictions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		o.Clock = fixedClock
		s := mustOpen(t, o)
		now := models.At(fixedClock())
		ann, bob, eve := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember), newUser(t, s, "eve", models.RoleMember)
		room, other := newChannel(t, s, "tea", ann), newChannel(t, s, "coffee", ann)
		restrict := func(roomID int64, kind models.RestrictionKind, u models.User, until models.Time, reason string) models.Restriction {
			x := models.Restriction{RoomID: roomID, Kind: kind, UserID: u.ID, Until: until, Reason: reason, ByID: ann.ID, CreatedAt: now}
			do(t, s, func(tx chat.Tx) error { return tx.PutRestriction(x) })
			return x
		}
		mutes := func(roomID int64, want int) {
			t.Helper()
			both(t, s, func(r chat.Reader) error {
				if got, err := r.Room(roomID); err != nil || got.Mutes != want {
					t.Errorf("room %d has %d mutes, %v, want %d", roomID, got.Mutes, err, want)
				}
				return nil
			})
		}
		is := func(roomID int64, kind models.RestrictionKind, u models.User, want models.Restriction) {
			t.Helper()
			both(t, s, func(r chat.Reader) error {
				got, err := r.Restriction(roomID, kind, u.ID)
				if got != want || errors.Is(err, chat.ErrNotFound) != (want.Kind == "") {
					t.Errorf("%s of %s is %+v, %v, want %+v", kind, u.Name, got, err, want)
				}
				return nil
			})
		}
		later := models.At(now.Add(time.Hour))
		is(room.ID, models.MuteKind, bob, models.Restriction{}) // also asked by the writer, which remembers
		mute := restrict(room.ID, models.MuteKind, bob, later, "noise")
		is(room.ID, models.MuteKind, bob, mute)
		is(room.ID, models.BanKind, bob, models.Restriction{})
		is(other.ID, models.MuteKind, bob, models.Restriction{})
		mutes(room.ID, 1)
		mute = restrict(room.ID, models.MuteKind, bob, models.Time{}, "more noise")
		is(room.ID, models.MuteKind, bob, mute)
		mutes(room.ID, 1)
		ban := restrict(room.ID, models.BanKind, bob, now, "") // over at this moment
		is(room.ID, models.BanKind, bob, ban)
		mutes(room.ID, 1)
		restrict(room.ID, models.MuteKind, eve, later, "")
		mutes(room.ID, 2)
		both(t, s, func(r chat.Reader) error {
			for _, tt := range []struct {
				kind  models.RestrictionKind
				after int64
				limit int
				want  string
			}{
				{models.MuteKind, 0, 10, "[bob by ann eve by ann]"},
				{models.MuteKind, 0, 1, "[bob by ann]"},
				{models.MuteKind, bob.ID, 10, "[eve by ann]"},
				{models.BanKind, 0, 10, "[]"},
			} {
				list, err := r.Restrictions(room.ID, tt.kind, now, tt.after, tt.limit)
				names := []string{}
				for _, x := range list {
					names = append(names, x.UserName+" by "+x.ByName)
				}
				if err != nil || fmt.Sprint(names) != tt.want {
					t.Errorf("%s beyond %d: %v, %v, want %s", tt.kind, tt.after, names, err, tt.want)
				}
			}
			return nil
		})
		// What is refused leaves nothing, in memory neither.
		_ = s.Do(t.Context(), func(tx chat.Tx) error {
			return errors.Join(tx.DeleteRestriction(room.ID, models.MuteKind, bob.ID), tx.PutRestriction(mute),
				tx.DeleteRestriction(room.ID, models.MuteKind, bob.ID), errors.New("refused"))
		})
		is(room.ID, models.MuteKind, bob, mute)
		mutes(room.ID, 2)
		// Twice taken away is once.
		for range 2 {
			do(t, s, func(tx chat.Tx) error { return tx.DeleteRestriction(room.ID, models.MuteKind, bob.ID) })
			is(room.ID, models.MuteKind, bob, models.Restriction{})
			mutes(room.ID, 1)
		}
		// An account takes its own along, and a room those in it.
		do(t, s, func(tx chat.Tx) error { return tx.DeleteUser(eve, tx.NextID(), false) })
		mutes(room.ID, 0)
		restrict(other.ID, models.MuteKind, bob, later, "")
		do(t, s, func(tx chat.Tx) error { return tx.DeleteRoom(other.ID, tx.NextID()) })
		is(other.ID, models.MuteKind, bob, models.Restriction{})
	})
}

// Mutes and bans that are over go in steps, and their rooms count on.
func TestPastRestrictionsGo(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		k := newKeeper(t, o, 0)
		ann := newUser(t, k.store, "ann", models.RoleMember)
		rooms := []models.Room{newChannel(t, k.store, "tea", ann), newChannel(t, k.store, "coffee", ann)}
		start := time.Now()
		do(t, k.store, func(tx chat.Tx) error {
			for i := range 450 {
				x := models.Restriction{
					RoomID: rooms[i%2].ID, UserID: int64(10_000 + i), Kind: []models.RestrictionKind{models.MuteKind, models.BanKind}[i/2%2],
					Until: models.At(start.Add(time.Hour)), ByID: ann.ID, CreatedAt: tx.Now(),
				}
				if i >= 440 {
					x.Until = models.Time{}
				}
				if err := tx.PutRestriction(x); err != nil {
					return err
				}
			}
			return nil
		})
		mutes := func() (n []int) {
			both(t, k.store, func(r chat.Reader) error {
				n = nil
				for _, room := range rooms {
					room, err := r.Room(room.ID)
					if err != nil {
						return err
					}
					n = append(n, room.Mutes)
				}
				return nil
			})
			return n
		}
		if got := mutes(); !slices.Equal(got, []int{113, 113}) {
			t.Fatalf("the rooms have %v mutes", got)
		}
		if steps := k.do("delete past mutes and bans"); fmt.Sprint(steps) != "[0]" {
			t.Errorf("young ones went: %v", steps)
		}
		k.ahead.Store(int64(2 * time.Hour))
		if steps := k.do("delete past mutes and bans"); fmt.Sprint(steps) != "[200 200 40]" || k.count("restrictions") != 10 {
			t.Errorf("steps %v, %d left", steps, k.count("restrictions"))
		}
		if got := mutes(); !slices.Equal(got, []int{3, 3}) {
			t.Errorf("afterwards the rooms have %v mutes", got)
		}
	})
}
