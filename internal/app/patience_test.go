package app

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// startWith serves until the test ends.
func startWith(t *testing.T, o serving) *server {
	t.Helper()
	s, err := listen(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.serve() }()
	t.Cleanup(func() {
		if err := s.stop(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
		_ = s.http.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s
}

// dial opens a connection that does not hold the test for ever.
func dial(t *testing.T, s *server) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestSlowBodyIsCut(t *testing.T) {
	t.Parallel()
	reads := func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the body ends with %v", err)
		}
		w.WriteHeader(http.StatusBadRequest)
	}
	ignores := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }
	for name, handler := range map[string]http.HandlerFunc{"HTTP/1.1 400 ": reads, "HTTP/1.1 404 ": ignores} {
		for _, head := range []string{"Content-Length: 100\r\n\r\nonly this", "Transfer-Encoding: chunked\r\n\r\n5\r\nonly "} {
			o := testServing("127.0.0.1:0", handler, time.Minute)
			o.body = 50 * time.Millisecond
			conn := dial(t, startWith(t, o))
			if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\n"+head); err != nil {
				t.Fatal(err)
			}
			// The answer comes, and then the end: the server does not wait for the rest.
			answer, err := io.ReadAll(conn)
			if err != nil && !errors.Is(err, net.ErrClosed) && !strings.Contains(err.Error(), "reset") || !bytes.HasPrefix(answer, []byte(name)) {
				t.Errorf("%q, %v", answer, err)
			}
		}
	}
}

// A body that dribbles in is cut too, as each byte gains only what it is worth.
func TestDribbledBodyIsCut(t *testing.T) {
	t.Parallel()
	o := testServing("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusBadRequest)
	}), time.Minute)
	o.body = 100 * time.Millisecond
	conn := dial(t, startWith(t, o))
	if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	for range 2000 { // of 100000 bytes
		if _, err := io.WriteString(conn, "x"); err != nil {
			return
		}
		time.Sleep(5 * time.Millisecond) // the dribble itself
	}
	t.Error("a body that comes by single bytes holds a handler")
}

// The time for a body is none for what comes after it: a long answer, or the next request.
func TestBodyTimeEndsWithTheBody(t *testing.T) {
	t.Parallel()
	const bodyTime = 50 * time.Millisecond
	o := testServing("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		select {
		case <-r.Context().Done():
			t.Error("a client that waits for the answer counts as gone")
		case <-time.After(4 * bodyTime):
		}
		_, _ = w.Write(body)
	}), time.Minute)
	o.body = bodyTime
	s := startWith(t, o)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for range 2 {
		resp, err := client.Post(s.url(), "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || string(body) != "hello" {
			t.Errorf("%q, %v", body, err)
		}
	}
}

func TestSlowHeaderIsCut(t *testing.T) {
	t.Parallel()
	s, err := listen(t.Context(), testServing("127.0.0.1:0", http.NotFoundHandler(), time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if s.http.ReadHeaderTimeout != headerTimeout || headerTimeout > 30*time.Second || s.http.IdleTimeout == 0 {
		t.Errorf("headers may take %v, quiet %v", s.http.ReadHeaderTimeout, s.http.IdleTimeout)
	}
	s.http.ReadHeaderTimeout = 50 * time.Millisecond
	served := make(chan error, 1)
	go func() { served <- s.serve() }()
	conn := dial(t, s)
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-"); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(conn); err != nil || len(answer) > 0 && !strings.HasPrefix(string(answer), "HTTP/1.1 4") {
		t.Errorf("%q, %v", answer, err)
	}
	if err := errors.Join(s.stop(t.Context()), <-served); err != nil {
		t.Error(err)
	}
}

// endless writes until it cannot, and says so.
func endless(ended chan<- struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/endless" {
			_, _ = io.WriteString(w, "well")
			return
		}
		chunk := make([]byte, 16<<10)
		for {
			if _, err := w.Write(chunk); err != nil {
				close(ended)
				return
			}
		}
	}
}

func secureServing(t *testing.T, h http.Handler, stall time.Duration) (serving, *x509.CertPool) {
	t.Helper()
	cfg, pool := pairFiles(t)
	o := testServing("127.0.0.1:0", h, stall)
	var err error
	if o.tls, err = serverTLS(cfg, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return o, pool
}

// A reader that takes nothing is cut under TLS as without.
func TestStalledReaderOverTLS(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	o, pool := secureServing(t, endless(ended), 100*time.Millisecond)
	conn := tls.Client(dial(t, startWith(t, o)), &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	if _, err := io.WriteString(conn, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	wait(t, ended, "the answer goes on though nobody reads")
}

// Over HTTP/2 the stream that nobody reads is cut, and the others on the connection go on.
func TestStalledStreamOverHTTP2(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	o, pool := secureServing(t, endless(ended), 200*time.Millisecond)
	s := startWith(t, o)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true, MaxConnsPerHost: 1}
	client := &http.Client{Transport: transport}
	defer client.CloseIdleConnections()
	stalled, err := client.Get(s.url() + "/endless") // its body is not read: the window fills up
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Body.Close()
	if stalled.ProtoMajor != 2 {
		t.Fatalf("spoken is %s", stalled.Proto)
	}
	well := func() {
		t.Helper()
		resp, err := client.Get(s.url())
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "well" {
			t.Errorf("another stream of the connection: %q, %v", body, err)
		}
	}
	well()
	wait(t, ended, "the stream goes on though nobody reads")
	well()
}

// One that reads slowly, and one that is quiet for longer than the stall time, are none of that.
func TestSlowStreamOverHTTP2(t *testing.T) {
	t.Parallel()
	const whole = 8 << 20 // more than the windows and buffers hold
	inTime(t, 300*time.Millisecond, func(stall time.Duration) error {
		o, pool := secureServing(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			chunk := make([]byte, whole/2)
			_, err := w.Write(chunk)
			time.Sleep(2 * stall) // quiet
			if err == nil {
				_, _ = w.Write(chunk) // where it fails, the reader sees too little
			}
		}), stall)
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}}
		defer client.CloseIdleConnections()
		resp, err := client.Get(startWith(t, o).url())
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		for got := int64(0); got < whole; {
			n, err := io.CopyN(io.Discard, resp.Body, whole/32)
			if got += n; err != nil {
				return fmt.Errorf("after %d bytes: %w", got, err)
			}
			time.Sleep(stall / 10) // slow
		}
		return nil
	})
}

func wait(t *testing.T, c <-chan struct{}, fault string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(20 * time.Second):
		t.Fatal(fault)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	var lines page
	o := testServing("127.0.0.1:0", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "well")
	}), time.Minute)
	o.conns, o.log = 3, slog.New(slog.NewTextHandler(&lines, nil))
	s := startWith(t, o)
	ask := func(conn net.Conn) bool {
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return false
		}
		_, err := conn.Read(make([]byte, 1))
		return err == nil
	}
	conns := make([]net.Conn, o.conns)
	for i := range conns {
		if conns[i] = dial(t, s); !ask(conns[i]) {
			t.Fatalf("connection %d is refused", i)
		}
	}
	for range 5 {
		if ask(dial(t, s)) {
			t.Fatal("one too many is answered")
		}
	}
	if n := strings.Count(lines.String(), "all connections are taken"); n != 1 {
		t.Errorf("%d warnings in a minute:\n%s", n, lines.String())
	}
	_ = conns[0].Close()
	for deadline := time.Now().Add(20 * time.Second); !ask(dial(t, s)); {
		if time.Now().After(deadline) {
			t.Fatal("a place that is free again is not given")
		}
	}
}

func TestMostConnections(t *testing.T) {
	t.Parallel()
	for files, want := range map[uint64]int{0: 0, 256: 192, 1024: 768, 2048: 1536, 20000: 19488, 1 << 63: 1<<30 - 512} {
		if got := mostConnections(files); got != want {
			t.Errorf("%d files: %d connections, want %d", files, got, want)
		}
	}
	if openFileLimit() == 0 {
		t.Error("the open-file limit is not known on this system")
	}
}
