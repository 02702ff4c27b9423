package tests

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/tests/harness"
)

// rawWS is a WebSocket by hand.
type rawWS struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
}

// The opcodes of RFC 6455.
const (
	opGoOn   = 0x0
	opText   = 0x1
	opBinary = 0x2
	opClose  = 0x8
	opPing   = 0x9
	opPong   = 0xa
	opFin    = 0x80
)

func dialRawWS(t *testing.T, s *harness.Server, path string) *rawWS {
	t.Helper()
	conn, err := net.Dial("tcp", s.OlderAddr("ws-addr"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(linePatience))
	c := &rawWS{t: t, conn: conn, in: bufio.NewReader(conn)}
	c.send([]byte("GET " + path + " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"))
	resp, err := http.ReadResponse(c.in, nil) //nolint:bodyclose // a switch of protocols has none
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Sec-WebSocket-Accept") != "ICX+Yqv66kxgM0FcWaLWlFLwTAI=" ||
		resp.Header.Get("Sec-WebSocket-Extensions") != "" {
		t.Fatalf("the answer is %+v, %v", resp, err)
	}
	return c
}

func (c *rawWS) send(p []byte) {
	c.t.Helper()
	if _, err := c.conn.Write(p); err != nil {
		c.t.Fatal(err)
	}
}

// wsFrame is a frame as a client sends it: first is its first byte.
func wsFrame(first byte, payload string) []byte { return wsFrameOf(first, len(payload), true, payload) }

func wsFrameOf(first byte, length int, masked bool, payload string) []byte {
	b := []byte{first, 0}
	switch {
	case length < 126:
		b[1] = byte(length)
	case length < 1<<16:
		b[1] = 126
		b = binary.BigEndian.AppendUint16(b, uint16(length))
	default:
		b[1] = 127
		b = binary.BigEndian.AppendUint64(b, uint64(length))
	}
	if !masked {
		return append(b, payload...)
	}
	b[1] |= 0x80
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, mask[:]...)
	for i := range len(payload) {
		b = append(b, payload[i]^mask[i%4])
	}
	return b
}

// next gives the next frame that comes.
func (c *rawWS) next() (first byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return 0, nil, err
	}
	length := uint64(head[1])
	switch length {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(c.in, b[:])
		length = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(c.in, b[:])
		length = binary.BigEndian.Uint64(b[:])
	}
	payload = make([]byte, length)
	if err == nil {
		_, err = io.ReadFull(c.in, payload)
	}
	return head[0], payload, err
}

// wsFrames joins frames.
func wsFrames(frames ...[]byte) []byte { return bytes.Join(frames, nil) }

func closeFrame(code uint16, reason string) []byte {
	return wsFrame(opFin|opClose, string(binary.BigEndian.AppendUint16(nil, code))+reason)
}

// What frames may be, and by which code the connection ends where they are not.
func TestWSFrames(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS())
	odd := `{"type":9}` // is answered, and changes nothing
	most := strings.Repeat("x", 16384)
	const answered, goodbye = -1, 0
	for i, tt := range []struct {
		name string
		send []byte
		want int // answered, goodbye (a close frame without a code), or a code
	}{
		{"text", wsFrame(opFin|opText, odd), answered},
		{"binary", wsFrame(opFin|opBinary, odd), answered},
		{"binary that is no text", wsFrame(opFin|opBinary, "\xff\xfe"), answered},
		{"nothing", wsFrame(opFin|opText, ""), answered},
		{"a byte in each fragment", wsFrames(wsFrame(opText, "{"), wsFrame(opGoOn, ""), wsFrame(opGoOn, `"type":`), wsFrame(opFin|opGoOn, "9}")), answered},
		{"a ping among fragments", wsFrames(wsFrame(opText, `{"type"`), wsFrame(opFin|opPing, "are you there?"), wsFrame(opFin|opGoOn, ":9}")), answered},
		{"a character in two fragments", wsFrames(wsFrame(opText, "\xe4\xbd"), wsFrame(opFin|opGoOn, "\xa0")), answered},
		{"a pong that nobody asked for", wsFrames(wsFrame(opFin|opPong, "x"), wsFrame(opFin|opText, odd)), answered},
		{"the longest", wsFrame(opFin|opText, most), answered},
		{"too long", wsFrame(opFin|opText, most+"x"), 1009},
		{"too long in fragments", wsFrames(wsFrame(opText, most), wsFrame(opFin|opGoOn, "x")), 1009},
		{"4 GB", wsFrameOf(opFin|opText, 4<<30, true, most+most), 1009},
		{"a negative length", append([]byte{opFin | opText, 0xff}, bytes.Repeat([]byte{0xff}, 12)...), 1002},
		{"without a mask", wsFrameOf(opFin|opText, len(odd), false, odd), 1002},
		{"a ping without a mask", wsFrameOf(opFin|opPing, 1, false, "x"), 1002},
		{"reserved bit 1", wsFrame(opFin|0x40|opText, odd), 1002},
		{"reserved bit 2", wsFrame(opFin|0x20|opText, odd), 1002},
		{"reserved bit 3", wsFrame(opFin|0x10|opText, odd), 1002},
		{"reserved opcode 3", wsFrame(opFin|0x3, odd), 1002},
		{"reserved opcode 11", wsFrame(opFin|0xb, odd), 1002},
		{"a long ping", wsFrame(opFin|opPing, most[:126]), 1002},
		{"half a ping", wsFrame(opPing, "x"), 1002},
		{"going on with nothing", wsFrame(opFin|opGoOn, odd), 1002},
		{"another one before the end", wsFrames(wsFrame(opText, "x"), wsFrame(opFin|opText, odd)), 1002},
		{"no UTF-8", wsFrame(opFin|opText, "\xff"), 1007},
		{"no UTF-8 in fragments", wsFrames(wsFrame(opText, "\xe4\xbd"), wsFrame(opFin|opGoOn, "x")), 1007},
		{"a surrogate", wsFrame(opFin|opText, "\xed\xa0\x80"), 1007},
		{"a close", closeFrame(1000, "bye"), 1000},
		{"going away", closeFrame(1001, ""), 1001},
		{"a library's code", closeFrame(3000, ""), 3000},
		{"an application's code", closeFrame(4999, strings.Repeat("x", 123)), 4999},
		{"a close without code", wsFrame(opFin|opClose, ""), goodbye},
		{"half a code", wsFrame(opFin|opClose, "\x03"), 1002},
		{"a long close", wsFrame(opFin|opClose, "\x03\xe8"+most[:124]), 1002},
		{"code 999", closeFrame(999, ""), 1002},
		{"code 1004", closeFrame(1004, ""), 1002},
		{"code 1005", closeFrame(1005, ""), 1002},
		{"code 1006", closeFrame(1006, ""), 1002},
		{"code 1015", closeFrame(1015, ""), 1002},
		{"code 1016", closeFrame(1016, ""), 1002},
		{"code 2999", closeFrame(2999, ""), 1002},
		{"code 5000", closeFrame(5000, ""), 1002},
		{"CLOSE", wsFrame(opFin|opText, `{"type":3}`), 1000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := dialRawWS(t, s, fmt.Sprintf("/ws/%d", i+1))
			c.send(tt.send)
			for {
				first, payload, err := c.next()
				switch {
				case err != nil:
					t.Fatal(err)
				case first == opFin|opPing:
					continue
				case first == opFin|opPong && string(payload) == "are you there?":
					continue
				}
				got := answered
				switch {
				case first == opFin|opClose && len(payload) >= 2:
					got = int(binary.BigEndian.Uint16(payload))
				case first == opFin|opClose:
					got = goodbye
				case first != opFin|opText || !bytes.HasPrefix(payload, []byte(`{"type":2,"sender":0,`)):
					t.Fatalf("got %x %.200q", first, payload)
				}
				if got != tt.want {
					t.Errorf("got %d (%.100q), not %d", got, payload, tt.want)
				}
				break
			}
			if tt.want == answered { // and the connection is there
				c.send(wsFrame(opFin|opClose, ""))
			}
			if tt.want != goodbye && tt.want != answered {
				c.send(closeFrame(1000, "")) // whoever began
			}
			rest, err := io.ReadAll(c.in)
			if err != nil && !strings.Contains(err.Error(), "reset") || tt.want == answered && !bytes.Contains(rest, []byte{opFin | opClose, 0}) {
				t.Errorf("after it %.100q, %v", rest, err)
			}
		})
	}
}

// Whatever comes in, the server lives on.
func TestWSGarbage(t *testing.T) {
	t.Parallel()
	s := harness.Start(t, withWS())
	const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
	for text, status := range map[string]string{
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03":         "400",
		"\x00\x00\x00\x05hello":                                "",
		"GET /ws/1\r\n\r\n":                                    "400",
		"GET /ws/1 HTTP/1.1\r\n\r\n":                           "400",
		"GET /ws/1 HTTP/1.1\r\nHost: x\r\n\r\n":                "426",
		"GET /ws/1 HTTP/1.1\r\nHost: x\r\n" + upgrade + "\r\n": "426",
		"GET /ws/1 HTTP/1.1\r\nHost: x\r\n" + upgrade + "Sec-WebSocket-Key: short\r\n\r\n":                    "426",
		"GET /ws/support?UID=1 HTTP/1.1\r\nHost: x\r\n\r\n":                                                   "426",
		"POST /ws/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n":                                         "405",
		"GET /ws/%ff HTTP/1.1\r\nHost: x\r\n" + upgrade + "Sec-WebSocket-Key: short\r\n\r\n":                  "426",
		"GET /ws/1 HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", 1<<16) + "\r\n\r\n":                      "431",
		"GET /ws/" + strings.Repeat("1", 1<<16) + " HTTP/1.1\r\nHost: x\r\n\r\n":                              "431",
		"GET /ws/1 HTTP/1.0\r\nHost: x\r\n" + upgrade + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n": "426",
	} {
		conn, err := net.Dial("tcp", s.OlderAddr("ws-addr"))
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetDeadline(time.Now().Add(linePatience))
		_, _ = io.WriteString(conn, text) // it may be answered before all of it was read
		_ = conn.(*net.TCPConn).CloseWrite()
		got, _ := bufio.NewReader(conn).ReadString('\n')
		if !strings.Contains(got, " "+status) {
			t.Errorf("%.60q: %q, not %s", text, got, status)
		}
		_ = conn.Close()
	}
	ann := s.User("ann")
	if got := ann.Get("/v1/users", harness.Query("q", "ws-")).Want(200); !strings.Contains(string(got.Body), `"users":[]`) {
		t.Errorf("there are %s", got.Body)
	}
	c := ws(t, s, "/ws/1")
	ann.Send("@ws-1", "alive")
	c.told(offset+ann.ID, 1, "alive")
}
