package tests

import (
	"fmt"
	"testing"

	"parley/client"
	"parley/tests/harness"
)

// way is somebody who talks by one of the ways into the server.
type way struct {
	name  string // of the account
	line  string // what line connections call it: [addr]name
	id    int64  // in the frame protocol
	wsID  int64
	say   func(text string)         // to all
	tell  func(w *way, text string) // to one; nil where the protocol has no way to
	hears func(from *way, text string)
	told  func(from *way, text string)
}

// fourWays is one of each: a client of the line protocol, a framed one, a WebSocket and a user of the API.
func fourWays(t *testing.T, s *harness.Server) []*way {
	ann := s.User("ann")
	stream := ann.Stream()
	idOf := func(name string) int64 { return harness.Into[client.User](ann.Get("/v1/users/@" + name).Want(200)).ID }

	nc := line(t, s)
	nc.write("rename|张三\n")
	nc.want("您已更改用户名为:张三")
	stream.Want("user.renamed")
	fr := frameUser(t, s, 100, "李四")
	sock := ws(t, s, "/ws/7?lobby=1")

	byLine := &way{name: "张三", line: "[" + nc.addr + "]张三", id: offset + idOf("张三"), wsID: offset + idOf("张三")}
	byLine.say = func(text string) {
		nc.write(text + "\n")
		nc.want(byLine.line + ":" + text)
	}
	byLine.tell = func(w *way, text string) { nc.write("to|" + w.name + "|" + text + "\n") }
	byLine.hears = func(from *way, text string) { nc.want(from.line + ":" + text) }
	byLine.told = func(from *way, text string) { nc.want(from.name + " : " + text) }

	byFrame := &way{name: "李四", line: "[web]李四", id: 100, wsID: offset + idOf("李四")}
	byFrame.say = fr.say
	framed := func(from *way, text, more string) {
		t.Helper()
		want := fmt.Sprintf(`{"content":%q,"userId":%d,"userName":%q%s}`, text, from.id, from.name, more)
		for {
			m, err := fr.next()
			if err != nil || m.Type != "NotifyUserStatusMes" && (m.Type != "SmsMes" || m.Data != want) {
				t.Fatalf("the framed client got %+v, %v, not %s", m, err, want)
			}
			if m.Type == "SmsMes" {
				return
			}
		}
	}
	byFrame.hears = func(from *way, text string) { framed(from, text, "") }
	byFrame.told = func(from *way, text string) { framed(from, text, `,"private":true`) }

	byWS := &way{name: "ws-7", line: "[web]ws-7", id: offset + idOf("ws-7"), wsID: 7}
	byWS.say = func(text string) { sock.send(0, text) }
	byWS.tell = func(w *way, text string) { sock.send(w.wsID, text) }
	byWS.hears = func(from *way, text string) { sock.told(from.wsID, 0, text) }
	byWS.told = func(from *way, text string) { sock.told(from.wsID, 7, text) }

	byWeb := &way{name: "ann", line: "[web]ann", id: offset + ann.ID, wsID: offset + ann.ID}
	heard := func(from *way, text string) {
		t.Helper()
		for {
			e := stream.Next()
			if e.Type != "message.created" {
				continue // of presence, and of rooms that begin
			}
			said := harness.DataOf[client.MessageData](e).Message
			if said.Text != text || said.Sender.Name != from.name {
				t.Fatalf("ann got %s, not %q of %s", e.JSON, text, from.name)
			}
			return
		}
	}
	byWeb.say = func(text string) {
		ann.Send("lobby", text)
		heard(byWeb, text)
	}
	byWeb.tell = func(w *way, text string) {
		ann.Send("@"+w.name, text)
		heard(byWeb, text)
	}
	byWeb.hears, byWeb.told = heard, heard
	return []*way{byLine, byFrame, byWS, byWeb}
}

// What is said by any way reaches all the others, to all or to one, and nobody else.
func TestAllWaysReachAllOthers(t *testing.T) {
	t.Parallel()
	onBoth(t, func(t *testing.T, s *harness.Server) {
		all := fourWays(t, s)
		for round := range 2 {
			for _, from := range all {
				text := fmt.Sprintf("大家好, 我是%s %d", from.name, round)
				from.say(text)
				for _, w := range all {
					if w != from {
						w.hears(from, text)
					}
				}
				for _, to := range all {
					if to == from || from.tell == nil {
						continue
					}
					secret := fmt.Sprintf("%s, 这是秘密|%d", to.name, round)
					from.tell(to, secret)
					to.told(from, secret)
				}
			}
		}
	}, withLine(), withFrame(), withWS())
}
