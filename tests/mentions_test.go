package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// says is whom a message mentions.
func says(m client.Message) string {
	var out []string
	for _, id := range m.Mentions {
		out = append(out, fmt.Sprint(id))
	}
	if m.MentionsRoom != nil {
		out = append(out, fmt.Sprint("room ", *m.MentionsRoom))
	}
	return strings.Join(out, " ")
}

// mentioning is says of those users, in this order.
func mentioning(users ...*harness.User) string {
	var m client.Message
	for _, u := range users {
		m.Mentions = append(m.Mentions, u.ID)
	}
	return says(m)
}

// Whoever asks and however, a message says the same of whom it mentions.
func TestMentions(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann, bob, zhang, zhangsan := s.User("ann"), s.User("bob"), s.User("张"), s.User("张三")
		jose, annabel, guest := s.User("José"), s.User("annabel"), s.Guest("visiting")
		ann.Room("tea", "private")
		for _, u := range []*harness.User{bob, zhang, jose} {
			ann.Add("tea", u, "")
		}
		stream := bob.Stream()
		for _, tt := range []struct{ to, text, want string }{
			{"tea", "nobody here", ""},
			{"tea", "@bob", mentioning(bob)},
			{"tea", "@José and @BOB, @bob", mentioning(bob, jose)}, // each once, in the order of ids
			{"tea", "@jose\u0301", mentioning(jose)},
			{"tea", "@ann", mentioning(ann)},         // oneself
			{"tea", "@annabel @visiting", ""},        // no members; and ann is not called so
			{"tea", "@张三你好", mentioning(zhang)},      // 张三 is no member: it is 张 who is meant
			{"lobby", "@张三你好", mentioning(zhangsan)}, // the longest
			{"lobby", "@annabel @visiting", mentioning(annabel, guest)},
			{"lobby", "me@ann.example @nobody", ""},
			{"@bob", "@bob @ann @annabel @张三", mentioning(ann, bob)},
			{"@annabel", "@ann, @annabel", mentioning(ann, annabel)}, // with the first message
			{"lobby", strings.Repeat("@nobody ", 49) + "@bob @ann", mentioning(bob)},
			{"lobby", strings.Repeat("@张三你好吗", 10) + strings.Repeat("@ann你好", 10) + "@bobby", mentioning(ann, zhangsan)},
		} {
			m := ann.Send(tt.to, tt.text)
			if got := says(m); got != tt.want {
				t.Errorf("to %s, %q mentions %s, want %s", tt.to, tt.text, got, tt.want)
			}
			room := id(m.RoomID)
			if got := says(inHistory(t, ann, room, m.ID)); got != tt.want {
				t.Errorf("in the history %q mentions %s, want %s", tt.text, got, tt.want)
			}
			if tt.to == "@annabel" {
				continue // bob does not get it
			}
			for how, e := range map[string]harness.Event{"live": last(stream.UntilID(m.ID)), "replay": last(bob.Events(m.ID - 1))} {
				if got := says(harness.DataOf[client.MessageData](e).Message); got != tt.want {
					t.Errorf("%s: %q mentions %s, want %s", how, tt.text, got, tt.want)
				}
			}
		}
		first := ann.Send("tea", "x").ID
		answerTo(bob, "tea", "@ann", first)
		if got := thread(t, bob, first, 5); says(got[0]) != mentioning(ann) {
			t.Errorf("in the thread: %+v", got)
		}
		nonce := map[string]any{"text": "@bob", "nonce": "n"}
		for range 2 {
			if m := sent(send(ann, nonce)); says(m) != mentioning(bob) {
				t.Errorf("by a nonce: %+v", m)
			}
		}
	})
}

func last(events []harness.Event) harness.Event { return events[len(events)-1] }

// Everybody is mentioned by who may; from others it is text.
func TestMentionsRoom(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		root, ann, bob, carl := s.User("root"), s.User("ann"), s.User("bob"), s.User("carl")
		for _, visibility := range []string{"public", "private"} {
			ann.Room(visibility, visibility)
			ann.Add(visibility, bob, "moderator")
			ann.Add(visibility, carl, "")
			ann.Add(visibility, root, "")
		}
		for _, tt := range []struct {
			who  *harness.User
			to   string
			want bool
		}{
			{ann, "public", true}, {bob, "public", true}, {carl, "public", false}, {root, "public", true},
			{ann, "private", true}, {bob, "private", true}, {carl, "private", false}, {root, "private", true},
			{ann, "lobby", false}, {root, "lobby", true}, {ann, "@bob", false}, {root, "@bob", false},
		} {
			m := tt.who.Send(tt.to, "@room, and @ROOM大家")
			if got := m.MentionsRoom != nil && *m.MentionsRoom; got != tt.want || len(m.Mentions) != 0 {
				t.Errorf("%s to %s: %+v", tt.who.Name, tt.to, m)
			}
			in := inHistory(t, tt.who, id(m.RoomID), m.ID)
			if (in.MentionsRoom != nil) != tt.want || len(in.Mentions) != 0 {
				t.Errorf("%s to %s: the history has %+v", tt.who.Name, tt.to, in)
			}
			data := harness.DataOf[client.MessageData](last(tt.who.Events(m.ID - 1))).Message
			if (data.MentionsRoom != nil) != tt.want {
				t.Errorf("%s to %s: the event has %+v", tt.who.Name, tt.to, data)
			}
		}
		both := ann.Send("public", "@room and @carl, but not @roomy")
		if says(both) != mentioning(carl)+" room true" || says(inHistory(t, carl, "public", both.ID)) != says(both) {
			t.Errorf("both: %+v", both)
		}
		ann.Add("public", bob, "member")
		if m := bob.Send("public", "@room"); m.MentionsRoom != nil {
			t.Errorf("a moderator no more mentions everybody: %+v", m)
		}
	})
}

// A mention is of somebody, not of a name.
func TestMentionsAndNames(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob := s.User("ann"), s.User("bob")
		ann.Room("tea", "public")
		ann.Add("tea", bob, "")
		was := ann.Send("tea", "@bob")
		is := func(when, text string, who ...*harness.User) {
			t.Helper()
			for range 2 { // the second time it is known
				if m := ann.Send("tea", text); says(m) != mentioning(who...) {
					t.Errorf("%s, %q mentions %s, want %s", when, text, says(m), mentioning(who...))
				}
			}
			if got := says(inHistory(t, ann, "tea", was.ID)); got != mentioning(bob) {
				t.Errorf("%s, the old message mentions %s", when, got)
			}
		}
		is("at first", "@bob @robert", bob)
		bob.Post("/v1/rename", map[string]any{"name": "robert"}).Want(200)
		is("after the rename", "@bob")
		is("after the rename", "@robert", bob)
		other := s.User("bob")
		is("when the name is another's", "@bob")
		ann.Add("tea", other, "")
		is("when the other is a member", "@bob and @robert", bob, other)
		other.Post("/v1/rooms/tea/leave", nil).Want(204)
		is("when the other has left", "@bob and @robert", bob)
		leave(other, false).Want(204)
		ann.Add("tea", s.User("carl"), "")
		is("when the other is deleted", "@bob and @robert", bob)
		again := s.User("bob")
		ann.Add("tea", again, "")
		is("when somebody new has the name", "@bob and @robert", bob, again)
		s.Restart()
		is("after a restart", "@bob and @robert", bob, again)
		ann.Delete("/v1/rooms/tea/members/" + bob.Ref()).Want(204)
		is("after the removal", "@bob and @robert", again)
		if m := ann.Send("lobby", "@robert @bob"); says(m) != mentioning(bob, again) {
			t.Errorf("in the lobby: %s", says(m))
		}
	})
}

// Of what an erased account said nothing is left, of what others said to it who was meant.
func TestMentionsOfTheErased(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob := s.User("ann"), s.User("bob")
		his, hers := bob.Send("lobby", "@ann"), ann.Send("lobby", "@bob @ann")
		leave(ann, true).Want(204)
		harness.Eventually(t, "ann's messages go", func() bool { return inHistory(t, bob, "lobby", hers.ID).DeletedAt != nil })
		if m := inHistory(t, bob, "lobby", hers.ID); len(m.Mentions) != 0 {
			t.Errorf("the tombstone mentions %v", m.Mentions)
		}
		if m := inHistory(t, bob, "lobby", his.ID); !slices.Equal(m.Mentions, []int64{ann.ID}) {
			t.Errorf("bob's message mentions %v", m.Mentions)
		}
		for _, e := range bob.Events(his.ID - 1) {
			if m := harness.DataOf[client.MessageData](e).Message; m.ID == hers.ID && len(m.Mentions) != 0 {
				t.Errorf("the log has %s", e.JSON)
			}
		}
		if m := bob.Send("lobby", "@ann"); len(m.Mentions) != 0 {
			t.Errorf("somebody deleted is mentioned: %+v", m)
		}
	})
}

// An edit says anew whom the text mentions, live, in replay and in the history.
func TestMentionsOfAnEdit(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.User("root")
		ann, bob, carl := s.User("ann"), s.User("bob"), s.User("carl")
		ann.Room("tea", "public")
		ann.Add("tea", bob, "")
		ann.Add("tea", carl, "")
		stream := carl.Stream()
		m := ann.Send("tea", "@bob and @room")
		is := func(text, want string) {
			t.Helper()
			got := harness.Into[client.Message](ann.Patch("/v1/messages/"+id(m.ID), map[string]any{"text": text}).Want(200))
			if says(got) != want || says(inHistory(t, carl, "tea", m.ID)) != want {
				t.Errorf("%q mentions %s, in the history %s, want %s", text, says(got), says(inHistory(t, carl, "tea", m.ID)), want)
			}
			e := last(stream.Until("message.updated"))
			for how, e := range map[string]harness.Event{"live": e, "replay": last(carl.Events(e.ID - 1))} {
				if got := says(harness.DataOf[client.MessageData](e).Message); got != want {
					t.Errorf("%s: %q mentions %s, want %s", how, text, got, want)
				}
			}
		}
		is("@bob and @carl", mentioning(bob, carl))
		is("@carl", mentioning(carl))
		is("nobody", "")
		is("@room @bob", mentioning(bob)+" room true")
		bob.Post("/v1/rename", map[string]any{"name": "robert"}).Want(200)
		is("@bob @robert @root", mentioning(bob)) // root is no member
		his := bob.Send("tea", "hello")
		edited := harness.Into[client.Message](bob.Patch("/v1/messages/"+id(his.ID), map[string]any{"text": "@room @carl"}).Want(200))
		if says(edited) != mentioning(carl) {
			t.Errorf("a member's edit mentions %s", says(edited))
		}
		if first := harness.DataOf[client.MessageData](carl.Events(m.ID - 1)[0]).Message; says(first) != mentioning(bob)+" room true" {
			t.Errorf("the first event mentions %s", says(first))
		}
	})
}
