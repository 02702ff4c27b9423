package tests

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// webID is what others call an account without an id of its own.
func webID(u *harness.User) int64 { return 1_000_000_000 + u.ID }

// What is said by one way comes by all the others.
func TestFrameAndWeb(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		stream := ann.Stream()
		a := frameUser(t, s, 100, "张三")
		b := frameUser(t, s, 200, "scott")
		a.sees(200, 0)

		a.say("你好, 世界!\n\t\"<b>\" \\ 🎉")
		said := harness.DataOf[client.MessageData](stream.Want("message.created")[0]).Message
		if said.Text != "你好, 世界!\n\t\"<b>\" \\ 🎉" || said.Sender.Name != "张三" {
			t.Errorf("the stream has %+v", said)
		}
		b.hears(100, "张三", `你好, 世界!  "<b>" \ 🎉`)
		if history := ann.History("lobby"); len(history) != 1 || history[0].ID != said.ID {
			t.Errorf("the history is %+v", history)
		}
		ann.Send("lobby", "大家好\r\n\u0085\u2028x")
		for _, c := range []*framed{a, b} { // a did not get its own
			c.hears(webID(ann), "ann", "大家好    x")
		}
		ann.Send("@scott", "悄悄话")
		b.want("SmsMes", fmt.Sprintf(`{"content":"悄悄话","userId":%d,"userName":"ann","private":true}`, webID(ann)))
		s.Login("ann").Post("/v1/rename", map[string]any{"name": "安"}).Want(200)
		ann.Send("lobby", "again")
		a.hears(webID(ann), "安", "again")
		b.hears(webID(ann), "安", "again")

		ann.Room("tea", "private")
		scott := harness.Into[client.User](ann.Get("/v1/users/@scott").Want(200))
		ann.Add("tea", s.With(scott.ID, "scott", ""), "member")
		ann.Send("tea", "not for these clients")
		ann.Send("lobby", "end")
		b.hears(webID(ann), "安", "end")
	}, withFrame())
}

// Who is here, and who comes and goes, by whatever way; nobody is told of twice.
func TestFramePresence(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withFrame(), withLine(), harness.OwnClock())
	later(s)
	ann := s.User("ann")
	tap := ann.Stream()
	hears(t, tap, "ann online")
	registerFrame(t, s, 100, "张三")
	registerFrame(t, s, 200, "scott")
	a, b := dialFrame(t, s), dialFrame(t, s)
	if ids := a.login(100); !slices.Equal(ids, []int64{100, webID(ann)}) {
		t.Errorf("online are %v", ids)
	}
	hears(t, tap, "张三 online")
	if ids := b.login(200); !slices.Equal(ids, []int64{100, 200, webID(ann)}) {
		t.Errorf("online are %v", ids)
	}
	a.sees(200, 0)
	hears(t, tap, "scott online")

	second := dialFrame(t, s) // of the same account: nothing changes
	second.login(200)
	second.say("from my second connection")
	a.hears(200, "scott", "from my second connection")
	b.hears(200, "scott", "from my second connection")
	_ = second.conn.Close()

	bob := s.User("bob") // on the web alone
	st := bob.Stream()
	a.sees(webID(bob), 0)
	b.sees(webID(bob), 0)
	hears(t, tap, "bob online")
	st.Close()
	hears(t, tap, "bob offline")
	a.sees(webID(bob), 1)
	b.sees(webID(bob), 1)

	b.say("bye")
	a.hears(200, "scott", "bye")
	_ = b.conn.Close()
	a.sees(200, 1)
	hears(t, tap, "scott offline")

	nc := line(t, s)
	m, err := a.next()
	if err != nil || m.Type != "NotifyUserStatusMes" {
		t.Errorf("nc came: %+v, %v", m, err)
	}
	nc.write("hi\n")
	nc.want(nc.is("hi"))
	history := ann.History("lobby")
	guest := history[len(history)-1].Sender
	a.hears(1_000_000_000+guest.ID, guest.Name, "hi")
	a.say("你好")
	nc.want("[web]张三:你好")
	_ = nc.conn.Close()
	a.sees(1_000_000_000+guest.ID, 1)
}

// Who is on the web too stays online when the framed connection ends.
func TestFrameIsOneOfTwoWays(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withFrame(), harness.OwnClock())
	later(s)
	ann := s.User("ann")
	st := ann.Stream()
	a := frameUser(t, s, 100, "a")
	b := dialFrame(t, s)
	if code, _, text := b.answer("LoginMes", oldUser(webID(ann), harness.Password, "")); code != 200 {
		t.Fatalf("%d %s", code, text)
	}
	b.say("here too")
	a.hears(webID(ann), "ann", "here too")
	_ = b.conn.Close()
	ann.Send("lobby", "still here")
	a.hears(webID(ann), "ann", "still here")
	st.Close()
	a.sees(webID(ann), 1)
}

// The end of the session is the end of the connection.
func TestFrameSessionEnds(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withFrame())
	admin := s.User("admin")
	watch := frameUser(t, s, 1, "watch")
	for id, end := range map[int64]func(ref string){
		2: func(ref string) { admin.Post("/v1/users/"+ref+"/kick", map[string]any{}).Want(204) },
		3: func(ref string) { admin.Put("/v1/users/"+ref+"/ban", nil).Want(200) },
	} {
		name := fmt.Sprint("user", id)
		c := frameUser(t, s, id, name)
		watch.sees(id, 0)
		ref := fmt.Sprint(harness.Into[client.User](admin.Get("/v1/users/@" + name).Want(200)).ID)
		end(ref)
		if text := c.refused(); !strings.HasPrefix(text, "the session has ended: ") {
			t.Errorf("told %q", text)
		}
		c.ends()
		watch.sees(id, 1)
	}
	again := dialFrame(t, s)
	again.login(2) // who was kicked may come back
	banned := dialFrame(t, s)
	if code, _, text := banned.answer("LoginMes", oldUser(3, "pw", "")); code != 403 || !strings.Contains(text, "banned") {
		t.Errorf("banned: %d %q", code, text)
	}
	if code, _, text := banned.answer("LoginMes", oldUser(3, "guess", "")); code != 403 || strings.Contains(text, "banned") {
		t.Errorf("a guess: %d %q", code, text)
	}
	admin.Post("/v1/bans", map[string]any{"address": "127.0.0.3"}).Want(201)
	from := dialFrameFrom(t, s, "127.0.0.3")
	if code, _, text := from.answer("RegisterMes", oldUser(9, "pw", "nine")); code != 400 || !strings.Contains(text, "banned") {
		t.Errorf("a banned address registers: %d %q", code, text)
	}
	if code, _, _ := from.answer("LoginMes", oldUser(1, "pw", "")); code != 403 {
		t.Errorf("a banned address logs in: %d", code)
	}
	admin.Get("/v1/users/@nine").Want(404)
}

// The server's stop ends the connections, and their sessions; ids and names are there after it.
func TestFrameRestart(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		registerFrame(t, s, 7, "张三")
		a := dialFrame(t, s)
		a.login(7)
		idle := dialFrame(t, s)
		s.Stop()
		for _, c := range []*framed{a, idle} {
			if text := c.refused(); text != "the server is stopping" {
				t.Errorf("told %q", text)
			}
			c.ends()
		}
		s.Restart()
		b := dialFrame(t, s)
		if code, _, _ := b.answer("RegisterMes", oldUser(7, "pw", "again")); code != 400 {
			t.Errorf("the id is free after a restart: %d", code)
		}
		if ids := b.login(7); !slices.Equal(ids, []int64{7}) {
			t.Errorf("online are %v", ids)
		}
		ann := s.User("ann")
		stream := ann.Stream()
		b.say("还在")
		if m := harness.DataOf[client.MessageData](stream.Want("message.created")[0]).Message; m.Sender.Name != "张三" || m.Text != "还在" {
			t.Errorf("the stream has %+v", m)
		}
	}, withFrame())
}
