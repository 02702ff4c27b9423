package tests

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/client"
	"parley/internal/app"
	"parley/tests/harness"
)

const benchSenders = 64

// BenchmarkSendHTTP64 compares the writer that commits what waits together with one that commits
// each message alone, under 64 senders over HTTP. The two run in turn, so that `ratio` means
// something on a machine that others use; one operation is a round of both.
func BenchmarkSendHTTP64(b *testing.B) {
	const each = 40 // messages of each sender in a round of the single writer
	single := startSenders(b, 1)
	group := startSenders(b, 0)
	var took [2]time.Duration
	sent := [2]int{}
	b.ResetTimer()
	for b.Loop() {
		took[0] += single.round(b, each)
		sent[0] += each * benchSenders
		took[1] += group.round(b, 4*each)
		sent[1] += 4 * each * benchSenders
	}
	alone, together := float64(sent[0])/took[0].Seconds(), float64(sent[1])/took[1].Seconds()
	b.ReportMetric(alone, "alone-msg/s")
	b.ReportMetric(together, "together-msg/s")
	b.ReportMetric(together/alone, "ratio")
}

// senders are connections that send one request after the other. They do as little as they can
// themselves: it is the server's work that is compared.
type senders struct {
	conns   []*bufio.ReadWriter
	request []byte
}

func startSenders(b *testing.B, batch int) *senders {
	b.Helper()
	url := harness.Start(b, harness.Tune(func(o *app.Options) { o.BatchSize = batch })).URL()
	c, err := client.New(url, client.WithHTTPClient(plainHTTP))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(plain.CloseIdleConnections)
	session, err := c.Register(context.Background(), "ann", "correct horse")
	if err != nil {
		b.Fatal(err)
	}
	body := `{"text":"` + strings.Repeat("x", 200) + `"}`
	s := &senders{request: fmt.Appendf(nil, "POST /v1/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", session.Token, len(body), body)}
	for range benchSenders {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = conn.Close() })
		s.conns = append(s.conns, bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn)))
	}
	s.round(b, 2) // warm
	return s
}

// round lets each connection send so many and gives the time for all.
func (s *senders) round(b *testing.B, each int) time.Duration {
	b.Helper()
	errs := make(chan error, len(s.conns))
	began := time.Now()
	for _, conn := range s.conns {
		go func() {
			var err error
			for n := 0; n < each && err == nil; n++ {
				err = s.send(conn)
			}
			errs <- err
		}()
	}
	var all error
	for range s.conns {
		all = errors.Join(all, <-errs)
	}
	if all != nil {
		b.Fatal(all)
	}
	return time.Since(began)
}

// send makes one request and reads its answer.
func (s *senders) send(conn *bufio.ReadWriter) error {
	if _, err := conn.Write(s.request); err != nil {
		return err
	}
	if err := conn.Flush(); err != nil {
		return err
	}
	status, err := conn.ReadString('\n')
	if err != nil {
		return err
	}
	if !strings.Contains(status, strconv.Itoa(http.StatusCreated)) {
		return fmt.Errorf("sent, and answered %q", status)
	}
	length := 0
	for line := status; line != "\r\n"; {
		if line, err = conn.ReadString('\n'); err != nil {
			return err
		}
		if value, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			if length, err = strconv.Atoi(strings.TrimSpace(value)); err != nil {
				return err
			}
		}
	}
	_, err = io.CopyN(io.Discard, conn, int64(length))
	return err
}
