package faults

import (
	"io"
	"net"
	"testing"
)

// TestNetwork demands that the network in between passes bytes on and breaks off when it should: else the other tests prove nothing.
func TestNetwork(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = conn.Write(make([]byte, 1000)); _, _ = io.Copy(io.Discard, conn) }()
		}
	}()
	n := newNetwork(t, l.Addr().String(), `{"type":"limit_data","attributes":{"bytes":100}}`)
	conn, err := net.Dial("tcp", n.listen)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if got, err := io.ReadAll(conn); len(got) != 100 {
		t.Errorf("%d bytes came through: %v", len(got), err)
	}
	n.become()
	whole, err := net.Dial("tcp", n.listen)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = whole.Close() }()
	if _, err := io.ReadFull(whole, make([]byte, 1000)); err != nil {
		t.Errorf("a good network: %v", err)
	}
}
