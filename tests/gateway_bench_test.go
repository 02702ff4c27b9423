package tests

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"parley/tests/harness"
)

// BenchmarkLineIn compares a line in, until it is back on the own connection, with a POST /v1/send of the same text. The
// two run in turn on one server, so that `ratio` means something on a machine that others use; one operation is a
// round of both.
func BenchmarkLineIn(b *testing.B) {
	s := harness.Start(b, withLine())
	ann := s.User("ann")
	text := strings.Repeat("x", 200)
	post := poster(b, s, ann, text)
	line, lines := dialBench(b, s.OlderAddr("line-addr"))
	own := fmt.Sprintf("[%[1]s]%[1]s:%[2]s\n", line.LocalAddr(), text)
	say := func() {
		writeBench(b, line, text+"\n")
		for got := ""; got != own; { // the posts come here too
			var err error
			if got, err = lines.ReadString('\n'); err != nil {
				b.Fatal(err)
			}
		}
	}
	compare(b, "line", say, post)
}

// BenchmarkFrameIn compares a message in a frame, until another framed client has it, with a POST /v1/send of the same text.
func BenchmarkFrameIn(b *testing.B) {
	s := harness.Start(b, withFrame())
	ann := s.User("ann")
	text := strings.Repeat("x", 200)
	post := poster(b, s, ann, text)
	says, hears := frameUser(b, s, 1, "one"), frameUser(b, s, 2, "two")
	packet := withLength(frameBody("SmsMes", `{"content":"`+text+`","userId":1}`))
	said := fmt.Sprintf(`{"content":%q,"userId":1,"userName":"one"}`, text)
	compare(b, "frame", func() {
		says.write(packet)
		for m := (frameMes{}); m.Data != said; { // the posts come here too
			var err error
			if m, err = hears.next(); err != nil {
				b.Fatal(err)
			}
		}
	}, post)
}

// compare does both in turn, many times each.
func compare(b *testing.B, name string, say, post func()) {
	b.Helper()
	const each = 200
	round := func(do func()) time.Duration {
		began := time.Now()
		for range each {
			do()
		}
		return time.Since(began)
	}
	var took [2]time.Duration
	for b.Loop() {
		took[0] += round(say)
		took[1] += round(post)
	}
	sent := float64(each * b.N)
	b.ReportMetric(float64(took[0].Microseconds())/sent, "µs/"+name)
	b.ReportMetric(float64(took[1].Microseconds())/sent, "µs/post")
	b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "ratio")
}

// poster sends the text by POST /v1/send over one connection.
func poster(b *testing.B, s *harness.Server, u *harness.User, text string) (post func()) {
	b.Helper()
	web, answers := dialBench(b, strings.TrimPrefix(s.URL(), "http://"))
	body := `{"text":"` + text + `"}`
	request := fmt.Sprintf("POST /v1/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", u.Token, len(body), body)
	return func() {
		writeBench(b, web, request)
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusCreated {
			b.Fatal(resp.Status, err)
		}
	}
}

func dialBench(b *testing.B, addr string) (net.Conn, *bufio.Reader) {
	b.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	return conn, bufio.NewReader(conn)
}

func writeBench(b *testing.B, conn net.Conn, text string) {
	b.Helper()
	if _, err := io.WriteString(conn, text); err != nil {
		b.Fatal(err)
	}
}
