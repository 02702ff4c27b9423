package tests

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"parley/internal/app"
	"parley/tests/harness"
)

// framed is an old client: it writes the length apart from the body, and reads 4,096 bytes whatever the packets are.
type framed struct {
	t    testing.TB
	conn *net.TCPConn
	got  []byte // what has come and was not looked at
}

// frameMes is a packet; Data is a document in a string.
type frameMes struct {
	Type string `json:"type"`
	Data string `json:"data"`
}

// withFrame turns the protocol on.
func withFrame(flags ...string) harness.Option {
	return harness.Flags(append([]string{"--frame-addr", "127.0.0.1:0"}, flags...)...)
}

func dialFrame(t testing.TB, s *harness.Server) *framed { return dialFrameFrom(t, s, "127.0.0.1") }

// dialFrameFrom comes from another address of this machine.
func dialFrameFrom(t testing.TB, s *harness.Server, from string) *framed {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	conn, err := dialer.DialContext(t.Context(), "tcp", s.OlderAddr("frame-addr"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return &framed{t: t, conn: conn.(*net.TCPConn)}
}

// frameBody is a packet without its length.
func frameBody(kind, data string) string {
	body, err := json.Marshal(frameMes{kind, data})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// withLength puts the length before it.
func withLength(body string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)))) + body
}

// write sends the bytes as they are.
func (c *framed) write(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, text); err != nil {
		c.t.Fatal(err)
	}
}

// send writes the length and then the body.
func (c *framed) send(kind, data string) {
	c.t.Helper()
	body := frameBody(kind, data)
	c.write(withLength(body)[:4])
	c.write(body)
}

// next gives the next packet.
func (c *framed) next() (m frameMes, err error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(linePatience))
	for {
		if len(c.got) >= 4 {
			if end := 4 + int(binary.BigEndian.Uint32(c.got)); len(c.got) >= end {
				body := c.got[4:end]
				c.got = c.got[end:]
				if err := json.Unmarshal(body, &m); err != nil {
					return m, fmt.Errorf("%q: %w", body, err)
				}
				return m, nil
			}
		}
		p := make([]byte, 4096)
		n, err := c.conn.Read(p)
		c.got = append(c.got, p[:n]...)
		if err != nil && n == 0 {
			return m, err
		}
	}
}

// want ends the test unless just this packet comes next.
func (c *framed) want(kind, data string) {
	c.t.Helper()
	m, err := c.next()
	if err != nil || m.Type != kind || m.Data != data {
		c.t.Fatalf("got %s %.300s, %v; want %s %.300s", m.Type, m.Data, err, kind, data)
	}
}

// refused ends the test unless an ErrorMes comes next; it gives its text.
func (c *framed) refused() string {
	c.t.Helper()
	m, err := c.next()
	var answer struct {
		Code  int
		Error string
	}
	if err != nil || m.Type != "ErrorMes" || json.Unmarshal([]byte(m.Data), &answer) != nil || answer.Code != 400 || answer.Error == "" {
		c.t.Fatalf("got %s %.300s, %v; want an ErrorMes", m.Type, m.Data, err)
	}
	return answer.Error
}

// ends ends the test unless the connection does.
func (c *framed) ends() {
	c.t.Helper()
	if m, err := c.next(); !errors.Is(err, io.EOF) {
		c.t.Fatalf("got %+v, %v; want the end", m, err)
	}
}

// answer sends a packet and gives the code, the ids and the error of the answer.
func (c *framed) answer(kind, data string) (code int, ids []int64, text string) {
	c.t.Helper()
	c.send(kind, data)
	m, err := c.next()
	var a struct {
		Code    int     `json:"code"`
		UsersId []int64 `json:"UsersId"` //nolint:revive,staticcheck // as the protocol writes it
		Error   string  `json:"error"`
	}
	res := map[string]string{"RegisterMes": "RegisterResMes", "LoginMes": "LoginResMes"}[kind]
	if err != nil || m.Type != res || json.Unmarshal([]byte(m.Data), &a) != nil {
		c.t.Fatalf("%s %s: %+v, %v", kind, data, m, err)
	}
	return a.Code, a.UsersId, a.Error
}

// oldUser is the document of RegisterMes and LoginMes.
func oldUser(id int64, password, name string) string {
	p, err := json.Marshal(map[string]any{"userId": id, "userPwd": password, "userName": name})
	if err != nil {
		panic(err)
	}
	return string(p)
}

// login logs in and gives the ids online, in order.
func (c *framed) login(id int64) []int64 {
	c.t.Helper()
	code, ids, text := c.answer("LoginMes", oldUser(id, "pw", ""))
	if code != 200 || text != "" {
		c.t.Fatalf("%d: %d %q", id, code, text)
	}
	slices.Sort(ids)
	return ids
}

// frameUser registers with the id and the name, and logs in.
func frameUser(t testing.TB, s *harness.Server, id int64, name string) *framed {
	t.Helper()
	registerFrame(t, s, id, name)
	c := dialFrame(t, s)
	c.login(id)
	return c
}

// registerFrame registers over a connection of its own, as the old clients did.
func registerFrame(t testing.TB, s *harness.Server, id int64, name string) {
	t.Helper()
	c := dialFrame(t, s)
	if code, _, text := c.answer("RegisterMes", oldUser(id, "pw", name)); code != 200 || text != "" {
		t.Fatalf("%d %s: %d %q", id, name, code, text)
	}
	_ = c.conn.Close()
}

// say sends a message to all.
func (c *framed) say(text string) {
	c.t.Helper()
	p, err := json.Marshal(map[string]any{"content": text, "userId": 1})
	if err != nil {
		c.t.Fatal(err)
	}
	c.send("SmsMes", string(p))
}

// hears waits for somebody's message to all.
func (c *framed) hears(id int64, name, text string) {
	c.t.Helper()
	c.want("SmsMes", fmt.Sprintf(`{"content":%q,"userId":%d,"userName":%q}`, text, id, name))
}

// sees waits for the news that somebody came (0) or went (1).
func (c *framed) sees(id int64, status int) {
	c.t.Helper()
	c.want("NotifyUserStatusMes", fmt.Sprintf(`{"userId":%d,"status":%d}`, id, status))
}

// briskly has who takes nothing cut soon.
func briskly() harness.Option {
	return harness.Tune(func(o *app.Options) { o.Stall = time.Second })
}
