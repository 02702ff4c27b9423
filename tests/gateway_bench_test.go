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
	const each = 200
	s := harness.Start(b, withLine())
	ann := s.User("ann")
	text := strings.Repeat("x", 200)
	dial := func(addr string) (net.Conn, *bufio.Reader) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		return conn, bufio.NewReader(conn)
	}
	write := func(conn net.Conn, text string) {
		if _, err := io.WriteString(conn, text); err != nil {
			b.Fatal(err)
		}
	}
	web, answers := dial(strings.TrimPrefix(s.URL(), "http://"))
	body := `{"text":"` + text + `"}`
	request := fmt.Sprintf("POST /v1/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", ann.Token, len(body), body)
	post := func() {
		write(web, request)
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.StatusCode != http.StatusCreated {
			b.Fatal(resp.Status, err)
		}
	}
	line, lines := dial(s.OlderAddr("line-addr"))
	own := fmt.Sprintf("[%[1]s]%[1]s:%[2]s\n", line.LocalAddr(), text)
	say := func() {
		write(line, text+"\n")
		for got := ""; got != own; { // the posts come here too
			var err error
			if got, err = lines.ReadString('\n'); err != nil {
				b.Fatal(err)
			}
		}
	}
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
	b.ReportMetric(float64(took[0].Microseconds())/sent, "µs/line")
	b.ReportMetric(float64(took[1].Microseconds())/sent, "µs/post")
	b.ReportMetric(took[0].Seconds()/took[1].Seconds(), "ratio")
}
