package store

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"parley/chat"
	"parley/models"
)

// shown is the room as a member sees it.
func shown(tb testing.TB, s *Store, room models.Room, user models.User) (j models.JoinedRoom) {
	tb.Helper()
	view(tb, s, func(r chat.Reader) error {
		m, err := r.Membership(room.ID, user.ID)
		if err != nil && !errors.Is(err, chat.ErrNotFound) {
			return err
		}
		list := []models.JoinedRoom{{Room: room, Role: m.Role, From: m.From}}
		err = r.FillRooms(list, user.ID)
		j = list[0]
		return err
	})
	return j
}

func TestCounts(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		room := newChannel(t, s, "tea", ann)
		want := func(what string, user models.User, unread, mentions int, last, read int64) {
			t.Helper()
			j := shown(t, s, room, user)
			var newest int64
			if j.LastMessage != nil {
				newest = j.LastMessage.ID
			}
			if j.Unread != unread || j.Mentions != mentions || newest != last || j.ReadID != read {
				t.Errorf("%s: %s has %d unread, %d mentions, last %d, read %d; want %d, %d, %d, %d",
					what, user.Name, j.Unread, j.Mentions, newest, j.ReadID, unread, mentions, last, read)
			}
		}
		begin := room.ID + 1
		want("empty", ann, 0, 0, 0, begin)
		early := send(t, s, room.ID, ann.ID, "before bob").ID
		var from int64
		do(t, s, func(tx chat.Tx) error { from = tx.NextID(); return join(tx, room.ID, bob, models.RoomMember) })
		want("joined", bob, 0, 0, early, from)
		want("own", ann, 0, 0, early, begin)
		send(t, s, models.LobbyID, ann.ID, "elsewhere")
		var ids []int64
		for i := range 6 {
			ids = append(ids, send(t, s, room.ID, []int64{ann.ID, bob.ID}[i%2], "x").ID)
		}
		want("three each", bob, 3, 0, ids[5], from)
		want("three each", ann, 3, 0, ids[5], begin)

		move := func(user models.User, to int64, want bool) {
			t.Helper()
			do(t, s, func(tx chat.Tx) error {
				moved, err := tx.MoveRead(user.ID, room.ID, to)
				if moved != want {
					t.Errorf("%s to %d: moved %v", user.Name, to, moved)
				}
				return err
			})
		}
		move(bob, ids[2], true)
		want("read", bob, 1, 0, ids[5], ids[2])
		move(bob, ids[2], false)
		move(bob, ids[0], false)
		want("read back", bob, 1, 0, ids[5], ids[2])

		do(t, s, func(tx chat.Tx) error {
			for id, who := range map[int64][]int64{ids[0]: {bob.ID}, ids[2]: {bob.ID}, ids[3]: {ann.ID, bob.ID, 0}, ids[4]: {0, bob.ID}, ids[5]: {ann.ID, 0}} {
				m, err := tx.Message(id)
				if err == nil {
					err = tx.SetMentions(m, who)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		want("mentions", bob, 1, 1, ids[5], ids[2]) // only of ids[4]: the others are read, or his own
		want("mentions", ann, 3, 2, ids[5], begin)  // of ids[3] and ids[5]
		do(t, s, func(tx chat.Tx) error { return tx.BuryMessages([]int64{ids[4], ids[5], ids[0]}) })
		want("buried", bob, 0, 0, ids[5], ids[2])
		want("buried", ann, 2, 1, ids[5], begin)
		if j := shown(t, s, room, bob); !j.LastMessage.IsDeleted() || j.LastMessage.Text != "" {
			t.Errorf("the last message is %+v", j.LastMessage)
		}

		// Inside a command, with what it has sent itself.
		do(t, s, func(tx chat.Tx) error {
			m, err := post(tx, room.ID, ann.ID, "now", "")
			if err != nil {
				return err
			}
			list := []models.JoinedRoom{{Room: room, Role: models.RoomMember, From: from}}
			if err := tx.FillRooms(list, bob.ID); err != nil {
				return err
			}
			if j := list[0]; j.Unread != 1 || j.LastMessage == nil || j.LastMessage.ID != m.ID {
				t.Errorf("in the command: %+v", j)
			}
			return nil
		})

		// From the joining on: a message before it is not the last one.
		do(t, s, func(tx chat.Tx) error { return leave(tx, room.ID, bob, false) })
		if j := shown(t, s, room, bob); j.Unread != 0 || j.ReadID != 0 || j.LastMessage == nil {
			t.Errorf("not a member: %+v", j)
		}
		do(t, s, func(tx chat.Tx) error { from = tx.NextID(); return join(tx, room.ID, bob, models.RoomMember) })
		want("rejoined", bob, 0, 0, from-2, from)
		room.History = models.HistorySinceJoin
		want("since joining", bob, 0, 0, 0, from)
	})
}

func TestReadMarksGo(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleMember), newUser(t, s, "bob", models.RoleMember)
		tea, milk := newChannel(t, s, "tea", ann), newChannel(t, s, "milk", ann)
		do(t, s, func(tx chat.Tx) error {
			err := join(tx, tea.ID, bob, models.RoomMember)
			for _, u := range []models.User{ann, bob} {
				for _, room := range []int64{models.LobbyID, tea.ID, milk.ID} {
					_, e := tx.MoveRead(u.ID, room, 100+room)
					err = errors.Join(err, e)
				}
			}
			return err
		})
		marks := func(user models.User) string {
			var rooms []string
			view(t, s, func(r chat.Reader) error {
				for after := int64(0); ; {
					page, err := r.ReadMarks(user.ID, after, 1)
					if err != nil || len(page) == 0 {
						return err
					}
					after = page[0].RoomID
					rooms = append(rooms, fmt.Sprint(page[0].RoomID, ":", page[0].MessageID))
				}
			})
			return strings.Join(rooms, " ")
		}
		in := func(rooms ...int64) string {
			var all []string
			for _, id := range rooms {
				all = append(all, fmt.Sprint(id, ":", 100+id))
			}
			return strings.Join(all, " ")
		}
		if got, want := marks(ann), in(models.LobbyID, tea.ID, milk.ID); got != want {
			t.Fatalf("marks %s, want %s", got, want)
		}
		do(t, s, func(tx chat.Tx) error {
			e, err := tx.Append(models.Event{Type: models.RoomDeleted, RoomID: tea.ID, Audience: models.InRoom(tea.ID)},
				models.RoomDeletedData{RoomID: tea.ID})
			return errors.Join(err, tx.DeleteRoom(tea.ID, e.ID))
		})
		if got, want := marks(ann), in(models.LobbyID, milk.ID); got != want {
			t.Errorf("after the room's deletion %s, want %s", got, want)
		}
		if got, want := marks(bob), in(models.LobbyID, milk.ID); got != want {
			t.Errorf("bob's after the room's deletion %s, want %s", got, want)
		}
		do(t, s, func(tx chat.Tx) error { return tx.DeleteUser(ann, tx.NextID(), false) })
		if got := marks(ann); got != "" {
			t.Errorf("after the account's deletion %s", got)
		}
		if got := marks(bob); got == "" {
			t.Error("bob's marks went with ann")
		}
	})
}

// A page of rooms costs as many queries whether it has 10 or 200, and whichever of five pages it is.
func TestRoomListCostsAFixedNumberOfQueries(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		var queries atomic.Int64
		o.Fault = func(op string) error {
			if op == OpRead {
				queries.Add(1)
			}
			return nil
		}
		store := mustOpen(t, o)
		ann, bob := newUser(t, store, "ann", models.RoleMember), newUser(t, store, "bob", models.RoleMember)
		service := chat.New(chat.Options{Store: store})
		do(t, store, func(tx chat.Tx) error { // with the lobby, a thousand
			for i := range 999 {
				room := models.Room{ID: tx.NextID(), Kind: models.KindChannel, Name: fmt.Sprint(i), Key: fmt.Sprint(i), Visibility: models.Public}
				_, err := tx.Append(models.Event{Type: models.RoomCreated, RoomID: room.ID, Audience: models.Everyone()}, models.RoomData{})
				err = errors.Join(err, tx.InsertRoom(room))
				for _, u := range []models.User{ann, bob} {
					err = errors.Join(err, join(tx, room.ID, u, models.RoomMember))
				}
				if err != nil {
					return err
				}
				m, err := post(tx, room.ID, bob.ID, "hi", "")
				if err := errors.Join(err, tx.SetMentions(m, []int64{ann.ID})); err != nil {
					return err
				}
			}
			return nil
		})
		list := func(after int64, limit int) (rooms chat.RoomList, cost int64) {
			queries.Store(0)
			rooms, err := service.Rooms(t.Context(), chat.Actor{User: ann}, false, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			return rooms, queries.Load()
		}
		_, few := list(models.LobbyID, 10)
		pages, rooms, unread, mentions := 0, 0, 0, 0
		for after := int64(0); ; pages++ {
			page, cost := list(after, 200)
			if cost != few {
				t.Errorf("page %d costs %d queries, one of 10 rooms %d", pages, cost, few)
			}
			rooms += len(page.Rooms)
			for _, j := range page.Rooms {
				unread += j.Unread
				mentions += j.Mentions
			}
			if after = page.Next; after == 0 {
				break
			}
		}
		if pages != 4 || rooms != 1000 || unread != 999 || mentions != 999 {
			t.Errorf("%d pages more, %d rooms, %d unread, %d mentions", pages, rooms, unread, mentions)
		}
		t.Logf("%d queries", few)
	})
}
