package bench

import (
	"net"
	"strings"
	"testing"
)

// Answers are read whole, however they come.
func TestCall(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("y", 20_000)
	for name, tt := range map[string]struct {
		answer string
		status int
		body   string
		fails  bool
	}{
		"a length":   {answer: "HTTP/1.1 201 Created\r\ncontent-length: 5\r\n\r\nhello", status: 201, body: "hello"},
		"none":       {answer: "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", status: 204},
		"chunks":     {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", status: 200, body: "hello"},
		"much":       {answer: "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n" + long, status: 200, body: long},
		"a refusal":  {answer: "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno", status: 503, body: "no"},
		"half":       {answer: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", fails: true},
		"no length":  {answer: "HTTP/1.1 200 OK\r\n\r\nhello", fails: true},
		"no number":  {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", fails: true},
		"half chunk": {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello", fails: true},
	} {
		ours, theirs := net.Pipe()
		go func() {
			defer func() { _ = theirs.Close() }()
			if _, err := theirs.Read(make([]byte, 100)); err != nil {
				return
			}
			for i := 0; i < len(tt.answer); i += 700 {
				if _, err := theirs.Write([]byte(tt.answer[i:min(i+700, len(tt.answer))])); err != nil {
					return
				}
			}
		}()
		s := &sender{conn: ours, in: make([]byte, 0, 16)}
		status, body, err := s.call([]byte("GET / HTTP/1.1\r\n\r\n"))
		if (err != nil) != tt.fails || err == nil && (status != tt.status || string(body) != tt.body) {
			t.Errorf("%s: %d, %d bytes, %v", name, status, len(body), err)
		}
		s.close()
	}
}

// A letter's length is right, and its number can be changed in place.
func TestLetter(t *testing.T) {
	t.Parallel()
	l := newLetter("h:1", "/v1/send", "Authorization: Bearer t\r\n", `{"text":"`, 40, `"}`)
	putNumber(l.text, 0xabc)
	head, body, _ := strings.Cut(string(l.request), "\r\n\r\n")
	if !strings.Contains(head, "Content-Length: 51\r\n") && !strings.HasSuffix(head, "Content-Length: 51") || len(body) != 51 {
		t.Errorf("%d bytes behind %s", len(body), head)
	}
	if n, found := findNumber(l.request); n != 0xabc || !found {
		t.Errorf("the number is %x", n)
	}
}
