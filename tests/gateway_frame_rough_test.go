package tests

import (
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/tests/harness"
)

// Packets come in pieces, and several in one.
func TestFramePackets(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withFrame())
	registerFrame(t, s, 1, "one")
	a, b := frameUser(t, s, 2, "two"), dialFrame(t, s)
	for _, p := range []byte(withLength(frameBody("LoginMes", oldUser(1, "pw", "")))) {
		b.write(string([]byte{p}))
		time.Sleep(50 * time.Microsecond) // so that it goes by itself
	}
	b.want("LoginResMes", `{"code":200,"UsersId":[1,2],"error":""}`)
	a.sees(1, 0)
	var glued strings.Builder
	for i := range 30 {
		glued.WriteString(withLength(frameBody("SmsMes", fmt.Sprintf(`{"content":"第%d条"}`, i))))
	}
	glued.WriteString(withLength(frameBody("SmsMes", `{"content":"in two"}`))[:20])
	b.write(glued.String())
	for i := range 30 {
		a.hears(1, "one", fmt.Sprintf("第%d条", i))
	}
	b.write(withLength(frameBody("SmsMes", `{"content":"in two"}`))[20:])
	a.hears(1, "one", "in two")
	longest := frameBody("SmsMes", `{"content":"`+strings.Repeat("x", 16000)+`"}`)
	b.write(withLength(longest + strings.Repeat(" ", 16384-len(longest))))
	a.hears(1, "one", strings.Repeat("x", 16000))
}

// What is no packet is answered, and the connection stays; the server does so in any case.
func TestFrameGarbage(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withFrame())
	registerFrame(t, s, 1, "one")
	c := dialFrame(t, s)
	for _, body := range []string{
		"", "x", "{", "[]", "null7", `"LoginMes"`, `{"type":1,"data":""}`, `{"type":"SmsMes","data":{"content":"x"}}`, `{"type":"SmsMes"}`,
		`{}`, `{"type":"SmsMes","data":"{}"}{}`, "\xff\xfe", "\x00\x00\x00\x00", strings.Repeat("[", 16384), strings.Repeat("\x00", 16384),
		frameBody("SmsMes", strings.Repeat(`{"a":`, 2000)), frameBody("\x1b[31m\n"+strings.Repeat("长", 3000), ""),
	} {
		c.write(withLength(body))
		if text := c.refused(); strings.ContainsAny(text, "\x1b\n") {
			t.Errorf("%.40q is answered %q", body, text)
		}
	}
	c.login(1)
	for _, text := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", strings.Repeat("\xff", 100_000), "\x00", "\x00\x00\x40",
		"\x00\x00\x40\x00", "\x00\x00\x40\x00half a packet", "\x00\x00\x40\x01", strings.Repeat("\x00", 4000), "hello\n",
	} {
		g := dialFrame(t, s)
		_, _ = io.WriteString(g.conn, text) // which may be refused before it ends
		_ = g.conn.CloseWrite()
		_ = g.conn.SetReadDeadline(time.Now().Add(linePatience))
		if _, err := io.Copy(io.Discard, g.conn); err != nil {
			t.Errorf("%.30q: %v", text, err)
		}
	}
	c.say("alive")
	dialFrame(t, s).login(1)
}

// A length that is too long is answered before the end.
func TestFrameTooLong(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withFrame())
	for _, length := range []uint32{16385, 1 << 31, 1<<32 - 1} {
		c := dialFrame(t, s)
		c.write(string(binary.BigEndian.AppendUint32(nil, length)))
		if text := c.refused(); text != "a packet has at most 16384 bytes after its length" {
			t.Errorf("%d: %q", length, text)
		}
		c.ends()
	}
	c := dialFrame(t, s) // goes on writing, as nobody reads what was answered yet
	c.write("\xff\xff\xff\xff" + strings.Repeat("x", 1<<20))
	c.refused()
	c.ends()
}

// Many that say nothing, or only half of something, cost little, and the others notice nothing. It runs alone: the
// memory is that of the whole process.
func TestFrameManyIdle(t *testing.T) {
	s := harness.Start(t, withFrame())
	a, b := frameUser(t, s, 1, "one"), frameUser(t, s, 2, "two")
	a.sees(2, 0)
	before := memoryInUse()
	var idle []*framed
	for i := range 1000 {
		c := dialFrame(t, s)
		if i%2 == 0 {
			c.write("\x00\x00\x40\x00{") // a long packet that never comes
		}
		idle = append(idle, c)
	}
	for range 5 { // all are there by the end of it
		b.say("anybody?")
		a.hears(2, "two", "anybody?")
	}
	last := idle[len(idle)-1]
	last.send("?", "")
	last.refused()
	if grown := memoryInUse() - before; grown > 20<<20 {
		t.Errorf("a thousand idle connections, both ends, take %d KB", grown>>10)
	}
	s.Stop()
	for _, c := range idle {
		c.refused()
		c.ends()
	}
}

// memoryInUse is that of this process.
func memoryInUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// A client that never reads is cut, and the others notice nothing.
func TestFrameNeverReads(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withFrame(), briskly())
	ann := s.User("ann")
	a := frameUser(t, s, 1, "one")
	registerFrame(t, s, 2, "deaf")
	deaf := dialFrame(t, s)
	_ = deaf.conn.SetReadBuffer(4096)
	deaf.login(2)
	a.sees(2, 0)
	text := strings.Repeat("很", 5000)
	for said := 0; ; said++ {
		if said == 2000 {
			t.Fatal("the client that never reads is still there")
		}
		ann.Send("lobby", text)
		m, err := a.next()
		if err != nil {
			t.Fatal(err)
		}
		if m.Type == "NotifyUserStatusMes" && m.Data == `{"userId":2,"status":1}` {
			break
		}
	}
}

// A message of any length comes.
func TestFrameLongMessages(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withFrame(), withLine(), harness.Flags("--max-message-bytes", "1048576"))
	ann := s.User("ann")
	a, nc := frameUser(t, s, 1, "one"), line(t, s)
	a.sees(1_000_000_000+harness.Into[client.UserList](ann.Get("/v1/users?q=nc-").Want(200)).Users[0].ID, 0)
	text := strings.Repeat(`"好"`, 150_000)
	for range 2 {
		ann.Send("lobby", text)
	}
	for range 2 {
		m, err := a.next()
		if err != nil || m.Type != "SmsMes" || len(m.Data) < len(text) {
			t.Fatalf("got %s of %d bytes, %v", m.Type, len(m.Data), err)
		}
		nc.want("[web]ann:" + text)
	}
}
