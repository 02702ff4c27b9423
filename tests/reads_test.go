package tests

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

func markRead(u *harness.User, room string, message int64) *harness.Answer {
	return u.Put("/v1/rooms/"+room+"/read", map[string]any{"message_id": message})
}

func roomOf(u *harness.User, ref string) client.Room {
	return harness.Into[client.Room](u.Get("/v1/rooms/" + ref).Want(200))
}

// unread is what an answer says of the room: unread, mentions, read_id and the last message's id; - for what is not
// there.
func unread(r client.Room) string {
	part := func(present bool, v func() int64) string {
		if !present {
			return "-"
		}
		return fmt.Sprint(v())
	}
	return strings.Join([]string{
		part(r.Unread != nil, func() int64 { return int64(*r.Unread) }),
		part(r.Mentions != nil, func() int64 { return int64(*r.Mentions) }),
		part(r.ReadID != nil, func() int64 { return *r.ReadID }),
		part(r.LastMessage != nil, func() int64 { return r.LastMessage.ID }),
	}, " ")
}

// wantUnread compares what the room itself and the lists say.
func wantUnread(t *testing.T, u *harness.User, room int64, want string) {
	t.Helper()
	if got := unread(roomOf(u, id(room))); got != want {
		t.Errorf("%s's room %d has %s, want %s", u.Name, room, got, want)
	}
	for _, scope := range []string{"joined", "public"} {
		for _, r := range harness.Into[client.RoomList](u.Get("/v1/rooms?limit=200&scope=" + scope).Want(200)).Rooms {
			if got := unread(r); r.ID == room && got != want {
				t.Errorf("%s's list of %s rooms has %s, want %s", u.Name, scope, got, want)
			}
		}
	}
}

func unreadOf(unread, mentions int, read, last int64) string {
	if last == 0 {
		return fmt.Sprint(unread, mentions, read, " -")
	}
	return fmt.Sprint(unread, mentions, read, last)
}

func TestUnread(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		wantUnread(t, ann, 1, unreadOf(0, 0, ann.ID, 0))
		hello := ann.Send("lobby", "hello").ID
		wantUnread(t, ann, 1, unreadOf(0, 0, ann.ID, hello))
		wantUnread(t, bob, 1, unreadOf(1, 0, bob.ID, hello))
		carl := s.User("carl") // for whom it was said before
		wantUnread(t, carl, 1, unreadOf(0, 0, carl.ID, hello))

		tea := ann.Room("tea", "public")
		begin := tea.ID + 1 // her member.joined
		if got := unread(tea); got != unreadOf(0, 0, begin, 0) {
			t.Errorf("the new room has %s", got)
		}
		var said []int64
		for i := range 3 {
			said = append(said, ann.Send("tea", fmt.Sprint(i)).ID)
		}
		wantUnread(t, bob, tea.ID, "- - - "+id(said[2]))
		joined := harness.Into[client.Room](bob.Post("/v1/rooms/tea/join", nil).Want(200))
		if got := unread(joined); got != unreadOf(0, 0, said[2]+1, said[2]) || joined.LastMessage.Text != "2" {
			t.Errorf("joined: %s", got)
		}
		for i := range 3 {
			said = append(said, ann.Send("tea", fmt.Sprint(i)).ID, bob.Send("tea", "yes").ID)
		}
		last := said[len(said)-1]
		wantUnread(t, bob, tea.ID, unreadOf(3, 0, said[2]+1, last))
		wantUnread(t, ann, tea.ID, unreadOf(3, 0, begin, last))

		device := bob.Other()
		markRead(bob, "tea", said[4]).Want(204) // her first
		wantUnread(t, device, tea.ID, unreadOf(2, 0, said[4], last))
		markRead(device, id(tea.ID), said[6]).Want(204)
		wantUnread(t, bob, tea.ID, unreadOf(1, 0, said[6], last))
		for _, old := range []int64{said[6], said[3], said[0]} {
			bob.Do(http.MethodPut, "/v1/rooms/tea/read", harness.Form("message_id", id(old))).Want(204)
			wantUnread(t, bob, tea.ID, unreadOf(1, 0, said[6], last))
		}
		patched := harness.Into[client.Room](ann.Patch("/v1/rooms/tea", map[string]any{"topic": "green"}).Want(200))
		if got := unread(patched); got != unreadOf(3, 0, begin, last) {
			t.Errorf("patched: %s", got)
		}
		s.Restart()
		wantUnread(t, bob, tea.ID, unreadOf(1, 0, said[6], last))

		// Away, and back: what was said meanwhile is as read as all before it.
		bob.Post("/v1/rooms/tea/leave", nil).Want(204)
		missed := ann.Send("tea", "where is bob?").ID
		wantUnread(t, bob, tea.ID, "- - - "+id(missed))
		bob.Post("/v1/rooms/tea/join", nil).Want(200)
		wantUnread(t, bob, tea.ID, unreadOf(0, 0, missed+1, missed))
		markRead(bob, "tea", missed).Want(204) // nothing to move
		wantUnread(t, bob, tea.ID, unreadOf(0, 0, missed+1, missed))

		direct := ann.Send("@bob", "hi")
		wantUnread(t, bob, direct.RoomID, unreadOf(1, 0, direct.RoomID+1, direct.ID))
		wantUnread(t, ann, direct.RoomID, unreadOf(0, 0, direct.RoomID, direct.ID))
		markRead(bob, "@ann", direct.ID).Want(204)
		wantUnread(t, bob, direct.RoomID, unreadOf(0, 0, direct.ID, direct.ID))
	})
}

// What belongs to the reader is in no event.
func TestUnreadIsInNoEvent(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann, bob := s.User("ann"), s.User("bob")
	ann.Room("tea", "private")
	ann.Add("tea", bob, "")
	markRead(bob, "tea", ann.Send("tea", "hi").ID).Want(204)
	before := ann.Head()
	ann.Patch("/v1/rooms/tea", map[string]any{"topic": "green"}).Want(200)
	for _, e := range bob.Events(0) {
		for _, field := range []string{"unread", "read_id", "last_message"} {
			if strings.Contains(e.JSON+string(e.Data), field) {
				t.Errorf("%s is in %s", field, e.Data)
			}
		}
	}
	markRead(ann, "tea", before).Want(204)
	if after := ann.Head(); after != before+1 {
		t.Errorf("reading took a number of the log: from %d to %d", before, after)
	}
}

// A mark is at a message of the room that the reader may see, and at none else.
func TestMarkReadRefusals(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		tea, hidden := ann.Room("tea", "public"), ann.Room("hidden", "private")
		there, elsewhere, secret := ann.Send("tea", "hi").ID, ann.Send("lobby", "hi").ID, ann.Send("hidden", "hi").ID
		for _, wrong := range []int64{0, 1, tea.ID, there + 1000, elsewhere, secret} {
			markRead(ann, "tea", wrong).Refused("validation_failed", "message_id")
		}
		// What is in a room that one may not know of reads like what is nowhere.
		none := markRead(bob, "lobby", secret+1000).Refused("validation_failed", "message_id")
		if got := markRead(bob, "lobby", secret).Refused("validation_failed", "message_id"); got.Detail != none.Detail {
			t.Errorf("a secret message is told %q, none %q", got.Detail, none.Detail)
		}
		sameAsNone(t, markRead(bob, id(hidden.ID), secret).Want(404), markRead(bob, "999999", secret).Want(404))
		markRead(bob, "@ann", there).Refused("not_found")
		markRead(bob, "tea", there).Refused("forbidden")
		markRead(admin, "tea", there).Refused("forbidden")
		markRead(admin, "hidden", secret).Refused("forbidden")
		if got := unread(roomOf(admin, "hidden")); got != "- - - -" {
			t.Errorf("to an admin who is not in it the hidden room says %s", got)
		}
		for _, body := range []map[string]any{{}, {"message_id": "x"}, {"message_id": -1}, {"message_id": nil}} {
			ann.Put("/v1/rooms/tea/read", body).Refused("validation_failed", "message_id")
		}
		ann.Do(http.MethodPut, "/v1/rooms/tea/read", harness.Form("message_id", "x")).Refused("validation_failed", "message_id")
		wantUnread(t, ann, tea.ID, unreadOf(0, 0, tea.ID+1, there))

		ann.Delete("/v1/rooms/tea").Want(204)
		markRead(ann, id(tea.ID), there).Refused("not_found")
	})
}

// Who reads on many devices at once has read to the furthest.
func TestMarkReadRaces(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		var said []int64
		for range 20 {
			said = append(said, ann.Send("lobby", "x").ID)
		}
		var reading sync.WaitGroup
		for i := range said {
			reading.Go(func() {
				message := said[(i*7)%len(said)]
				a, err := s.Try(t.Context(), http.MethodPut, "/v1/rooms/lobby/read", bob.Bearer(), harness.Form("message_id", id(message)))
				if err != nil || a.Status != 204 {
					t.Errorf("%+v, %v", a, err)
				}
			})
		}
		reading.Wait()
		wantUnread(t, bob, 1, unreadOf(0, 0, said[19], said[19]))
	})
}

// Load the list, stream from its cursor, and count along: at any moment that gives what a list loaded then says,
// while others send.
func TestUnreadThenStream(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		tea := ann.Room("tea", "public")
		ann.Add("tea", bob, "")
		const each = 40
		var sending sync.WaitGroup
		for _, u := range []*harness.User{ann, bob, ann.Other()} {
			sending.Go(func() {
				for i := range each {
					a, err := s.Try(t.Context(), "POST", "/v1/send", u.Bearer(), harness.Form("to", []string{"tea", "lobby"}[i%2], "text", "x"))
					if err != nil || a.Status != 201 {
						t.Errorf("%+v, %v", a, err)
						return
					}
				}
			})
		}
		load := func() client.RoomList {
			return harness.Into[client.RoomList](bob.Get("/v1/rooms").Want(200))
		}
		var lists []client.RoomList
		for done := false; !done; {
			list := load()
			lists = append(lists, list)
			total := 0
			for _, r := range list.Rooms {
				total += *r.Unread
			}
			done = total == 2*each || t.Failed()
		}
		sending.Wait()
		final := load()
		want := map[int64]string{}
		for _, r := range final.Rooms {
			want[r.ID] = unread(r)
		}
		for i, list := range lists {
			if i > 0 && i < len(lists)-1 && i%max(1, len(lists)/10) != 0 {
				continue // a few of many are enough
			}
			events := bob.Events(list.Cursor)
			for _, r := range list.Rooms {
				n, last := *r.Unread, int64(0)
				if r.LastMessage != nil {
					last = r.LastMessage.ID
				}
				for _, e := range events {
					if e.Type != "message.created" || e.RoomID != r.ID {
						continue
					}
					last = e.ID
					if harness.DataOf[client.MessageData](e).Message.Sender.ID != bob.ID {
						n++
					}
				}
				if got := unreadOf(n, 0, *r.ReadID, last); got != want[r.ID] {
					t.Errorf("room %d (tea is %d) loaded at %d and counted on: %s, in the end it is %s", r.ID, tea.ID, list.Cursor, got, want[r.ID])
				}
			}
		}
	})
}

// Who goes with all that they said leaves nothing unread; who only goes leaves what they said.
func TestUnreadAfterDeletion(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob := s.User("root"), s.User("ann"), s.User("bob")
		begin := root.ID
		ann.Send("lobby", "one")
		bob.Send("lobby", "two")
		last := ann.Send("lobby", "three").ID
		wantUnread(t, root, 1, unreadOf(3, 0, begin, last))
		leave(bob, false).Want(204)
		wantUnread(t, root, 1, unreadOf(3, 0, begin, last))
		leave(ann, true).Want(204)
		wantUnread(t, root, 1, unreadOf(1, 0, begin, last))
		if m := roomOf(root, "lobby").LastMessage; m.DeletedAt == nil || m.Text != "" {
			t.Errorf("the last message is %+v", m)
		}
		markRead(root, "lobby", last).Want(204) // at a tombstone
		wantUnread(t, root, 1, unreadOf(0, 0, last, last))
	})
}

// The own devices hear of a mark that moved, and of one that did not nobody does; other people never do.
func TestReadUpdated(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		first, second := ann.Send("lobby", "one").ID, ann.Send("lobby", "two").ID
		own := []*harness.Stream{bob.Stream(), bob.Other().NDJSON()}
		others := ann.Stream()
		next := func(st *harness.Stream) harness.Event {
			for {
				if e := st.Any(); e.Type == "read.updated" || e.Type == "message.created" {
					return e
				}
			}
		}
		for _, message := range []int64{first, second} {
			markRead(bob, "lobby", message).Want(204)
			markRead(bob, "lobby", first).Want(204) // back: nothing
			for _, st := range own {
				e := next(st)
				if d := harness.DataOf[client.ReadData](e); e.Type != "read.updated" || e.ID != 0 || e.RoomID != 1 || d.MessageID != message {
					t.Errorf("after reading to %d comes %s", message, e.JSON)
				}
			}
		}
		last := ann.Send("lobby", "three").ID
		for _, st := range append(own, others) {
			if e := next(st); e.ID != last {
				t.Errorf("instead of the message comes %s", e.JSON)
			}
		}
	})
}

// Who comes in by an invitation is told of the room as who joins; what is deleted is unread no longer, what is edited
// is as before.
func TestUnreadByInviteEditAndDeletion(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		nook := ann.Room("nook", "private")
		before := ann.Send("nook", "before").ID
		code := invite(ann, "nook", nil).Code
		in := harness.Into[client.Room](accept(bob, code).Want(200))
		from := ann.Head() // his member.joined
		if got := unread(in); got != unreadOf(0, 0, from, before) {
			t.Errorf("by the invitation: %s", got)
		}
		one, two := ann.Send("nook", "one").ID, ann.Send("nook", "two").ID
		again := harness.Into[client.Room](accept(bob, code).Want(200))
		if got := unread(again); got != unreadOf(2, 0, from, two) {
			t.Errorf("by it again: %s", got)
		}
		ann.Patch("/v1/messages/"+id(one), map[string]any{"text": "uno"}).Want(200)
		wantUnread(t, bob, nook.ID, unreadOf(2, 0, from, two))
		ann.Delete("/v1/messages/" + id(two)).Want(204)
		wantUnread(t, bob, nook.ID, unreadOf(1, 0, from, two))
		ann.Delete("/v1/messages/" + id(before)).Want(204)
		wantUnread(t, bob, nook.ID, unreadOf(1, 0, from, two))
		markRead(bob, "nook", two).Want(204)
		ann.Delete("/v1/messages/" + id(one)).Want(204)
		wantUnread(t, bob, nook.ID, unreadOf(0, 0, two, two))
	})
}

// A list that others overtake while it is read is of one moment all the same: that of its cursor.
func TestUnreadIsOfTheCursor(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		for _, u := range []*harness.User{ann, bob} {
			u.Get("/v1/me").Want(200) // from here on the session is known without the database
		}
		for n := int64(1); ; n++ {
			held, release := s.HoldNth(harness.Read, n)
			loaded := make(chan *harness.Answer, 1)
			go func() {
				a, err := s.Try(t.Context(), http.MethodGet, "/v1/rooms", bob.Bearer())
				if err != nil {
					t.Error(err)
				}
				loaded <- a
			}()
			select {
			case <-held:
				ann.Send("lobby", "meanwhile")
				release()
			case <-loaded: // it has fewer queries
				s.Mend()
				return
			}
			s.Mend()
			list := harness.Into[client.RoomList]((<-loaded).Want(200))
			count := *list.Rooms[0].Unread
			for _, e := range bob.Events(list.Cursor) {
				if e.Type == "message.created" {
					count++
				}
			}
			if int64(count) != n {
				t.Errorf("held at query %d: %d unread at %d and after it, want %d", n, count, list.Cursor, n)
			}
		}
	})
}

// A mention counts while the text has it, and until it is read.
func TestUnreadMentions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob := s.User("ann"), s.User("bob")
		begin := bob.ID
		text := func(message int64, text string) {
			ann.Patch("/v1/messages/"+id(message), map[string]any{"text": text}).Want(200)
		}
		one := ann.Send("lobby", "@bob, look").ID
		two := ann.Send("lobby", "at this").ID
		three := ann.Send("lobby", "@room and @bob too").ID // an admin's word to all: once
		bob.Send("lobby", "what do you mean, @bob")
		last := bob.Send("lobby", "@ann?").ID
		wantUnread(t, bob, 1, unreadOf(3, 2, begin, last))
		wantUnread(t, ann, 1, unreadOf(2, 1, ann.ID, last))
		text(one, "look")
		wantUnread(t, bob, 1, unreadOf(3, 1, begin, last))
		text(two, "at this, @bob")
		wantUnread(t, bob, 1, unreadOf(3, 2, begin, last))
		ann.Delete("/v1/messages/" + id(two)).Want(204)
		wantUnread(t, bob, 1, unreadOf(2, 1, begin, last))
		markRead(bob, "lobby", three).Want(204)
		wantUnread(t, bob, 1, unreadOf(0, 0, three, last))
	})
}
