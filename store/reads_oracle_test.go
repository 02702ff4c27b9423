package store

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/chat"
	"parley/models"
)

// readWorld is what has happened, as the one who did it knows it: from it the counts are worked out anew, one
// message at a time.
type readWorld struct {
	t       *testing.T
	ctx     context.Context
	store   *Store
	chat    *chat.Service
	rand    *rand.Rand
	step    string
	actors  map[int64]chat.Actor // by user, who are not deleted
	root    chat.Actor
	rooms   map[int64]*readRoom
	said    []*readMessage
	marks   map[pair]int64 // user, room
	told    [][3]int64     // to Whisperer: user, room, message
	expects [][3]int64
	made    int
}

type readRoom struct {
	id      int64
	private bool
	direct  bool
	since   bool
	members map[int64]int64 // where each one's membership began
}

type readMessage struct {
	id, room, sender int64
	gone             bool
	mentions         []int64
}

func (w *readWorld) Typing(int64, models.EventUser) {}
func (w *readWorld) Position(int64, int64, int)     {}
func (w *readWorld) ReadMoved(user, room, message int64) {
	w.told = append(w.told, [3]int64{user, room, message})
}

const readPassword = "correct horse"

func newReadWorld(t *testing.T, o Options, seed uint64) *readWorld {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	w := &readWorld{
		t: t, ctx: ctx, store: mustOpen(t, o), rand: rand.New(rand.NewPCG(seed, 1)),
		actors: map[int64]chat.Actor{}, rooms: map[int64]*readRoom{models.LobbyID: {id: models.LobbyID}}, marks: map[pair]int64{},
	}
	w.chat = chat.New(chat.Options{
		Store: w.store, Whisper: w, Guests: true, Hasher: chat.NewHasher(chat.HashCost{MemoryKiB: 8, Passes: 1}),
	})
	done := make(chan struct{})
	go func() { defer close(done); w.chat.FinishDeletions(ctx) }()
	t.Cleanup(func() { stop(); <-done })
	w.root = w.register()
	for range 3 {
		w.register()
	}
	return w
}

func (w *readWorld) register() chat.Actor {
	w.made++
	login, err := w.chat.Register(w.ctx, fmt.Sprint("user", w.made), readPassword, chat.Device{})
	w.must(err)
	w.actors[login.Actor.User.ID] = login.Actor
	return login.Actor
}

func (w *readWorld) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%s: %v", w.step, err)
	}
}

func oneOf[T any](w *readWorld, list []T) T { return list[w.rand.IntN(len(list))] }

// someone is any of the accounts; somewhere any room, or one that the user is in.
func (w *readWorld) someone() chat.Actor {
	return w.actors[oneOf(w, slices.Sorted(maps.Keys(w.actors)))]
}

func (w *readWorld) somewhere(fits func(r *readRoom) bool) *readRoom {
	var rooms []*readRoom
	for _, id := range slices.Sorted(maps.Keys(w.rooms)) {
		if fits(w.rooms[id]) {
			rooms = append(rooms, w.rooms[id])
		}
	}
	if len(rooms) == 0 {
		return nil
	}
	return oneOf(w, rooms)
}

func (w *readWorld) from(r *readRoom, user int64) (from int64, in bool) {
	if r.id == models.LobbyID {
		return user, true
	}
	from, in = r.members[user]
	return from, in
}

func (w *readWorld) roomOf(user int64) *readRoom {
	return w.somewhere(func(r *readRoom) bool { _, in := w.from(r, user); return in })
}

func isChannel(r *readRoom) bool { return r.id != models.LobbyID && !r.direct }

func ref(id int64) string { return fmt.Sprint(id) }

// says notes a message that was taken, and lets it mention people.
func (w *readWorld) says(m models.Message, mentions []int64) {
	said := &readMessage{id: m.ID, room: m.RoomID, sender: m.SenderID}
	w.said = append(w.said, said)
	w.mention(said, mentions)
}

func (w *readWorld) mention(m *readMessage, users []int64) {
	if len(users) == 0 && len(m.mentions) == 0 {
		return
	}
	do(w.t, w.store, func(tx chat.Tx) error { return tx.SetMentions(models.Message{ID: m.id, RoomID: m.room}, users) })
	m.mentions = users
}

// people are a few accounts, perhaps with everybody.
func (w *readWorld) people() (ids []int64) {
	for _, id := range append([]int64{0}, slices.Sorted(maps.Keys(w.actors))...) {
		if w.rand.IntN(5) == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// steps are what can happen, with how often it does.
var readSteps = []struct {
	name string
	odds int
	do   func(w *readWorld)
}{
	{"send", 12, func(w *readWorld) {
		a := w.someone()
		r := w.roomOf(a.User.ID)
		m, _, err := w.chat.Send(w.ctx, a, models.Draft{To: ref(r.id), Text: "x"})
		if r.direct && models.CodeOf(err) == models.CodeConflict {
			return // the other one is deleted
		}
		w.must(err)
		w.says(m, w.people())
	}},
	{"mark read", 10, func(w *readWorld) {
		a := w.someone()
		r := w.roomOf(a.User.ID)
		from, _ := w.from(r, a.User.ID)
		var ids []int64
		for _, m := range w.said {
			if m.room == r.id && (!r.since || m.id > from) {
				ids = append(ids, m.id)
			}
		}
		if len(ids) == 0 {
			return
		}
		id := oneOf(w, ids)
		key := pair{a.User.ID, r.id}
		w.must(w.chat.MarkRead(w.ctx, a, ref(r.id), id))
		if id > max(from, w.marks[key]) {
			w.marks[key] = id
			w.expects = append(w.expects, [3]int64{a.User.ID, r.id, id})
		}
	}},
	{"delete messages", 4, func(w *readWorld) {
		var ids []int64
		for range 1 + w.rand.IntN(2) {
			if len(w.said) > 0 {
				m := oneOf(w, w.said)
				m.gone, m.mentions = true, nil
				ids = append(ids, m.id)
			}
		}
		do(w.t, w.store, func(tx chat.Tx) error { return tx.BuryMessages(ids) })
	}},
	{"edit", 4, func(w *readWorld) {
		if len(w.said) == 0 {
			return
		}
		if m := oneOf(w, w.said); !m.gone {
			w.mention(m, w.people())
		}
	}},
	{"create", 2, func(w *readWorld) {
		a, r := w.someone(), &readRoom{private: w.rand.IntN(2) == 0, members: map[int64]int64{}}
		visibility := models.Public
		if r.private {
			visibility = models.Private
		}
		w.made++
		room, err := w.chat.CreateRoom(w.ctx, a, chat.NewRoom{Name: fmt.Sprint("room", w.made), Visibility: visibility})
		w.must(err)
		r.id, r.members[a.User.ID] = room.ID, head(w.t, w.store)
		w.rooms[r.id] = r
		w.same(a.User.ID, room)
	}},
	{"hide what was before", 3, func(w *readWorld) {
		if r := w.somewhere(func(r *readRoom) bool { return isChannel(r) && r.private }); r != nil {
			r.since = !r.since
			history := models.HistoryAll
			if r.since {
				history = models.HistorySinceJoin
			}
			room, err := w.chat.UpdateRoom(w.ctx, w.root, ref(r.id), chat.RoomChange{History: &history})
			w.must(err)
			w.same(w.root.User.ID, room)
		}
	}},
	{"join", 4, func(w *readWorld) {
		a := w.someone()
		if r := w.somewhere(func(r *readRoom) bool { return isChannel(r) && !r.private }); r != nil {
			room, err := w.chat.Join(w.ctx, a, ref(r.id))
			w.must(err)
			if _, in := r.members[a.User.ID]; !in {
				r.members[a.User.ID] = head(w.t, w.store)
			}
			w.same(a.User.ID, room)
		}
	}},
	{"add", 4, func(w *readWorld) {
		if r := w.somewhere(isChannel); r != nil {
			u := w.someone().User.ID
			_, err := w.chat.PutMember(w.ctx, w.root, ref(r.id), ref(u), models.NoRole)
			w.must(err)
			if _, in := r.members[u]; !in {
				r.members[u] = head(w.t, w.store)
			}
		}
	}},
	{"leave or be removed", 4, func(w *readWorld) {
		a := w.someone()
		if r := w.somewhere(func(r *readRoom) bool { _, in := r.members[a.User.ID]; return isChannel(r) && in }); r != nil {
			var err error
			if w.rand.IntN(2) == 0 {
				err = w.chat.Leave(w.ctx, a, ref(r.id), "")
			} else {
				err = w.chat.RemoveMember(w.ctx, w.root, ref(r.id), ref(a.User.ID))
			}
			if models.CodeOf(err) == models.CodeConflict && err != nil {
				return // the last owner
			}
			w.must(err)
			delete(r.members, a.User.ID)
		}
	}},
	{"speak to somebody", 2, func(w *readWorld) {
		a, b := w.someone(), w.someone()
		if a.User.ID == b.User.ID {
			return
		}
		before := head(w.t, w.store)
		m, _, err := w.chat.Send(w.ctx, a, models.Draft{To: "@" + b.User.Name, Text: "hi"})
		w.must(err)
		if w.rooms[m.RoomID] == nil {
			w.rooms[m.RoomID] = &readRoom{
				id: m.RoomID, private: true, direct: true, members: map[int64]int64{a.User.ID: before + 1, b.User.ID: before + 2},
			}
		}
		w.says(m, nil)
	}},
	{"change a topic", 1, func(w *readWorld) {
		if r := w.somewhere(isChannel); r != nil {
			topic := fmt.Sprint("topic ", w.rand.Uint32())
			room, err := w.chat.UpdateRoom(w.ctx, w.root, ref(r.id), chat.RoomChange{Topic: &topic})
			w.must(err)
			w.same(w.root.User.ID, room)
		}
	}},
	{"delete a room", 1, func(w *readWorld) {
		if r := w.somewhere(isChannel); r != nil && len(w.rooms) > 6 {
			w.must(w.chat.DeleteRoom(w.ctx, w.root, ref(r.id)))
			delete(w.rooms, r.id)
		}
	}},
	{"come or go", 1, func(w *readWorld) {
		a := w.someone()
		if len(w.actors) < 5 || a.User.ID == w.root.User.ID {
			w.register()
			return
		}
		erase := w.rand.IntN(2) == 0
		w.must(w.chat.DeleteAccount(w.ctx, a, readPassword, erase))
		delete(w.actors, a.User.ID)
		for _, r := range w.rooms {
			delete(r.members, a.User.ID)
		}
		for _, m := range w.said {
			if erase && m.sender == a.User.ID {
				m.gone, m.mentions = true, nil
			}
		}
	}},
}

// counted is what an answer must say of the room to the user.
func (w *readWorld) counted(r *readRoom, user int64) string {
	from, in := w.from(r, user)
	base := max(from, w.marks[pair{user, r.id}])
	var unread, mentions int
	var last *readMessage
	for _, m := range w.said {
		if m.room != r.id || in && r.since && m.id < from {
			continue
		}
		last = m
		if m.gone || m.sender == user || m.id <= base {
			continue
		}
		unread++
		if slices.Contains(m.mentions, user) || slices.Contains(m.mentions, 0) {
			mentions++
		}
	}
	out := fmt.Sprintf("room %d: ", r.id)
	if in {
		out += fmt.Sprintf("%d unread, %d mentions, read to %d, ", unread, mentions, base)
	}
	if last != nil && (in || !r.private) {
		out += fmt.Sprintf("last %d by %d, gone %v", last.id, last.sender, last.gone)
		if !last.gone {
			out += fmt.Sprint(slices.DeleteFunc(slices.Sorted(slices.Values(last.mentions)), func(id int64) bool { return id == 0 }))
		}
	}
	return out
}

func described(j models.JoinedRoom) string {
	out := fmt.Sprintf("room %d: ", j.ID)
	if j.Role != models.NoRole {
		out += fmt.Sprintf("%d unread, %d mentions, read to %d, ", j.Unread, j.Mentions, j.ReadID)
	}
	if m := j.LastMessage; m != nil {
		out += fmt.Sprintf("last %d by %d, gone %v", m.ID, m.SenderID, m.IsDeleted())
		if !m.IsDeleted() {
			out += fmt.Sprint(m.Mentions)
		}
	}
	return out
}

// same compares what a command answers.
func (w *readWorld) same(user int64, got models.JoinedRoom) {
	w.t.Helper()
	if got, want := described(got), w.counted(w.rooms[got.ID], user); got != want {
		w.t.Fatalf("%s: user %d is answered\n%s, want\n%s", w.step, user, got, want)
	}
}

// compare asks for every room as every user.
func (w *readWorld) compare() {
	w.t.Helper()
	for user, a := range w.actors {
		for _, public := range []bool{false, true} {
			var want, got []string
			for _, id := range slices.Sorted(maps.Keys(w.rooms)) {
				r := w.rooms[id]
				if _, in := w.from(r, user); public && !r.private || !public && in {
					want = append(want, w.counted(r, user))
				}
			}
			limit := 1 + w.rand.IntN(5)
			for after := int64(0); ; {
				list, err := w.chat.Rooms(w.ctx, a, public, after, limit)
				w.must(err)
				for _, j := range list.Rooms {
					got = append(got, described(j))
				}
				if after = list.Next; after == 0 {
					break
				}
			}
			if !slices.Equal(got, want) {
				w.t.Fatalf("%s: user %d (public %v) is given\n%q, want\n%q", w.step, user, public, got, want)
			}
		}
		for _, r := range w.rooms {
			if _, in := w.from(r, user); in || user == w.root.User.ID && !r.direct {
				room, err := w.chat.Room(w.ctx, a, ref(r.id))
				w.must(err)
				w.same(user, room)
			}
		}
	}
	if !slices.Equal(w.told, w.expects) {
		w.t.Fatalf("%s: told of %v, want %v", w.step, w.told, w.expects)
	}
}

// Whatever happens, every answer has the counts that the log of what was acknowledged gives.
func TestCountsAgainstAnOracle(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, o Options) {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		w := newReadWorld(t, o, seed)
		var all []int
		for i, s := range readSteps {
			for range s.odds {
				all = append(all, i)
			}
		}
		steps := 250
		if o.URL != "" {
			steps = 100 // each takes longer
		}
		if testing.Short() {
			steps /= 4 // one after the other: the race detector would find the same in more of them
		}
		for n := range steps {
			s := readSteps[oneOf(w, all)]
			w.step = fmt.Sprintf("step %d, %s", n, s.name)
			s.do(w)
			w.compare()
		}
	})
}
