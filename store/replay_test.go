package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"parley/chat"
	"parley/models"
)

var longText = strings.Repeat("lorem ipsum ", 400)

func itoa(n int) string { return fmt.Sprint(n) }

// history is a random log and, kept apart from the database, what happened in it.
type history struct {
	rng    *rand.Rand
	users  []models.User
	rooms  map[int64]bool // live ones
	order  []int64        // of rooms
	events []models.Event
	spells map[int64][]models.Membership // by user
	serves map[int64][][2]int64          // by user: as agent or admin, from an entry to one, 0 still
}

func (h *history) note(e models.Event, err error) (models.Event, error) {
	if err == nil {
		h.events = append(h.events, e)
	}
	return e, err
}

func (h *history) present(userID, roomID int64) *models.Membership {
	for i := range h.spells[userID] {
		if m := &h.spells[userID][i]; m.RoomID == roomID && m.To == 0 {
			return m
		}
	}
	return nil
}

// step appends one random thing that can happen.
func (h *history) step(tx chat.Tx) error {
	u := h.users[h.rng.IntN(len(h.users))]
	room := int64(0)
	if len(h.order) > 0 {
		room = h.order[h.rng.IntN(len(h.order))]
	}
	appendTo := func(kind models.EventType, a models.Audience, roomID int64) (models.Event, error) {
		return h.note(tx.Append(models.Event{Type: kind, Audience: a, RoomID: roomID}, map[string]int{"n": h.rng.IntN(1000)}))
	}
	switch p := h.rng.IntN(100); {
	case p < 8 || room == 0: // a room
		e, err := appendTo(models.RoomCreated, models.ForUser(u.ID), tx.NextID())
		if err != nil {
			return err
		}
		h.rooms[e.ID] = true
		h.order = append(h.order, e.ID)
		return tx.InsertRoom(models.Room{ID: e.ID, Kind: models.KindChannel, Name: itoa(int(e.ID)), Key: "k" + itoa(int(e.ID))})
	case p < 28 && h.rooms[room]: // in or out
		m := h.present(u.ID, room)
		if m == nil {
			e, err := appendTo(models.MemberJoined, models.InRoom(room), room)
			if err != nil {
				return err
			}
			spell := models.Membership{RoomID: room, UserID: u.ID, Role: models.RoomMember, From: e.ID}
			h.spells[u.ID] = append(h.spells[u.ID], spell)
			return tx.StartSpell(spell)
		}
		e, err := appendTo(models.MemberLeft, models.InRoom(room), room)
		if err != nil {
			return err
		}
		m.To, m.Revoked = e.ID, h.rng.IntN(2) == 0
		return tx.EndSpell(room, u.ID, e.ID, m.Revoked)
	case p < 30 && h.rooms[room]:
		e, err := appendTo(models.RoomDeleted, models.InRoom(room), room)
		if err != nil {
			return err
		}
		h.rooms[room] = false
		for id := range h.spells {
			for i := range h.spells[id] {
				if m := &h.spells[id][i]; m.RoomID == room {
					m.Revoked = true
					if m.To == 0 {
						m.To = e.ID
					}
				}
			}
		}
		return tx.DeleteRoom(room, e.ID)
	case p < 34:
		_, err := appendTo(models.UserUpdated, models.Everyone(), 0)
		return err
	case p < 38:
		_, err := appendTo(models.SupportUpdated, models.Agents(), 0)
		return err
	case p < 42:
		_, err := appendTo(models.SessionFinished, models.Audience{}, 0)
		return err
	case p < 48:
		_, err := appendTo(models.UserUpdated, models.ForUser(u.ID), 0)
		return err
	case p < 54:
		_, err := appendTo(models.MessageCreated, models.InRoom(models.LobbyID), models.LobbyID)
		return err
	case p < 57:
		v, err := addUser(tx, "u"+itoa(int(tx.NextID())), []models.Role{models.RoleMember, models.RoleVisitor, models.RoleAgent}[h.rng.IntN(3)])
		h.register(v)
		return err
	case p < 63 && u.Role != models.RoleVisitor:
		if err := h.changeRole(tx, u, []models.Role{models.RoleMember, models.RoleAgent, models.RoleAdmin}[h.rng.IntN(3)]); err != nil {
			return err
		}
		_, err := appendTo(models.SupportUpdated, models.Agents(), 0) // right behind it
		return err
	default:
		_, err := appendTo(models.MessageCreated, models.InRoom(room), room)
		return err
	}
}

func (h *history) register(u models.User) {
	h.users = append(h.users, u)
	h.events = append(h.events, models.Event{ID: u.ID})
	if u.Role == models.RoleAgent || u.Role == models.RoleAdmin {
		h.serves[u.ID] = [][2]int64{{u.ID, 0}}
	}
}

// changeRole gives the user another role, or another name where it is the same.
func (h *history) changeRole(tx chat.Tx, u models.User, role models.Role) error {
	u.Role = role
	u.Name = "u" + itoa(h.rng.Int())
	u.Key = u.Name
	e, err := h.note(tx.Append(models.Event{Type: models.UserUpdated, Audience: models.Everyone()}, models.UserData{User: u.ForEvent()}))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(h.users, func(v models.User) bool { return v.ID == u.ID })
	h.users[i] = u
	spells := h.serves[u.ID]
	was, is := len(spells) > 0 && spells[len(spells)-1][1] == 0, role != models.RoleMember
	switch {
	case is && !was:
		h.serves[u.ID] = append(spells, [2]int64{e.ID, 0})
	case was && !is:
		spells[len(spells)-1][1] = e.ID
	}
	return tx.UpdateUser(u)
}

// entitled says from what happened which entries after the cursor are the user's.
func (h *history) entitled(u models.User, after int64) (ids []int64) {
	visitor := u.Role == models.RoleVisitor
	for _, e := range h.events {
		yes := false
		switch a := e.Audience; a.Kind {
		case models.ToEveryone:
			yes = !visitor && e.ID > u.ID
		case models.ToUser:
			yes = a.ID == u.ID
		case models.ToAgents:
			for _, spell := range h.serves[u.ID] {
				yes = yes || spell[0] <= e.ID && (spell[1] == 0 || e.ID <= spell[1])
			}
		case models.ToRoom:
			yes = a.ID == models.LobbyID && !visitor && e.ID > u.ID
			for _, m := range h.spells[u.ID] {
				inside := m.From <= e.ID && (m.To == 0 || e.ID <= m.To)
				if m.Revoked {
					inside = e.ID == m.To
				}
				yes = yes || m.RoomID == a.ID && inside
			}
		case models.ToNone:
		}
		if yes && e.ID > after {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

func TestPageGivesExactlyWhatOneIsEntitledTo(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		h := &history{rng: rand.New(rand.NewPCG(seed, 1)), rooms: map[int64]bool{}, spells: map[int64][]models.Membership{}, serves: map[int64][][2]int64{}}
		s := mustOpen(t, o)
		for i, role := range []models.Role{models.RoleAdmin, models.RoleMember, models.RoleVisitor} {
			h.register(newUser(t, s, fmt.Sprint("first", i), role))
		}
		for range 20 {
			do(t, s, func(tx chat.Tx) error {
				for range 40 {
					if err := h.step(tx); err != nil {
						return err
					}
				}
				return nil
			})
		}
		last := h.events[len(h.events)-1].ID
		for _, u := range h.users {
			for _, after := range []int64{0, u.ID, h.rng.Int64N(last), last - 1, last} {
				checkReplay(t, s, h, u, after, 1+h.rng.IntN(60))
			}
		}
	})
}

// checkReplay follows the pages from a cursor and compares with what happened.
func checkReplay(t *testing.T, s *Store, h *history, u models.User, after int64, limit int) {
	t.Helper()
	var got []models.Event
	for cursor := after; ; {
		p, err := s.Page(context.Background(), u.ID, cursor, limit)
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Events) > limit || len(p.Events) < limit && p.To != p.Head || len(p.Events) == limit && p.To != p.Events[limit-1].ID {
			t.Errorf("page of %d at most %d: to %d, head %d", len(p.Events), limit, p.To, p.Head)
		}
		got = append(got, p.Events...)
		if p.To == p.Head {
			checkStanding(t, h, u, p.Standing)
			break
		}
		cursor = p.To
	}
	want := h.entitled(u, after)
	if ids := column(got, func(e *models.Event) int64 { return e.ID }); !slices.Equal(ids, want) {
		t.Fatalf("user %d (%s) after %d by %d gets\n%v, want\n%v", u.ID, u.Role, after, limit, ids, want)
	}
	for _, e := range got {
		// Nobody registers in vain: entry 1 is the lobby's, users are entries too.
		if orig := h.events[e.ID-2]; e.Type != orig.Type || e.RoomID != orig.RoomID || e.Audience != orig.Audience ||
			string(e.JSON) != string(orig.JSON) || !e.At.Equal(orig.At.Time) {
			t.Fatalf("entry %d is %+v, want %+v", e.ID, e, orig)
		}
	}
}

func checkStanding(t *testing.T, h *history, u models.User, s models.Standing) {
	t.Helper()
	var rooms []int64
	if u.Role != models.RoleVisitor {
		rooms = append(rooms, models.LobbyID)
	}
	for _, m := range h.spells[u.ID] {
		if m.To == 0 {
			rooms = append(rooms, m.RoomID)
		}
	}
	slices.Sort(rooms)
	since := u.ID
	for _, m := range h.spells[u.ID] {
		since = max(since, m.From, m.To)
	}
	for _, served := range h.serves[u.ID] {
		since = max(since, served[0], served[1])
	}
	agent := u.Role == models.RoleAgent || u.Role == models.RoleAdmin
	if !slices.Equal(s.Rooms, rooms) || s.Agent != agent || s.Everyone != (u.Role != models.RoleVisitor) ||
		s.UserID != u.ID || s.Oldest != 1 || s.Head != h.events[len(h.events)-1].ID ||
		s.Since != since {
		t.Errorf("standing %+v, want rooms %v since %d of %+v", s, rooms, since, u)
	}
}

func TestUnknownUserHasNoStanding(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		if _, err := s.Standing(context.Background(), 77); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("Standing: %v", err)
		}
		if _, err := s.Page(context.Background(), 77, 0, 10); !errors.Is(err, chat.ErrNotFound) {
			t.Errorf("Page: %v", err)
		}
	})
}

// TestOverlappingSpells cannot come from commands; a page gives each entry once all the same.
func TestOverlappingSpells(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		room := newChannel(t, s, "tea", ann)
		for range 10 {
			send(t, s, room.ID, ann.ID, "x")
		}
		write, _ := s.engine.pools()
		_, err := write.Exec(fmt.Sprintf("INSERT INTO memberships (room_id, user_id, role, from_id, to_id, revoked, joined_at) "+
			"VALUES (%d, %d, 'member', %d, %d, CAST(0 AS %s), 0)", room.ID, ann.ID, room.ID+3, room.ID+8, boolType(s)))
		if err != nil {
			t.Fatal(err)
		}
		var ids []int64
		for cursor := room.ID; ; {
			p, err := s.Page(context.Background(), ann.ID, cursor, 3)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, column(p.Events, func(e *models.Event) int64 { return e.ID })...)
			if cursor = p.To; cursor == p.Head {
				break
			}
		}
		gapless(t, ids, room.ID+1)
		if len(ids) != 11 {
			t.Errorf("%d entries, want 11", len(ids))
		}
	})
}

func boolType(s *Store) string {
	if s.engine.lockHead() {
		return "boolean"
	}
	return "integer"
}

func TestOldestOfAPrunedLog(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann := newUser(t, s, "ann", models.RoleMember)
		for range 3 {
			send(t, s, models.LobbyID, ann.ID, "x")
		}
		for _, oldest := range []int64{1, 4, 6} { // 6: nothing is left
			do(t, s, func(tx chat.Tx) error { return tx.PruneLog(oldest - 1) })
			st, err := s.Standing(context.Background(), ann.ID)
			if err != nil || st.Head != 5 || st.Oldest != oldest {
				t.Errorf("standing %+v, %v, want the oldest to be %d", st, err, oldest)
			}
		}
	})
}

// What an agent was sent stays theirs, whatever becomes of them, and an account that is deleted gets nothing more.
func TestSpellsOfAgents(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		s := mustOpen(t, o)
		ann, bob := newUser(t, s, "ann", models.RoleAdmin), newUser(t, s, "bob", models.RoleMember)
		tell := func(tx chat.Tx) error {
			_, err := tx.Append(models.Event{Type: models.SupportUpdated, Audience: models.Agents()}, 0)
			return err
		}
		become := func(role models.Role) chat.Command {
			return func(tx chat.Tx) error {
				u, err := tx.User(bob.ID)
				if err != nil {
					return err
				}
				u.Role = role
				_, err = tx.Append(models.Event{Type: models.UserUpdated, Audience: models.Everyone()}, models.UserData{User: u.ForEvent()})
				return errors.Join(err, tx.UpdateUser(u))
			}
		}
		errs := together(t, s, tell, become(models.RoleAgent), tell, // 4 5 6
			become(models.RoleAdmin), tell, become(models.RoleMember), tell, // 7 8 9 10
			become(models.RoleGuest), become(models.RoleBot), tell, become(models.RoleAgent), tell) // 11 12 13 14 15
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
		refused := func(tx chat.Tx) error { return errors.Join(become(models.RoleMember)(tx), tell(tx), errMuted) }
		if errs := together(t, s, tell, refused, tell); !errors.Is(errs[1], errMuted) { // 16 17
			t.Fatal(errs)
		}
		theirs := func(what string, u models.User, agent bool, want string) {
			t.Helper()
			p, err := s.Page(context.Background(), u.ID, 3, 0)
			var got []int64
			for _, e := range p.Events {
				if e.Audience == models.Agents() {
					got = append(got, e.ID)
				}
			}
			if err != nil || p.Agent != agent || fmt.Sprint(got) != want {
				t.Errorf("%s: agent %v, gets %v, %v, want %v", what, p.Agent, got, err, want)
			}
		}
		theirs("ann, always an admin", ann, true, "[4 6 8 10 13 15 16 17]")
		theirs("bob, twice an agent", bob, true, "[6 8 15 16 17]")
		do(t, s, func(tx chat.Tx) error {
			if err := tell(tx); err != nil {
				return err
			}
			e, err := tx.Append(models.Event{Type: models.UserDeleted, Audience: models.Everyone()}, models.UserDeletedData{UserID: bob.ID})
			bob.Role = models.RoleAgent
			return errors.Join(err, tx.DeleteUser(bob, e.ID, false), tell(tx))
		})
		theirs("bob, deleted", bob, false, "[6 8 15 16 17 18]")
		if h := check(t, o); len(h.Findings) > 0 {
			t.Errorf("found %q", h.Findings)
		}
	})
}
