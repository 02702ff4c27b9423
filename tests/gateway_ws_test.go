package tests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"parley/client"
	"parley/tests/harness"
)

// wsClient is an old client: it reads all that comes, and knows of texts that go and come.
type wsClient struct {
	t    *testing.T
	conn *websocket.Conn
	got  chan string
	end  error // why no more comes, when got is closed
}

// withWS turns the WebSocket protocols on.
func withWS(flags ...string) harness.Option {
	return harness.Flags(append([]string{"--ws-addr", "127.0.0.1:0"}, flags...)...)
}

// tryWS connects to a path; header is of names and values in turn.
func tryWS(t *testing.T, s *harness.Server, path string, header ...string) (c *wsClient, status int, err error) {
	t.Helper()
	return tryWSAt(t, s.OlderAddr("ws-addr"), path, header...)
}

func tryWSAt(t *testing.T, addr, path string, header ...string) (c *wsClient, status int, err error) {
	t.Helper()
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	ctx, cancel := context.WithTimeout(t.Context(), linePatience)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, "ws://"+addr+path, &websocket.DialOptions{HTTPHeader: h})
	if resp != nil {
		status = resp.StatusCode
		if resp.Body != nil { // a switch of protocols has none
			_ = resp.Body.Close()
		}
	}
	if err != nil {
		return nil, status, err
	}
	conn.SetReadLimit(1 << 20)
	c = &wsClient{t: t, conn: conn, got: make(chan string, 4096)}
	go func() {
		defer close(c.got)
		for {
			_, p, err := conn.Read(context.WithoutCancel(t.Context()))
			if err != nil {
				c.end = err
				return
			}
			c.got <- string(p)
		}
	}()
	t.Cleanup(func() { _ = conn.CloseNow() })
	return c, status, nil
}

// ws connects to a path.
func ws(t *testing.T, s *harness.Server, path string, header ...string) *wsClient {
	t.Helper()
	c, _, err := tryWS(t, s, path, header...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// refusedWS ends the test unless the status is the answer.
func refusedWS(t *testing.T, s *harness.Server, status int, path string, header ...string) {
	t.Helper()
	c, got, err := tryWS(t, s, path, header...)
	switch {
	case c != nil:
		t.Errorf("%s %q: a connection, not %d", path, header, status)
	case got != status:
		t.Errorf("%s %q: %d, %v, not %d", path, header, got, err, status)
	}
}

// write sends a text.
func (c *wsClient) write(text string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		c.t.Fatal(err)
	}
}

// send is a private message, as carelessly as they were written.
func (c *wsClient) send(to int64, content string) {
	c.t.Helper()
	c.write(fmt.Sprintf(`{"type":1,"send":4711,"receiver":%d,"content":%s}`, to, quoted(content)))
}

// quoted is the text as JSON has it, and as JavaScript writes it.
func quoted(text string) string {
	var b strings.Builder
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	_ = out.Encode(text)
	return strings.TrimSpace(b.String())
}

// next gives the next text; false is the end.
func (c *wsClient) next() (string, bool) {
	c.t.Helper()
	select {
	case text, ok := <-c.got:
		return text, ok
	case <-time.After(linePatience):
		c.t.Fatal("nothing came")
		return "", false
	}
}

// want ends the test unless just these texts come next.
func (c *wsClient) want(texts ...string) {
	c.t.Helper()
	for i, want := range texts {
		if got, ok := c.next(); got != want || !ok {
			c.t.Fatalf("number %d of %.300q is %.300q, %v", i+1, texts, got, c.end)
		}
	}
}

// told ends the test unless these messages come next, to `own` from `sender`.
func (c *wsClient) told(sender, own int64, contents ...string) {
	c.t.Helper()
	for _, content := range contents {
		c.want(fmt.Sprintf(`{"type":1,"sender":%d,"receiver":%d,"content":%s}`, sender, own, quoted(content)))
	}
}

// refused ends the test unless an error comes next.
func (c *wsClient) refused(own int64, about string) {
	c.t.Helper()
	got, _ := c.next()
	if front := fmt.Sprintf(`{"type":2,"sender":0,"receiver":%d,"content":"error: `, own); !strings.HasPrefix(got, front) || !strings.Contains(got, about) {
		c.t.Fatalf("the answer is %.300q, not about %q", got, about)
	}
}

// ends ends the test unless the end comes next, with the code.
func (c *wsClient) ends(code websocket.StatusCode) {
	c.t.Helper()
	if got, ok := c.next(); ok {
		c.t.Fatalf("got %.300q, not the end", got)
	}
	if websocket.CloseStatus(c.end) != code {
		c.t.Fatalf("the end is %v, not %d", c.end, code)
	}
}

// leave ends the connection as RFC 6455 has it.
func (c *wsClient) leave() {
	c.t.Helper()
	if err := c.conn.Close(websocket.StatusNormalClosure, ""); err != nil && !errors.Is(err, net.ErrClosed) {
		c.t.Fatal(err)
	}
	for range c.got { // what comes while it closes is not looked at
	}
}

// freshWS connects until nothing is told that was told before, since the end of a connection is noted after it. say says something
// from the sender.
func freshWS(t *testing.T, sender, own int64, connect func() *wsClient, say func(text string)) *wsClient {
	t.Helper()
	for try := range 100 {
		c := connect()
		say(fmt.Sprintf("fresh %d", try))
		told := fmt.Sprintf(`{"type":1,"sender":%d,"receiver":%d,"content":"fresh %d"}`, sender, own, try)
		got, ok := c.next()
		if got == told {
			return c
		}
		for ; got != told; got, ok = c.next() {
			if !ok {
				t.Fatalf("the end is %v", c.end)
			}
		}
		c.leave()
	}
	t.Fatal("what was told comes again and again")
	return nil
}

func statusOf(u *harness.User, ref string) string {
	return string(harness.Into[client.User](u.Get("/v1/users/" + ref).Want(200)).Status)
}

const offset = 1_000_000_000

// What is said by one way comes by the other, and old clients talk to each other as they did.
func TestWSAndWeb(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		s.Advance(time.Minute) // since the start: who goes is offline soon
		ann := s.User("ann")
		stream := ann.Stream()
		a, b := ws(t, s, "/ws/1"), ws(t, s, "/ws/2")
		a.write(`{"type":0,"sender":1}`)
		a.send(2, "你好, 世界!")
		b.told(1, 2, "你好, 世界!")
		b.write(`{"type":1,"sender":"2","receiver":"1","content":"收到\n[forged]\u0007<&>"}`)
		a.told(2, 1, "收到 [forged] <&>")

		harness.Eventually(t, "the guests are online", func() bool { return statusOf(ann, "@ws-1") == "online" && statusOf(ann, "@ws-2") == "online" })
		ann.Send("@ws-1", "从网页")
		a.told(offset+ann.ID, 1, "从网页")
		a.send(offset+ann.ID, "回复")
		said := stream.Want("room.created", "message.created", "message.created")
		if said[1].Text() != "从网页" || said[2].Text() != "回复" {
			t.Errorf("ann got %s", said)
		}
		if last := ann.History("@ws-1"); len(last) != 2 || last[1].Sender.Name != "ws-1" {
			t.Errorf("the history is %+v", last)
		}
		ann.Send("lobby", "not for old clients")
		ann.Post("/v1/rename", map[string]any{"name": "安"}).Want(200)
		ann.Send("@ws-1", "after the rename")
		a.told(offset+ann.ID, 1, "after the rename")
		a.write(`{"type":3}`)
		a.ends(websocket.StatusNormalClosure)
		b.leave()
		harness.Eventually(t, "the guests are offline", func() bool { return statusOf(ann, "@ws-1") == "offline" && statusOf(ann, "@ws-2") == "offline" })
	}, withWS(), harness.OwnClock())
}

// An account is taken up by its token or a ticket alone, a guest that was made here by the id.
func TestWSWho(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS())
	ann, bob := s.User("ann"), s.User("bob")
	guest := s.Guest("gil")
	own := fmt.Sprintf("/ws/%d", offset+ann.ID)
	refusedWS(t, s, 401, own)
	refusedWS(t, s, 401, own, "Authorization", "Bearer x")
	refusedWS(t, s, 401, own, "Authorization", "Bearer "+bob.Token)
	refusedWS(t, s, 401, own, "Cookie", "parley_session="+ann.Token)
	refusedWS(t, s, 401, own+"?token="+ann.Token)
	refusedWS(t, s, 401, own+"?ticket=x")
	refusedWS(t, s, 401, "/ws/7", "Authorization", "Bearer "+ann.Token)
	refusedWS(t, s, 401, fmt.Sprintf("/ws/%d", offset+guest.ID))
	refusedWS(t, s, 404, fmt.Sprintf("/ws/%d", offset+99_999_999))
	for _, id := range []string{"0", "-1", "x", "1.5", "99999999999999999999", "1%2F2"} {
		refusedWS(t, s, 400, "/ws/"+id)
	}
	refusedWS(t, s, 404, "/ws/1/2")
	refusedWS(t, s, 404, "/")

	a := ws(t, s, own, "Authorization", "Bearer "+ann.Token)
	g := ws(t, s, fmt.Sprintf("/ws/%d", offset+guest.ID), "Authorization", "bearer "+guest.Token)
	g.send(offset+ann.ID, "by token")
	a.told(offset+guest.ID, offset+ann.ID, "by token")
	a.leave()
	ann.Get("/v1/me").Want(200) // the session is the token's
	ticket := harness.Into[client.Ticket](ann.Post("/v1/tickets", nil).Want(201)).Ticket
	for range 2 { // it is good for reconnects
		a = freshWS(t, offset+guest.ID, offset+ann.ID,
			func() *wsClient { return ws(t, s, own+"?ticket="+url.QueryEscape(ticket)) },
			func(text string) { g.send(offset+ann.ID, text) })
		a.leave()
	}

	one := ws(t, s, "/ws/5")
	two := ws(t, s, "/ws/5")
	for _, c := range []*wsClient{one, two} {
		g.send(5, "to both")
		c.told(offset+guest.ID, 5, "to both")
	}
	one.told(offset+guest.ID, 5, "to both")
	two.told(offset+guest.ID, 5, "to both")
	one.leave()
	g.send(5, "to the other")
	two.told(offset+guest.ID, 5, "to the other")
	two.leave()
	one = freshWS(t, offset+guest.ID, 5, func() *wsClient { return ws(t, s, "/ws/5") }, func(text string) { g.send(5, text) })
	// Nobody registers or renames to a name that is taken here.
	bob.Post("/v1/rename", map[string]any{"name": "WS-5"}).Want(409)
	bob.Post("/v1/rename", map[string]any{"name": "ws-6"}).Want(200)
	six := ws(t, s, "/ws/6")
	six.send(5, "I am another")
	one.told(6, 5, "I am another")
	refusedWS(t, s, 401, fmt.Sprintf("/ws/%d", offset+bob.ID))
}

// What nobody was there for comes with the next connection, in order, once, over restarts.
func TestWSKeepsWhatWaits(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		ann := s.User("ann")
		const many = 230 // some pages
		a := ws(t, s, "/ws/1")
		b := ws(t, s, "/ws/3")
		var fromA []string
		for i := range many {
			fromA = append(fromA, fmt.Sprintf("消息 %d", i))
			a.send(2, fromA[i])
		}
		a.write(`{"type":9}`) // what is answered comes after all before it
		a.refused(1, "type")
		b.send(2, "from the other")
		b.write(`{"type":9}`)
		b.refused(3, "type")
		ann.Send("@ws-2", "from the web")
		s.Restart()

		c := ws(t, s, "/ws/2")
		c.told(1, 2, fromA[:1]...)
		s.Login("ann").Send("@ws-2", "live")
		c.told(1, 2, fromA[1:]...)
		c.told(3, 2, "from the other")
		c.told(offset+ann.ID, 2, "from the web", "live")
		c.leave()
		a = ws(t, s, "/ws/1")
		freshWS(t, 1, 2, func() *wsClient { return ws(t, s, "/ws/2") }, func(text string) { a.send(2, text) })
	}, withWS())
}
