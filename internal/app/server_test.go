package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func testServing(addr string, h http.Handler, stall time.Duration) serving {
	return serving{addr: addr, handler: h, log: slog.New(slog.DiscardHandler), stall: stall, body: time.Minute}
}

// start serves h on a free port until the test ends.
func start(t *testing.T, h http.Handler, stall time.Duration) *server {
	t.Helper()
	s, err := listen(t.Context(), testServing("127.0.0.1:0", h, stall))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.serve() }()
	t.Cleanup(func() {
		if err := s.stop(context.Background()); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestServerWaitsForAnswers(t *testing.T) {
	t.Parallel()
	begun, finish := make(chan struct{}), make(chan struct{})
	s := start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(begun)
		<-finish
		_, _ = io.WriteString(w, "done")
	}), time.Minute)
	got := make(chan string, 1)
	go func() { got <- get(s.url()) }()
	<-begun
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop(context.Background()) }()
	for { // the door is closed while the answer is awaited
		conn, err := net.Dial("tcp", s.listener.Addr().String())
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	select {
	case err := <-stopped:
		t.Errorf("stopped before the answer: %v", err)
	default:
	}
	close(finish)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if g := <-got; g != "done" {
		t.Errorf("got %q", g)
	}
}

func get(url string) string {
	resp, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func TestServerCutsOffWhatDoesNotEnd(t *testing.T) {
	t.Parallel()
	begun, ended := make(chan struct{}), make(chan struct{})
	s := start(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(ended)
	}), time.Minute)
	go func() { _ = get(s.url()) }()
	<-begun
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("stop: %v", err)
	}
	<-ended
}

// A stream whose reader takes nothing is ended by the server.
func TestServerEndsAStalledStream(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	s := start(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := make([]byte, 16<<10)
		for {
			if _, err := w.Write(chunk); err != nil {
				close(ended)
				return
			}
		}
	}), 100*time.Millisecond)
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the stream goes on though nobody reads")
	}
}

func TestServerSaysWhyItCannotListen(t *testing.T) {
	t.Parallel()
	taken := start(t, http.NotFoundHandler(), time.Minute).listener.Addr().String()
	for addr, want := range map[string]string{
		taken:         "--addr " + taken + ": address already in use: another program",
		"192.0.2.1:0": "--addr 192.0.2.1:0: bind: cannot assign requested address",
	} {
		_, err := listen(t.Context(), testServing(addr, nil, time.Minute))
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestServerURL(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]string{
		"127.0.0.1:0": "http://127.0.0.1:", ":0": "http://localhost:", "0.0.0.0:0": "http://localhost:",
	} {
		s, err := listen(t.Context(), testServing(addr, nil, time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(s.url(), want) {
			t.Errorf("%s: %s", addr, s.url())
		}
		if err := s.stop(t.Context()); err != nil {
			t.Errorf("a server that never served: %v", err)
		}
	}
}
