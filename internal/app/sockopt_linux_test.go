package app

import (
	"errors"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A dead peer cannot be made here without rights over the network, but that connections
// inherit the limit can be seen.
func TestConnectionsInheritTheLimit(t *testing.T) {
	t.Parallel()
	listener, err := listenTCP(t.Context(), "127.0.0.1:0", 1234*time.Millisecond, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	raw, err := conn.(*stallConn).Conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var got int
	var optErr error
	err = raw.Control(func(fd uintptr) {
		got, optErr = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
	})
	if err := errors.Join(err, optErr); err != nil || got != 1234 {
		t.Errorf("the limit is %d ms, %v", got, err)
	}
}
