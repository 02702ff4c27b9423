package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/chat"
	"parley/internal/pgtest"
	"parley/models"
)

// village is what the tests of what a writer remembers look at.
type village struct {
	ann, bob, cid models.User
	room          models.Room
	direct        int64
}

func newVillage(t *testing.T, s *Store) *village {
	t.Helper()
	v := &village{
		ann: newUser(t, s, "ann", models.RoleMember), bob: newUser(t, s, "bob", models.RoleMember),
		cid: newUser(t, s, "cid", models.RoleMember),
	}
	v.room = newChannel(t, s, "tea", v.ann)
	do(t, s, func(tx chat.Tx) error {
		if err := join(tx, v.room.ID, v.bob, models.RoomMember); err != nil {
			return err
		}
		v.direct = tx.NextID()
		err := tx.InsertRoom(models.Room{
			ID: v.direct, Kind: models.KindDirect, Visibility: models.Private, DirectA: v.ann.ID, DirectB: v.bob.ID, CreatedAt: tx.Now(),
		})
		if err != nil {
			return err
		}
		_, err = tx.Append(models.Event{Type: models.RoomCreated, RoomID: v.direct, Audience: models.ForUser(v.ann.ID)}, struct{}{})
		return err
	})
	return v
}

// look reads all that a send decides by.
func (v *village) look(r chat.Reader) (seen string, err error) {
	add := func(what string, value any, failed error) {
		if errors.Is(failed, chat.ErrNotFound) {
			value = "none"
		} else if failed != nil {
			err = errors.Join(err, failed)
		}
		seen += fmt.Sprintf("%s: %+v\n", what, value)
	}
	for _, u := range []models.User{v.ann, v.bob, v.cid} {
		user, failed := r.User(u.ID)
		add(u.Name, user, failed)
		for _, room := range []int64{v.room.ID, v.direct} {
			m, failed := r.Membership(room, u.ID)
			add("membership", m, failed)
		}
		for _, kind := range []models.RestrictionKind{models.MuteKind, models.BanKind} {
			for _, room := range []int64{v.room.ID, models.LobbyID} {
				x, failed := r.Restriction(room, kind, u.ID)
				add(string(kind), x, failed)
			}
		}
	}
	for _, id := range []int64{models.LobbyID, v.room.ID, v.direct} {
		room, failed := r.Room(id)
		add("room", room, failed)
	}
	for _, key := range []string{"tea", "coffee"} {
		room, failed := r.RoomByKey(key)
		add(key, room, failed)
	}
	direct, failed := r.Direct(v.bob.ID, v.ann.ID)
	add("direct", direct, failed)
	names, failed := r.UsersByKeys([]string{"ann", "bob", "rob", "dan", "cid"})
	add("names", names, failed)
	blocked, failed := r.Blocked(v.ann.ID, v.bob.ID)
	add("blocked", blocked, failed)
	return seen, err
}

// changes are the commands that change any of it, in an order in which each finds what it needs. None appends an
// entry that it does not need for its id: what is not said by any is to be noticed too.
func (v *village) changes() []chat.Command {
	room := func(change func(r *models.Room)) chat.Command {
		return func(tx chat.Tx) error {
			r, err := tx.Room(v.room.ID)
			if err != nil {
				return err
			}
			change(&r)
			return tx.UpdateRoom(r)
		}
	}
	user := func(change func(u *models.User)) chat.Command {
		return func(tx chat.Tx) error {
			u, err := tx.User(v.bob.ID)
			if err != nil {
				return err
			}
			change(&u)
			return tx.UpdateUser(u)
		}
	}
	restrict := func(roomID int64, kind models.RestrictionKind, until time.Time) chat.Command {
		return func(tx chat.Tx) error {
			x := models.Restriction{RoomID: roomID, Kind: kind, UserID: v.bob.ID, ByID: v.ann.ID, CreatedAt: tx.Now()}
			if !until.IsZero() {
				x.Until = models.At(until)
			}
			return tx.PutRestriction(x)
		}
	}
	lift := func(kind models.RestrictionKind) chat.Command {
		return func(tx chat.Tx) error { return tx.DeleteRestriction(v.room.ID, kind, v.bob.ID) }
	}
	return []chat.Command{
		user(func(u *models.User) { u.Name, u.Key = "Rob", "rob" }),
		user(func(u *models.User) { u.Role = models.RoleAgent }),
		user(func(u *models.User) { u.Role = models.RoleVisitor }),
		user(func(u *models.User) { u.Role = models.RoleMember }),
		func(tx chat.Tx) error { return tx.SetBannedUntil(v.bob.ID, models.Forever()) },
		func(tx chat.Tx) error { return tx.SetBannedUntil(v.bob.ID, models.Time{}) },
		func(tx chat.Tx) error { _, err := addUser(tx, "dan", models.RoleMember); return err },
		room(func(r *models.Room) { r.Name, r.Key = "coffee", "coffee" }),
		room(func(r *models.Room) { r.Archived = true }),
		room(func(r *models.Room) { r.Archived, r.SlowMode = false, 30 }),
		room(func(r *models.Room) { r.Visibility, r.History = models.Private, models.HistorySinceJoin }),
		restrict(v.room.ID, models.MuteKind, time.Time{}), lift(models.MuteKind),
		restrict(v.room.ID, models.BanKind, time.Time{}), lift(models.BanKind),
		restrict(models.LobbyID, models.MuteKind, time.Unix(1, 0)),
		func(tx chat.Tx) error { _, err := tx.DeletePastRestrictions(tx.Now(), 10); return err },
		func(tx chat.Tx) error { return tx.InsertBlock(v.bob.ID, v.ann.ID) },
		func(tx chat.Tx) error { return tx.DeleteBlock(v.bob.ID, v.ann.ID) },
		func(tx chat.Tx) error { return tx.SetRoomRole(v.room.ID, v.bob.ID, models.RoomModerator) },
		func(tx chat.Tx) error { return leave(tx, v.room.ID, v.bob, false) },
		func(tx chat.Tx) error { return join(tx, v.room.ID, v.bob, models.RoomMember) },
		func(tx chat.Tx) error { return tx.EndSpell(v.room.ID, v.bob.ID, tx.NextID()-1, true) },
		func(tx chat.Tx) error { return join(tx, v.room.ID, v.cid, models.RoomMember) },
		func(tx chat.Tx) error { return tx.LeaveAll(v.cid.ID, tx.NextID(), tx.NextID()-1) },
		func(tx chat.Tx) error { return tx.DeleteUser(v.cid, tx.NextID()-1, true) },
		func(tx chat.Tx) error { return tx.DeleteRoom(v.room.ID, tx.NextID()-1) },
	}
}

// agrees compares what a command of s sees with what is committed.
func (v *village) agrees(t *testing.T, s *Store, when string) (seen string) {
	t.Helper()
	var want string
	view(t, s, func(r chat.Reader) (err error) {
		want, err = v.look(r)
		return err
	})
	do(t, s, func(tx chat.Tx) (err error) {
		seen, err = v.look(tx)
		return err
	})
	if seen != want {
		t.Errorf("%s, a command sees\n%s\nbut there is\n%s", when, seen, want)
	}
	return seen
}

var errNot = errors.New("not so")

// What the writer remembers is what there is: after each change of it, and after each that was refused or failed behind it,
// alone and between others of its batch.
func TestWhatIsRememberedIsTrue(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var failing func(op string) error
		o.Fault = func(op string) error {
			if failing != nil {
				return failing(op)
			}
			return nil
		}
		s := mustOpen(t, o)
		v := newVillage(t, s)
		for i, change := range v.changes() {
			before := v.agrees(t, s, "before")
			refused := func(tx chat.Tx) error {
				if err := change(tx); err != nil {
					return err
				}
				if _, err := v.look(tx); err != nil { // reads what it wrote, too
					return err
				}
				return errNot
			}
			after := ""
			look := func(tx chat.Tx) (err error) { after, err = v.look(tx); return err }
			if errs := together(t, s, refused, look); !errors.Is(errs[0], errNot) || errs[1] != nil || after != before {
				t.Errorf("change %d, refused: %v; the next command saw\n%s\nafter\n%s", i, errs, after, before)
			}
			v.agrees(t, s, fmt.Sprintf("after the refused change %d", i))

			failing = func(op string) error { // read by the writer, which is idle now
				if op == OpCommit {
					return errNot
				}
				return nil
			}
			if err := s.Do(context.Background(), change); err == nil {
				t.Errorf("change %d: committed in spite of the fault", i)
			}
			failing = nil
			if now := v.agrees(t, s, fmt.Sprintf("after the failed change %d", i)); now != before {
				t.Errorf("the failed change %d has changed\n%s\nto\n%s", i, before, now)
			}

			if errs := together(t, s, change, look); errors.Join(errs...) != nil {
				t.Fatalf("change %d: %v", i, errs)
			}
			if now := v.agrees(t, s, fmt.Sprintf("after change %d", i)); now != after || now == before {
				t.Errorf("change %d: the next command saw\n%s\nand there is\n%s", i, after, now)
			}
		}
	})
}

// What another process writes into the same database is noticed by the next command here, also where no entry
// tells of it and where messages of the same transaction hide it; messages alone make nobody forget.
func TestWhatOthersWriteIsNoticed(t *testing.T) {
	t.Parallel()
	for name, message := range map[string]bool{"alone": false, "with a message": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Options{URL: pgtest.DSN(t)}
			here, there := mustOpen(t, o), mustOpen(t, o)
			v := newVillage(t, here)
			for i, change := range v.changes() {
				before := v.agrees(t, here, "before")
				cmds := []chat.Command{change}
				if message {
					cmds = append(cmds, func(tx chat.Tx) error { _, err := post(tx, models.LobbyID, v.ann.ID, "hello", ""); return err })
				}
				for _, err := range together(t, there, cmds...) {
					if err != nil {
						t.Fatalf("change %d there: %v", i, err)
					}
				}
				if now := v.agrees(t, here, fmt.Sprintf("after change %d there", i)); now == before {
					t.Errorf("change %d changed nothing", i)
				}
			}
		})
	}
}

func TestMessagesOfOthersMakeNobodyForget(t *testing.T) {
	t.Parallel()
	o := Options{URL: pgtest.DSN(t)}
	here, there := mustOpen(t, o), mustOpen(t, o)
	v := newVillage(t, here)
	send(t, here, v.room.ID, v.bob.ID, "here")
	for range 3 {
		send(t, there, v.room.ID, v.ann.ID, "there")
		before := here.Stats().CacheMisses
		send(t, here, v.room.ID, v.bob.ID, "here")
		if missed := here.Stats().CacheMisses - before; missed != 0 {
			t.Errorf("%d look-ups were asked again after a message of others", missed)
		}
	}
	for range mostForeign + 1 {
		send(t, there, v.room.ID, v.ann.ID, "there")
	}
	before := here.Stats().CacheMisses
	send(t, here, v.room.ID, v.bob.ID, "here")
	if here.Stats().CacheMisses == before {
		t.Error("more entries than are looked at, and nothing was read anew")
	}
	if got, want := head(t, here), head(t, there); got != want {
		t.Errorf("heads are %d and %d", got, want)
	}
}
