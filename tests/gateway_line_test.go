package tests

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/internal/app"
	"parley/tests/harness"
)

// linePatience is how long a test waits for what must come; it is no measure of speed.
const linePatience = 30 * time.Second

// lineClient is an old client: it knows of bytes that come and bytes that go.
type lineClient struct {
	t    *testing.T
	conn *net.TCPConn
	addr string
	got  []byte // what has come and was not looked at
}

// dialLine connects and reads nothing.
func dialLine(t *testing.T, s *harness.Server) *lineClient { return dialLineFrom(t, s, "127.0.0.1") }

// dialLineFrom does so from another address of this machine.
func dialLineFrom(t *testing.T, s *harness.Server, from string) *lineClient {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(t.Context(), "tcp", s.OlderAddr("line-addr"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &lineClient{t: t, conn: conn.(*net.TCPConn), addr: conn.LocalAddr().String()}
}

// line connects and waits until it is said that it is there.
func line(t *testing.T, s *harness.Server) *lineClient {
	t.Helper()
	c := dialLine(t, s)
	c.want(c.is("已上线"))
	return c
}

// is is a line about the client, whose name is its address yet.
func (c *lineClient) is(text string) string { return "[" + c.addr + "]" + c.addr + ":" + text }

// write sends the bytes as they are.
func (c *lineClient) write(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Fatal(err)
	}
}

// next gives the next line that comes; what stands at the end without one is an error.
func (c *lineClient) next() (string, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(linePatience))
	for {
		if front, rest, ok := strings.Cut(string(c.got), "\n"); ok {
			c.got = []byte(rest)
			return front, nil
		}
		p := make([]byte, 1024)
		n, err := c.conn.Read(p)
		c.got = append(c.got, p[:n]...)
		if err != nil && n == 0 {
			return string(c.got), err
		}
	}
}

// want ends the test unless just these lines come next.
func (c *lineClient) want(lines ...string) {
	c.t.Helper()
	for i, want := range lines {
		got, err := c.next()
		if err != nil || got != want {
			c.t.Fatalf("line %d of %q is %.200q, %v", i+1, lines, got, err)
		}
	}
}

// ends ends the test unless these lines come and then the end.
func (c *lineClient) ends(lines ...string) {
	c.t.Helper()
	c.want(lines...)
	if got, err := c.next(); got != "" || !errors.Is(err, io.EOF) {
		c.t.Fatalf("after %q: %.200q, %v", lines, got, err)
	}
}

// withLine turns the line protocol on.
func withLine(flags ...string) harness.Option {
	return harness.Flags(append([]string{"--line-addr", "127.0.0.1:0", "--line-kick-after", "0"}, flags...)...)
}

// usersOnLine are the names of all accounts that were made for line connections and are there.
func usersOnLine(u *harness.User) (names []string) {
	for _, user := range harness.Into[client.UserList](u.Get("/v1/users", harness.Query("q", "nc-")).Want(200)).Users {
		names = append(names, user.Name)
	}
	return names
}

// What is said by one way comes by all the others, publicly and privately.
func TestLineAndWeb(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		stream := ann.Stream()
		a := line(t, s)
		b := line(t, s)
		a.want(b.is("已上线"))

		a.write("你好, 世界!\r\n")
		said := harness.DataOf[client.MessageData](stream.Want("message.created")[0]).Message
		if said.Text != "你好, 世界!" || said.Sender.Name != fmt.Sprintf("nc-%d", said.Sender.ID) {
			t.Errorf("the stream has %+v", said)
		}
		a.want(a.is("你好, 世界!"))
		b.want(a.is("你好, 世界!"))
		if history := ann.History("lobby"); len(history) != 1 || history[0].ID != said.ID {
			t.Errorf("the history is %+v", history)
		}

		ann.Send("lobby", "大家好\n[web]bob:forged\t\u0085\u2028x")
		stream.Want("message.created")
		for _, c := range []*lineClient{a, b} {
			c.want("[web]ann:大家好 [web]bob:forged   x")
		}

		a.write("to|ann|悄悄|话\n")
		whisper := stream.Want("room.created", "message.created")[1]
		if whisper.Text() != "悄悄|话" || whisper.RoomID == 1 {
			t.Errorf("ann got %s", whisper.JSON)
		}
		ann.Send("@"+said.Sender.Name, "收到\r\n了")
		a.want("ann : 收到  了")

		b.write("to|" + a.addr + "|hi\n")
		a.want(b.addr + " : hi")
		b.write(a.addr + "#only #the text\n")
		a.want("only #the text")
		a.write("rename|张三\n")
		a.want("您已更改用户名为:张三")
		stream.Want("message.created") // ann's own
		if renamed := harness.DataOf[client.UserRenamedData](stream.Want("user.renamed")[0]); renamed.User.Name != "张三" || renamed.OldName != said.Sender.Name {
			t.Errorf("renamed: %+v", renamed)
		}
		b.write("to|张三|again\n")
		a.want(b.addr + " : again")
		a.write("bye\n")
		_ = a.conn.CloseWrite()
		b.want("["+a.addr+"]张三:bye", "["+a.addr+"]张三:已下线")
		stream.Want("message.created")
		s.Do("GET", "/v1/me", harness.Header("Authorization", "Bearer x")).Want(401)
		ann.Get("/v1/users/@张三").Want(200) // who said something stays
	}, withLine())
}

// Who is here, by whatever way, and who is not.
func TestLineWho(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine())
	ann := s.User("ann")
	ann.Stream()
	a := line(t, s)
	b := line(t, s)
	a.want(b.is("已上线"))
	who := func(want ...string) {
		t.Helper()
		a.write("who\n")
		var got []string
		for range want {
			next, err := a.next()
			if err != nil {
				t.Fatal(got, err)
			}
			got = append(got, next)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("who: %q, want %q", got, want)
		}
		a.write("\n\r\nto||x\n") // nothing else came
		a.want(`私聊消息格式不正确,请使用"to|张三|张三你好..."格式`)
	}
	who(a.is("在线..."), b.is("在线..."), "[web]ann:在线...")
	b.write("rename|bob\nhello\n")
	b.want("您已更改用户名为:bob", "["+b.addr+"]bob:hello")
	a.want("[" + b.addr + "]bob:hello")
	who(a.is("在线..."), "["+b.addr+"]bob:在线...", "[web]ann:在线...")
	_ = b.conn.Close()
	a.want("[" + b.addr + "]bob:已下线")
	who(a.is("在线..."), "[web]ann:在线...")
	harness.Eventually(t, "bob is offline for all", func() bool {
		return harness.Into[client.User](ann.Get("/v1/users/@bob").Want(200)).Status == "offline"
	})
}

func TestLineCommandsThatAreWrong(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine())
	ann := s.User("ann")
	a := line(t, s)
	const form = `私聊消息格式不正确,请使用"to|张三|张三你好..."格式`
	for _, tt := range []struct{ in, out string }{
		{"to|", form},
		{"to|ann", form},
		{"to|ann|", form},
		{"to||x", form},
		{"to|nobody|x", "nobody用户不存在"},
		{"to|no body|x", "no body用户不存在"},
		{"to|127.0.0.1:1|x", "127.0.0.1:1用户不存在"},
		{"to|" + a.addr + "|x", "不能给自己发私聊消息"},
		{a.addr + "#x", "不能给自己发私聊消息"},
		{"127.0.0.1:1#x", "没有客户端从此地址连接:127.0.0.1:1"},
		{"[::1]:70#x", "没有客户端从此地址连接:[::1]:70"},
		{"rename|ANN", "当前用户名已经被使用!"},
		{"rename|", "用户名不可用:must not be empty"},
		{"rename|a b", "用户名不可用:must not contain spaces"},
		{"rename|web", `用户名不可用:"web" is reserved`},
		{"rename|127.0.0.1:1", "用户名不可用:must not be an IP address with a port"},
		{"\x00", "消息未发送:must not contain the character NUL"},
		{"\xff\xfe", "消息未发送:must be UTF-8"},
	} {
		a.write(tt.in + "\n")
		a.want(tt.out)
	}
	if history := ann.History("lobby"); len(history) != 0 {
		t.Errorf("the lobby has %+v", history)
	}
	for _, text := range []string{"10:30#room", "127.0.0.1#x", "#x", "who ", "Who", "rename", "to", "a|b", "rename me|x", " "} {
		a.write(text + "\n")
		a.want(a.is(text))
	}
}

// Packets are not lines: they come in pieces, and several lines in one.
func TestLinePackets(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine())
	a := line(t, s)
	a.write("\n") // from here on nothing is a line without its end
	for _, b := range []byte("你好\r\n") {
		a.write(string([]byte{b}))
		time.Sleep(time.Millisecond)
	}
	a.want(a.is("你好"))
	a.write("one\ntwo\r\n\n\r\nthree\nfo")
	a.want(a.is("one"), a.is("two"), a.is("three"))
	time.Sleep(300 * time.Millisecond) // longer than any line without its end would stay
	a.write("ur\n")
	a.want(a.is("four"))
	a.write("the last, without its end")
	_ = a.conn.CloseWrite()
	if got, err := a.next(); got != "" || !errors.Is(err, io.EOF) {
		t.Errorf("got %q, %v", got, err)
	}
}

// A client that sends no newline is understood all the same, and no character is cut.
func TestLineWithoutNewlines(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine())
	a := line(t, s)
	a.write("hello")
	a.want(a.is("hello"))
	a.write("你好"[:4])
	a.want(a.is("你"))
	a.write("你好"[4:])
	a.want(a.is("好"))
	a.write("who")
	a.want(a.is("在线..."))
	b := line(t, s)
	a.want(b.is("已上线"))
	b.write("gone at once")
	_ = b.conn.CloseWrite()
	a.want(b.is("gone at once"), b.is("已下线"))
}

func TestLineTooLong(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine())
	const long = "消息太长,每行最多16384字节"
	a := line(t, s)
	most := strings.Repeat("x", 16384)
	a.write(most + "\n")
	a.want(a.is(most))
	a.write(most + "\r\n")
	a.want(a.is(most))
	a.write(most + "y\nstill here\n")
	a.want(long, a.is("still here"))
	a.write(strings.Repeat("x", 1<<20) + "\nand here\n")
	a.want(long, a.is("and here"))

	endless := line(t, s)
	a.want(endless.is("已上线"))
	endless.write(strings.Repeat("好", 1<<16))
	endless.want(long)
	time.Sleep(300 * time.Millisecond) // the endless line has stayed without an end
	endless.write("short")
	endless.want(endless.is("short"))
}

func TestLineKick(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine("--line-kick-after", "2s"))
	a := line(t, s)
	b := dialLine(t, s)
	a.want(b.is("已上线"))
	a.write("x\n")
	a.want(a.is("x"))
	stop := make(chan struct{})
	defer close(stop)
	go func() { // a says something now and then
		for {
			select {
			case <-stop:
				return
			case <-time.After(200 * time.Millisecond):
				_, _ = io.WriteString(a.conn, "\n")
			}
		}
	}()
	b.ends(b.is("已上线"), a.is("x"), "你被踢了")
	a.want(b.is("已下线"))
}

func TestLineInEnglish(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine("--line-kick-after", "1s", "--line-lang", "en"))
	a := dialLine(t, s)
	a.want(a.is("is online"))
	a.write("to|bob|x\n")
	a.want("bob: there is no such user")
	a.ends("you were kicked")
}

// The end of the session is the end of the connection.
func TestLineSessionEnds(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine())
	admin := s.User("admin")
	a := line(t, s)
	b := dialLineFrom(t, s, "127.0.0.2")
	b.want(b.is("已上线"))
	a.want(b.is("已上线"))
	a.write("spam\n")
	a.want(a.is("spam"))
	b.want(a.is("spam"))
	sender := admin.History("lobby")[0].Sender
	admin.Put("/v1/users/"+fmt.Sprint(sender.ID)+"/ban", nil).Want(200)
	a.ends("你被踢了")
	b.want(a.is("已下线"))
	admin.Post("/v1/bans", map[string]any{"address": "127.0.0.2"}).Want(201)
	b.ends("你被踢了")
	dialLineFrom(t, s, "127.0.0.2").ends("您已被禁止访问")
}

func TestLineWithoutGuests(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine("--guests", "off"))
	dialLine(t, s).ends("服务器不接受访客")
}

// A probe of the port leaves no trace; who said something, or was spoken to, is not forgotten.
func TestLineProbe(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		members := func() int {
			return harness.Into[client.Room](ann.Get("/v1/rooms/lobby").Want(200)).MemberCount
		}
		head := ann.Head()
		a := line(t, s)
		if got := usersOnLine(ann); len(got) != 1 || members() != 2 {
			t.Errorf("accounts %q, %d members", got, members())
		}
		a.write("who\nto|nobody|x\n\n")
		a.want("[web]ann:在线...", a.is("在线..."), "nobody用户不存在") // ann has just polled
		_ = a.conn.Close()
		probe := dialLine(t, s)
		_ = probe.conn.CloseWrite()
		probe.ends(probe.is("已上线")) // the account goes before the connection does
		harness.Eventually(t, "nobody was here", func() bool { return len(usersOnLine(ann)) == 0 && members() == 1 })
		if events := ann.Events(head); len(events) != 0 {
			t.Errorf("events %v", events)
		}

		b := line(t, s)
		name := usersOnLine(ann)[0]
		ann.Send("@"+name, "who are you?")
		b.want("ann : who are you?")
		_ = b.conn.Close()
		c := line(t, s)
		c.write("x\n")
		c.want(c.is("x"))
		_ = c.conn.Close()
		harness.Eventually(t, "their sessions have ended", func() bool {
			users := harness.Into[client.UserList](ann.Get("/v1/users", harness.Query("q", "nc-")).Want(200)).Users
			return len(users) == 2 && users[0].Status == "offline" && users[1].Status == "offline"
		})
	}, withLine())
}

// A client that never reads is cut, and the others notice nothing.
func TestLineNeverReads(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine(), harness.Tune(func(o *app.Options) { o.Stall = time.Second }))
	ann := s.User("ann")
	a := line(t, s)
	deaf := dialLine(t, s)
	_ = deaf.conn.SetReadBuffer(4096)
	a.want(deaf.is("已上线"))
	text := strings.Repeat("很", 5000)
	for said := 0; ; said++ {
		if said == 2000 {
			t.Fatal("the client that never reads is still there")
		}
		ann.Send("lobby", text)
		got, err := a.next()
		if err != nil {
			t.Fatal(err)
		}
		if got == deaf.is("已下线") {
			break
		}
		if got != "[web]ann:"+text {
			t.Fatalf("got %.100q", got)
		}
	}
}

// Many that say nothing cost the others nothing, and go when the server does.
func TestLineManyIdle(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine())
	ann := s.User("ann")
	var idle []*lineClient
	for range 200 {
		idle = append(idle, dialLine(t, s))
	}
	for _, c := range idle { // each sees itself come, at the latest as the last one
		for got := ""; got != c.is("已上线"); {
			var err error
			if got, err = c.next(); err != nil {
				t.Fatal(err)
			}
		}
	}
	ann.Send("lobby", "hello")
	for _, c := range idle {
		for got := ""; got != "[web]ann:hello"; {
			var err error
			if got, err = c.next(); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.Stop()
	for _, c := range idle {
		c.ends("服务器正在关闭")
	}
	s.Restart()
	if got := usersOnLine(s.Login("ann")); len(got) != 0 {
		t.Errorf("%d accounts are left", len(got))
	}
}

// Whatever comes in, the server lives on.
func TestLineGarbage(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine())
	for _, text := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", strings.Repeat("\x00", 40000),
		"\xff\xff\xff\xff\n\xe4\xbd\n", strings.Repeat("\n", 70000), strings.Repeat("who\n", 300), "to|a|b|c|d\n#\n:#\n|\n",
		"\xe4\xbd", "rename|\xff\n", "to|\xff|\xff\n", "rename|" + strings.Repeat("长", 4000) + "\n",
	} {
		c := dialLine(t, s)
		c.write(text)
		_ = c.conn.CloseWrite()
		_ = c.conn.SetReadDeadline(time.Now().Add(linePatience))
		if _, err := io.Copy(io.Discard, c.conn); err != nil {
			t.Errorf("%.30q: %v", text, err)
		}
	}
	a := line(t, s)
	a.write("alive\n")
	a.want(a.is("alive"))
}

// A name is as long somebody's as they can come back, and then anybody's.
func TestLineNameOfWhoHasGone(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		zhang := s.User("李四")
		a, b := line(t, s), line(t, s)
		b.write("rename|张三\nhello\n")
		b.want("您已更改用户名为:张三", "["+b.addr+"]张三:hello")
		a.want(b.is("已上线"), "["+b.addr+"]张三:hello")
		a.write("rename|张三\nrename|李四\n")
		a.want("当前用户名已经被使用!", "当前用户名已经被使用!")
		zhang.Post("/v1/logout", nil).Want(204)
		first := ann.History("lobby")[0].Sender
		_ = b.conn.Close()
		a.want("[" + b.addr + "]张三:已下线")
		if got := ann.History("lobby")[0].Sender; got != first {
			t.Errorf("who has gone is called %q", got.Name)
		}
		stream := ann.Stream()
		harness.Eventually(t, "the session has ended", func() bool {
			return harness.Into[client.User](ann.Get("/v1/users/@张三").Want(200)).Status == "offline"
		})
		a.write("rename|李四\n")
		a.want("当前用户名已经被使用!") // who has a password can come back
		a.write("rename|张三\n")
		a.want("您已更改用户名为:张三")
		for i, want := range []string{fmt.Sprintf("guest-%d", first.ID), "张三"} {
			renamed := harness.DataOf[client.UserRenamedData](stream.Want("user.renamed")[0])
			if renamed.User.Name != want || (renamed.User.ID == first.ID) != (i == 0) {
				t.Errorf("renamed: %+v, want %s", renamed, want)
			}
		}
		ann.Post("/v1/rename", map[string]any{"name": "张三"}).Want(409)
	}, withLine())
}

// What a crash left of connections goes with the next start; who said something stays.
func TestLineAfterACrash(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine())
	ann := s.User("ann")
	a := line(t, s)
	line(t, s)
	a.write("hello\n")
	harness.Eventually(t, "both are there, and one has said something", func() bool {
		return len(usersOnLine(ann)) == 2 && len(ann.History("lobby")) == 1
	})
	s.Break(harness.Commit) // their ends are not written down
	s.Stop()
	s.Mend()
	s.Restart()
	said := ann.History("lobby")[0].Sender.Name
	harness.Eventually(t, "only who said something is left", func() bool { return slices.Equal(usersOnLine(ann), []string{said}) })
}

// A line is an act: it ends being away.
func TestLineActs(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withLine(), harness.OwnClock())
	ann := s.User("ann")
	a := line(t, s)
	name := usersOnLine(ann)[0]
	is := func(status string) {
		t.Helper()
		harness.Eventually(t, name+" is "+status, func() bool {
			return string(harness.Into[client.User](ann.Get("/v1/users/@"+name).Want(200)).Status) == status
		})
	}
	is("online")
	s.Advance(6 * time.Minute)
	is("away")
	a.write("who\n")
	is("online")
}
