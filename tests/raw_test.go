package tests

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"parley/tests/harness"
)

// rawCall sends the bytes, says that there are no more, and gives what comes back.
func rawCall(t *testing.T, s *harness.Server, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, request); err != nil {
		return "" // it was cut off before the end
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		return ""
	}
	answer, _ := io.ReadAll(conn) // a reset behind the answer is fine
	return string(answer)
}

// What is no HTTP is refused before there is a request: net/http's own words, and the server lives on.
func TestNoHTTP(t *testing.T) {
	t.Parallel()
	s := harness.Start(t)
	ann := s.User("ann")
	check := unchanged(t, ann)
	for request, want := range map[string]string{
		"hello\r\n\r\n": "HTTP/1.1 400 ",
		"GET /v1/rooms/%zz HTTP/1.1\r\nHost: x\r\n\r\n":                                            "HTTP/1.1 400 ",
		"GET /v1/me HTTP/1.1\r\n\r\n":                                                              "HTTP/1.1 400 ",
		"GET /v1/me HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n":                                  "HTTP/1.1 400 ",
		"GET /v1/me HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("a", 100<<10) + "\r\n\r\n":        "HTTP/1.1 431 ",
		"GET /v1/" + strings.Repeat("a", 100<<10) + " HTTP/1.1\r\nHost: x\r\n\r\n":                 "HTTP/1.1 431 ",
		"POST /v1/send HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello": "HTTP/1.1 400 ",
		"POST /v1/send HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nhello":                     "HTTP/1.1 400 ",
		"POST /v1/send HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nhello":                "HTTP/1.1 501 ",
		"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: surprise\r\n\r\n":                             "HTTP/1.1 417 ",
		"GET /v1/me HTTP/9.9\r\nHost: x\r\n\r\n":                                                   "HTTP/1.1 505 ",
	} {
		if answer := rawCall(t, s, request); !strings.HasPrefix(answer, want) {
			t.Errorf("%.60q was answered %.200q, want %s", request, answer, want)
		}
	}
	check()
}
