package app

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"parley/chat"
	"parley/internal/config"
)

func TestLineListensWhereItWasTold(t *testing.T) {
	t.Parallel()
	if a := open(t, t.TempDir()); a.OlderAddr("line-addr") != "" {
		t.Errorf("it is on without a flag, at %s", a.OlderAddr("line-addr"))
	}
	a := openWith(t, t.TempDir(), func(cfg *config.Config) { cfg.LineAddr = ":0" })
	if !strings.HasPrefix(a.OlderAddr("line-addr"), "127.0.0.1:") {
		t.Errorf("without a host it listens on %s", a.OlderAddr("line-addr"))
	}
	cfg := testConfig(t.TempDir())
	cfg.LineAddr = a.OlderAddr("line-addr")
	if _, err := New(t.Context(), cfg, Options{}); err == nil || !strings.Contains(err.Error(), "--line-addr "+a.OlderAddr("line-addr")) {
		t.Errorf("two servers listen on one address: %v", err)
	}
}

// A connection counts until it ends, also when it is no request any more.
func TestWSConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t.TempDir())
	cfg.WSAddr = ":0"
	a, err := New(t.Context(), cfg, Options{HashCost: chat.HashCost{MemoryKiB: 8, Passes: 1}, Connections: 2}) // half of them are for it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close(context.WithoutCancel(t.Context())) })
	if !strings.HasPrefix(a.OlderAddr("ws-addr"), "127.0.0.1:") {
		t.Errorf("without a host it listens on %s", a.OlderAddr("ws-addr"))
	}
	// ask gives the status line, none where the connection is closed at once.
	ask := func(id int) (conn net.Conn, status string) {
		t.Helper()
		conn, err := net.Dial("tcp", a.OlderAddr("ws-addr"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = fmt.Fprintf(conn, "GET /ws/%d HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", id)
		status, _ = bufio.NewReader(conn).ReadString('\n')
		return conn, status
	}
	first, status := ask(1)
	if !strings.Contains(status, "101") {
		t.Fatalf("the first got %q", status)
	}
	if _, status := ask(2); status != "" {
		t.Errorf("one too many got %q", status)
	}
	_ = first.Close()
	for status = ""; status == "" && t.Context().Err() == nil; {
		_, status = ask(3)
	}
	if !strings.Contains(status, "101") {
		t.Errorf("the next one got %q", status)
	}
}
