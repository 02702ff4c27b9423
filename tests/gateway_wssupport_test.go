package tests

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"parley/client"
	"parley/tests/harness"
)

const (
	wsPaired      = "连接成功"
	wsNobody      = "连接失败，此时无在线客服，等稍后再试"
	wsVisitorLeft = "用户退出"
	wsAgentLeft   = "客服退出"
)

// visitorPath and agentPath are where the old clients of support connect.
func visitorPath(name, uid string) string {
	return "/ws/support?username=" + url.QueryEscape(name) + "&UID=" + url.QueryEscape(uid)
}

func agentPath(name string) string {
	return "/ws/support?username=" + url.QueryEscape(name) + "&ID=" + url.QueryEscape(harness.Password)
}

// agentsHave waits until those agents who are there have as many conversations.
func agentsHave(t *testing.T, u *harness.User, want ...int) {
	t.Helper()
	loads := func() (loads []int) {
		for _, a := range harness.Into[client.SupportAgentList](u.Get("/v1/support/agents").Want(200)).Agents {
			if a.Here && a.Available {
				loads = append(loads, a.Load)
			}
		}
		return loads
	}
	harness.Eventually(t, fmt.Sprintf("agents have %v conversations", want), func() bool { return slices.Equal(loads(), want) })
}

// Old visitors and old agents, as they talked to each other.
func TestWSSupport(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("root")
		eve := s.Agent(admin, "eve")
		li := ws(t, s, visitorPath("李四", "u-1"))
		li.want(wsNobody)
		li.write("有人吗?")
		agent := ws(t, s, agentPath("eve"))
		li.want(wsPaired)
		agent.want("李四:有人吗?")
		agent.write("你好\n李四:伪造")
		li.want("eve:你好 李四:伪造")
		li.write("再见")
		agent.want("李四:再见")

		wang := ws(t, s, visitorPath("王五", "u-2"))
		wang.want(wsNobody)
		li.leave()
		agent.want(wsVisitorLeft)
		wang.want(wsPaired)
		agent.write("下一位")
		wang.want("eve:下一位")
		if list := harness.Into[client.ConversationList](eve.Get("/v1/support/conversations").Want(200)).Conversations; len(list) != 2 ||
			list[1].State != "closed" || list[1].Visitor.DisplayName != "李四" || list[0].State != "assigned" {
			t.Errorf("the conversations are %+v", list)
		}

		agent.leave()
		wang.want(wsAgentLeft)
		wang.write("喂?")
		other := ws(t, s, agentPath("eve"))
		wang.want(wsPaired)
		other.want("王五:喂?")
		_ = wang.conn.CloseNow() // without a word
		other.want(wsVisitorLeft)

		// A visitor is the same one by the UID, whatever name is told.
		li = ws(t, s, visitorPath("李小四", "u-1"))
		li.want(wsPaired)
		li.write("又来了")
		other.want("李小四:又来了")
		list := harness.Into[client.ConversationList](eve.Get("/v1/support/conversations").Want(200)).Conversations
		if len(list) != 3 || list[0].Visitor.ID != list[2].Visitor.ID || list[0].Visitor.ID == list[1].Visitor.ID {
			t.Errorf("the conversations are %+v", list)
		}
		other.leave()
		li.want(wsAgentLeft)
		if a := harness.Into[client.SupportAgentList](eve.Get("/v1/support/agents").Want(200)).Agents; len(a) != 1 || a[0].Available || a[0].Load != 0 {
			t.Errorf("the agent is %+v", a)
		}
	}, withWS())
}

func TestWSSupportWho(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS())
	admin := s.User("root")
	s.Agent(admin, "eve")
	s.User("ann")
	for path, status := range map[string]int{
		agentPath("root"): 401, agentPath("ann"): 401, agentPath("nobody"): 401, agentPath(""): 401,
		"/ws/support?username=eve&ID=wrong":        401,
		"/ws/support?username=eve":                 400,
		"/ws/support":                              400,
		"/ws/support?username=eve&ID=x&UID=y":      400,
		"/ws/support?username=eve&ID=&UID=":        400,
		visitorPath("x", strings.Repeat("9", 257)): 400,
		visitorPath(strings.Repeat("长", 200), "1"): 400,
		"/ws/support?username=%ff&UID=1":           400,
	} {
		refusedWS(t, s, status, path)
	}
	sessions := harness.Into[client.SessionList](s.Login("ann").Get("/v1/sessions").Want(200)).Sessions
	if len(sessions) != 2 {
		t.Errorf("who was refused has %d sessions", len(sessions))
	}
	v := ws(t, s, visitorPath("", "77"))
	v.want(wsNobody)
	a := ws(t, s, agentPath("EVE"))
	v.want(wsPaired)
	v.write("x")
	if got, _ := a.next(); !strings.HasPrefix(got, "visitor-") || !strings.HasSuffix(got, ":x") {
		t.Errorf("the agent got %q", got)
	}
}

// The other side may be on the web.
func TestWSSupportMixed(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		admin := s.User("root")
		eve := s.Agent(admin, "eve")
		stream := eve.Stream(harness.Query("types", "message.created"))
		eve.Serve(1)
		old := ws(t, s, visitorPath("李四", "1"))
		old.want(wsPaired)
		old.write("来自旧客户端")
		said := stream.Want("message.created")[0]
		room := fmt.Sprint(said.RoomID)
		if said.Text() != "来自旧客户端" {
			t.Errorf("eve got %s", said.JSON)
		}
		eve.Send(room, "来自网页")
		old.want("eve:来自网页")
		eve.Post("/v1/support/conversations/"+room+"/notes", map[string]any{"text": "rude"}).Want(201)
		// Closed by the agent: the next words open another one.
		eve.Post("/v1/support/conversations/"+room+"/close", nil).Want(200)
		old.want(wsAgentLeft)
		old.write("还有一个问题")
		old.want(wsPaired)
		again := harness.Into[client.ConversationList](eve.Get("/v1/support/conversations").Want(200)).Conversations[0]
		if said := eve.History(fmt.Sprint(again.RoomID)); fmt.Sprint(again.RoomID) == room || len(said) != 1 || said[0].Text != "还有一个问题" {
			t.Errorf("in %+v was said %+v", again, said)
		}
		eve.Put("/v1/support/availability", map[string]any{"available": false, "release": true}).Want(200)
		old.want(wsAgentLeft)

		agent := ws(t, s, agentPath("eve"))
		old.want(wsPaired)
		agent.want("李四:还有一个问题")
		old.leave()
		agent.want(wsVisitorLeft)
		v := s.Visitor("网页访客")
		c := v.Open(map[string]any{"text": "hello"})
		agent.want("网页访客:hello")
		events := v.Stream(harness.Query("types", "message.created"))
		agent.write("您好")
		if got := events.Want("message.created")[0]; got.Text() != "您好" {
			t.Errorf("the visitor got %s", got.JSON)
		}
		v.Send(fmt.Sprint(c.RoomID), "thanks")
		agent.want("网页访客:thanks")
		v.Post("/v1/support/conversations/"+fmt.Sprint(c.ID)+"/close", nil).Want(200)
		agent.want(wsVisitorLeft)
		agent.write("anybody?")
		if got, _ := agent.next(); !strings.HasPrefix(got, "发送失败:") {
			t.Errorf("got %q", got)
		}
	}, withWS())
}

// Two windows of a visitor and two of an agent: what the first begins, the last ends.
func TestWSSupportTwice(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS())
	eve := s.Agent(s.User("root"), "eve")
	one := ws(t, s, agentPath("eve"))
	two := ws(t, s, agentPath("eve"))
	agentsHave(t, eve, 0)
	a := ws(t, s, visitorPath("li", "1"))
	a.want(wsPaired)
	b := ws(t, s, visitorPath("li", "1"))
	b.want(wsPaired)
	b.write("from b")
	one.want("li:from b")
	two.want("li:from b")
	two.write("to both")
	a.want("eve:to both")
	b.want("eve:to both")
	two.leave()
	a.leave()
	b.write("still here")
	one.want("li:still here")
	b.leave()
	one.want(wsVisitorLeft)
	one.leave()
	agentsHave(t, eve)
}

// An agent with their own settings keeps them: several at once, and they are given what was said while they were not there.
func TestWSSupportCapacity(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS())
	eve := s.Agent(s.User("root"), "eve")
	eve.Serve(2)
	a := ws(t, s, visitorPath("a", "1"))
	a.want(wsPaired) // eve has just made a request
	a.write("first of a")
	b := ws(t, s, visitorPath("b", "2"))
	b.want(wsPaired)
	b.write("first of b")
	agentsHave(t, eve, 2)
	harness.Eventually(t, "both have spoken", func() bool {
		list := harness.Into[client.ConversationList](eve.Get("/v1/support/conversations").Want(200)).Conversations
		return len(eve.History(fmt.Sprint(list[0].RoomID))) == 1 && len(eve.History(fmt.Sprint(list[1].RoomID))) == 1
	})
	agent := ws(t, s, agentPath("eve"))
	agent.want("a:first of a", "b:first of b")
	agent.write("to b")
	b.want("eve:to b")
	a.write("second of a")
	agent.want("a:second of a")
	agent.write("to a")
	a.want("eve:to a")
	a.leave()
	agent.want(wsVisitorLeft)
	agent.write("to b again")
	b.want("eve:to b again")
	agent.leave()
	agentsHave(t, eve, 1) // eve has the web, too: not gone
	if got := harness.Into[client.SupportAgentList](eve.Get("/v1/support/agents").Want(200)).Agents[0]; got.Capacity != 2 {
		t.Errorf("the agent is %+v", got)
	}
}

// A stop is not the end of a conversation; a visitor who comes back by the UID goes on.
func TestWSSupportRestart(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS())
	s.Agent(s.User("root"), "eve")
	agent := ws(t, s, agentPath("eve"))
	li := ws(t, s, visitorPath("li", "1"))
	li.want(wsPaired)
	li.write("before")
	agent.want("li:before")
	s.Restart()
	li.ends(websocket.StatusGoingAway)
	agent.ends(websocket.StatusGoingAway)
	agent = ws(t, s, agentPath("eve"))
	agent.want("li:before") // nobody has answered it
	li = ws(t, s, visitorPath("li", "1"))
	li.want(wsPaired)
	agent.write("after")
	li.want("eve:after")
}
