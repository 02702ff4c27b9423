package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"gorm.io/gorm"

	"parley/chat"
	"parley/models"
)

// newDirect makes the conversation of two users, as chat does.
func newDirect(tx chat.Tx, a, b models.User) (models.Room, error) {
	room := models.Room{
		ID: tx.NextID(), Kind: models.KindDirect, Visibility: models.Private,
		DirectA: min(a.ID, b.ID), DirectB: max(a.ID, b.ID), CreatedAt: tx.Now(),
	}
	for i, u := range []models.User{a, b} {
		e, err := tx.Append(models.Event{Type: models.RoomCreated, RoomID: room.ID, Audience: models.ForUser(u.ID)},
			models.RoomData{Room: room.ForEvent()})
		if err != nil {
			return room, err
		}
		if i == 0 {
			if err := tx.InsertRoom(room); err != nil {
				return room, err
			}
		}
		err = tx.StartSpell(models.Membership{RoomID: room.ID, UserID: u.ID, Role: models.RoomMember, From: e.ID, JoinedAt: tx.Now()})
		if err != nil {
			return room, err
		}
	}
	return room, nil
}

// both reads in a snapshot and inside a command.
func both(t *testing.T, s *Store, read func(r chat.Reader) error) {
	t.Helper()
	view(t, s, read)
	do(t, s, func(tx chat.Tx) error { return read(tx) })
}

func TestRooms(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		bob := newUser(t, s, "bob", models.RoleMember)
		room := newChannel(t, s, "Tea", ann)
		room.MemberCount = 1
		both(t, s, func(r chat.Reader) error {
			for _, get := range []func() (models.Room, error){
				func() (models.Room, error) { return r.Room(room.ID) },
				func() (models.Room, error) { return r.RoomByKey("tea") },
			} {
				if got, err := get(); err != nil || !sameRoom(got, room) {
					t.Errorf("room %+v, %v, want %+v", got, err, room)
				}
			}
			for what, err := range map[string]error{
				"Room": errOf(r.Room(999)), "RoomByKey": errOf(r.RoomByKey("x")), "no key": errOf(r.RoomByKey("")),
				"Direct": errOf(r.Direct(ann.ID, bob.ID)), "nobody's": errOf(r.Direct(0, 0)),
				"Membership": errOf(r.Membership(room.ID, bob.ID)), "lobby": errOf(r.Membership(models.LobbyID, ann.ID)),
			} {
				if !errors.Is(err, chat.ErrNotFound) {
					t.Errorf("%s: %v", what, err)
				}
			}
			m, err := r.Membership(room.ID, ann.ID)
			if err != nil || m.Role != models.RoomOwner || m.From != room.ID+1 || m.To != 0 || m.JoinedAt.IsZero() {
				t.Errorf("membership %+v, %v", m, err)
			}
			return nil
		})
		room.Name, room.Key, room.Topic, room.Visibility, room.Archived = "Kaffee", "kaffee", "beans", models.Private, true
		do(t, s, func(tx chat.Tx) error {
			return errors.Join(join(tx, room.ID, bob, models.RoomMember),
				tx.SetRoomRole(room.ID, bob.ID, models.RoomOwner), tx.UpdateRoom(room))
		})
		room.MemberCount = 2
		both(t, s, func(r chat.Reader) error {
			if got, err := r.RoomByKey("kaffee"); err != nil || !sameRoom(got, room) {
				t.Errorf("after the update %+v, %v, want %+v", got, err, room)
			}
			if _, err := r.RoomByKey("tea"); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("by the old name: %v", err)
			}
			if n, err := r.Owners(room.ID); n != 2 || err != nil {
				t.Errorf("%d owners, %v", n, err)
			}
			m, err := r.Membership(room.ID, bob.ID)
			if err != nil || m.Role != models.RoomOwner {
				t.Errorf("membership %+v, %v", m, err)
			}
			return nil
		})
		do(t, s, func(tx chat.Tx) error { return leave(tx, room.ID, bob, false) })
		both(t, s, func(r chat.Reader) error {
			got, err := r.Room(room.ID)
			n, err2 := r.Owners(room.ID)
			if _, gone := r.Membership(room.ID, bob.ID); got.MemberCount != 1 || n != 1 || !errors.Is(gone, chat.ErrNotFound) {
				t.Errorf("after leaving: %d members, %d owners, %v, %v, %v", got.MemberCount, n, gone, err, err2)
			}
			return nil
		})
		for what, cmd := range map[string]chat.Command{
			"EndSpell":    func(tx chat.Tx) error { return tx.EndSpell(room.ID, bob.ID, tx.NextID(), false) },
			"SetRoomRole": func(tx chat.Tx) error { return tx.SetRoomRole(room.ID, bob.ID, models.RoomMember) },
			"UpdateRoom":  func(tx chat.Tx) error { return tx.UpdateRoom(models.Room{ID: 999}) },
			"DeleteRoom":  func(tx chat.Tx) error { return tx.DeleteRoom(999, 1000) },
		} {
			if err := s.Do(context.Background(), cmd); !errors.Is(err, chat.ErrNotFound) {
				t.Errorf("%s of what is not there: %v", what, err)
			}
		}
	})
}

func sameRoom(a, b models.Room) bool {
	same := slices.Equal(a.Members, b.Members)
	a.Members, b.Members = nil, nil
	return same && fmt.Sprint(a) == fmt.Sprint(b)
}

func TestDeletedRoomIsGone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		room := newChannel(t, s, "tea", ann)
		both(t, s, func(r chat.Reader) error { _, err := r.RoomByKey("tea"); return err }) // so that it is remembered
		do(t, s, func(tx chat.Tx) error {
			e, err := tx.Append(models.Event{Type: models.RoomDeleted, RoomID: room.ID, Audience: models.InRoom(room.ID)},
				models.RoomDeletedData{RoomID: room.ID})
			if err != nil {
				return err
			}
			return tx.DeleteRoom(room.ID, e.ID)
		})
		both(t, s, func(r chat.Reader) error {
			for what, err := range map[string]error{
				"Room": errOf(r.Room(room.ID)), "RoomByKey": errOf(r.RoomByKey("tea")), "Membership": errOf(r.Membership(room.ID, ann.ID)),
			} {
				if !errors.Is(err, chat.ErrNotFound) {
					t.Errorf("%s: %v", what, err)
				}
			}
			joined, err := r.JoinedRooms(ann.ID, 0, 10)
			if err != nil || len(joined) != 1 {
				t.Errorf("joined: %+v, %v", joined, err)
			}
			public, err := r.PublicRooms(ann.ID, 0, 10)
			if err != nil || len(public) != 1 {
				t.Errorf("public: %+v, %v", public, err)
			}
			return nil
		})
		again := newChannel(t, s, "tea", ann) // the name is free
		both(t, s, func(r chat.Reader) error {
			got, err := r.RoomByKey("tea")
			if got.ID != again.ID {
				t.Errorf("by name: %+v, %v", got, err)
			}
			return nil
		})
	})
}

func TestDirectRooms(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		bob := newUser(t, s, "bob", models.RoleMember)
		var room, self models.Room
		do(t, s, func(tx chat.Tx) (err error) { room, err = newDirect(tx, bob, ann); return err })
		do(t, s, func(tx chat.Tx) (err error) {
			self = models.Room{ID: tx.NextID(), Kind: models.KindDirect, DirectA: ann.ID, DirectB: ann.ID}
			if _, err := tx.Append(models.Event{Type: models.RoomCreated, Audience: models.ForUser(ann.ID)}, 0); err != nil {
				return err
			}
			return errors.Join(tx.InsertRoom(self), tx.StartSpell(models.Membership{RoomID: self.ID, UserID: ann.ID, From: self.ID}))
		})
		check := func(second string) {
			t.Helper()
			want := []models.Peer{{ID: ann.ID, Name: "ann"}, {ID: bob.ID, Name: second}}
			both(t, s, func(r chat.Reader) error {
				for what, get := range map[string]func() (models.Room, error){
					"Room":    func() (models.Room, error) { return r.Room(room.ID) },
					"Direct":  func() (models.Room, error) { return r.Direct(ann.ID, bob.ID) },
					"reverse": func() (models.Room, error) { return r.Direct(bob.ID, ann.ID) },
					"joined": func() (models.Room, error) {
						rooms, err := r.JoinedRooms(bob.ID, models.LobbyID, 10)
						return rooms[0].Room, err
					},
				} {
					got, err := get()
					if err != nil || got.ID != room.ID || !slices.Equal(got.Members, want) || got.MemberCount != 2 {
						t.Errorf("%s: %+v, %v, want members %+v", what, got, err, want)
					}
				}
				got, err := r.Direct(ann.ID, ann.ID)
				if err != nil || got.ID != self.ID || !slices.Equal(got.Members, want[:1]) {
					t.Errorf("with oneself: %+v, %v", got, err)
				}
				return nil
			})
		}
		check("bob")
		bob.Name, bob.Key = "rob", "rob"
		do(t, s, func(tx chat.Tx) error { return tx.UpdateUser(bob) })
		check("rob")
	})
}

func TestMembersAndLists(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		users, room := crowd(t, s, 5)
		visitor := newUser(t, s, "visitor", models.RoleVisitor)
		outsider := newUser(t, s, "outsider", models.RoleMember)
		private := newChannel(t, s, "secret", users[1])
		do(t, s, func(tx chat.Tx) error {
			private.Visibility = models.Private
			return errors.Join(tx.UpdateRoom(private), leave(tx, room.ID, users[3], true))
		})
		both(t, s, func(r chat.Reader) error {
			members, err := r.Members(room.ID, users[0].ID, 2)
			if err != nil {
				return err
			}
			for i, m := range members {
				if m.User != users[i+1] || m.Role != models.RoomMember || m.JoinedAt.IsZero() {
					t.Errorf("member %d: %+v, want %+v", i, m, users[i+1])
				}
			}
			all, err := r.Members(room.ID, 0, 100)
			if err != nil || len(members) != 2 || len(all) != 4 || all[0].Role != models.RoomOwner {
				t.Errorf("members %+v, %v", all, err)
			}
			lobby, err := r.Members(models.LobbyID, 0, 100)
			if err != nil || len(lobby) != 6 || lobby[5].User != outsider || lobby[5].Role != models.RoomMember ||
				lobby[5].JoinedAt != outsider.CreatedAt {
				t.Errorf("lobby %+v, %v", lobby, err)
			}
			among := []int64{visitor.ID, users[3].ID, users[4].ID, 999, outsider.ID}
			in, err := r.MembersAmong(room.ID, among)
			if err != nil || !slices.Equal(in, []int64{users[4].ID}) {
				t.Errorf("among: %v, %v", in, err)
			}
			in, err = r.MembersAmong(models.LobbyID, among)
			slices.Sort(in)
			if err != nil || !slices.Equal(in, []int64{users[3].ID, users[4].ID, outsider.ID}) {
				t.Errorf("among in the lobby: %v, %v", in, err)
			}
			none, err := r.MembersAmong(room.ID, nil)
			owners, err2 := r.Owners(models.LobbyID)
			if err != nil || err2 != nil || len(none) != 0 || owners != 0 {
				t.Errorf("among none: %v, %v; owners of the lobby %d, %v", none, err, owners, err2)
			}
			return listsAre(t, r, room, private, users[1], visitor, outsider)
		})
	})
}

func listsAre(t *testing.T, r chat.Reader, room, private models.Room, member, visitor, outsider models.User) error {
	t.Helper()
	type entry struct {
		id   int64
		role models.RoomRole
	}
	const lobby = models.LobbyID
	for _, c := range []struct {
		what string
		list func(userID, after int64, limit int) ([]models.JoinedRoom, error)
		user models.User
		from int64
		max  int
		want []entry
	}{
		{"joined", r.JoinedRooms, member, 0, 10, []entry{{lobby, "member"}, {room.ID, "member"}, {private.ID, "owner"}}},
		{"joined", r.JoinedRooms, member, 0, 2, []entry{{lobby, "member"}, {room.ID, "member"}}},
		{"joined", r.JoinedRooms, member, lobby, 10, []entry{{room.ID, "member"}, {private.ID, "owner"}}},
		{"joined", r.JoinedRooms, outsider, 0, 10, []entry{{lobby, "member"}}},
		{"joined", r.JoinedRooms, visitor, 0, 10, nil},
		{"public", r.PublicRooms, member, 0, 10, []entry{{lobby, "member"}, {room.ID, "member"}}},
		{"public", r.PublicRooms, outsider, 0, 10, []entry{{lobby, "member"}, {room.ID, ""}}},
		{"public", r.PublicRooms, outsider, lobby, 1, []entry{{room.ID, ""}}},
		{"public", r.PublicRooms, visitor, 0, 10, []entry{{lobby, ""}, {room.ID, ""}}},
	} {
		rooms, err := c.list(c.user.ID, c.from, c.max)
		if err != nil {
			return err
		}
		var got []entry
		for _, j := range rooms {
			if j.Kind != models.KindChannel || j.Name == "" {
				t.Errorf("%s of %s: an empty room %+v", c.what, c.user.Name, j)
			}
			got = append(got, entry{j.ID, j.Role})
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s of %s after %d by %d: %v, want %v", c.what, c.user.Name, c.from, c.max, got, c.want)
		}
	}
	return nil
}

// TestListsCostAFixedNumberOfQueries compares few and many rooms.
func TestListsCostAFixedNumberOfQueries(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		var queries atomic.Int64
		count := func(*gorm.DB) { queries.Add(1) }
		if err := errors.Join(s.reads.Callback().Row().After("gorm:row").Register("count", count),
			s.reads.Callback().Query().After("gorm:query").Register("count", count)); err != nil {
			t.Fatal(err)
		}
		ann := newUser(t, s, "ann", models.RoleMember)
		small := newChannel(t, s, "small", ann)
		made := 0
		more := func(rooms int) {
			do(t, s, func(tx chat.Tx) error {
				for ; made < rooms; made++ {
					u, err := addUser(tx, fmt.Sprint("peer", made), models.RoleMember)
					if err != nil {
						return err
					}
					direct, err := newDirect(tx, ann, u)
					if err != nil {
						return err
					}
					if _, err := post(tx, direct.ID, u.ID, "hello", ""); err != nil {
						return err
					}
					if err := join(tx, small.ID, u, models.RoomMember); err != nil {
						return err
					}
				}
				return nil
			})
		}
		costs := func(rooms int) map[string]int64 {
			out := map[string]int64{}
			cost := func(what string, read func(r chat.Reader) (int, error)) {
				queries.Store(0)
				view(t, s, func(r chat.Reader) error {
					n, err := read(r)
					if n != rooms {
						t.Errorf("%s gives %d of %d", what, n, rooms)
					}
					return err
				})
				out[what] = queries.Load()
			}
			cost("JoinedRooms", func(r chat.Reader) (int, error) {
				list, err := r.JoinedRooms(ann.ID, small.ID, 2000)
				for _, j := range list {
					if len(j.Members) != 2 {
						t.Errorf("room %d has members %v", j.ID, j.Members)
					}
				}
				return len(list), err
			})
			cost("FillRooms", func(r chat.Reader) (int, error) {
				list, err := r.JoinedRooms(ann.ID, small.ID, 2000)
				queries.Store(0)
				return len(list), errors.Join(err, r.FillRooms(list, ann.ID))
			})
			cost("Members", func(r chat.Reader) (int, error) {
				list, err := r.Members(small.ID, ann.ID, 2000)
				return len(list), err
			})
			cost("Direct", func(r chat.Reader) (int, error) {
				list, err := r.JoinedRooms(ann.ID, small.ID, 1)
				if err != nil {
					return 0, err
				}
				queries.Store(0)
				_, err = r.Direct(list[0].DirectA, list[0].DirectB)
				return rooms, err
			})
			cost("Page", func(chat.Reader) (int, error) {
				queries.Store(0)
				p, err := s.Page(context.Background(), ann.ID, 0, 1)
				if len(p.Rooms) != rooms+2 {
					t.Errorf("standing in %d rooms", len(p.Rooms))
				}
				return rooms, err
			})
			return out
		}
		more(10)
		few := costs(10)
		more(1000)
		many := costs(1000)
		if fmt.Sprint(few) != fmt.Sprint(many) || few["JoinedRooms"] == 0 {
			t.Errorf("queries for 10 rooms %v, for 1000 %v", few, many)
		}
		t.Log(few)
	})
}
