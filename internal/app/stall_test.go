package app

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// pair gives both ends of a TCP connection, the server's through a stallListener, with small
// buffers so that a write soon has to wait for its reader.
func pair(t *testing.T, stall time.Duration) (server, client net.Conn) {
	t.Helper()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	client, err = net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = stallListener{Listener: inner, stall: stall}.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close(); _ = client.Close() })
	small := 64 << 10
	if err := errors.Join(
		client.(*net.TCPConn).SetReadBuffer(small),
		server.(*stallConn).Conn.(*net.TCPConn).SetWriteBuffer(small),
	); err != nil {
		t.Fatal(err)
	}
	return server, client
}

const big = 4 << 20 // more than the buffers of both ends hold

func TestStallCutsAReaderThatTakesNothing(t *testing.T) {
	t.Parallel()
	server, _ := pair(t, 50*time.Millisecond)
	tooLate := time.AfterFunc(10*time.Second, func() { _ = server.Close() })
	defer tooLate.Stop()
	n, err := server.Write(make([]byte, big))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n >= big {
		t.Errorf("wrote %d bytes to nobody: %v", n, err)
	}
}

// A reader that is cut off is counted once, however often it is written to; one that hangs up is not.
func TestStallTellsOfWhomItCuts(t *testing.T) {
	t.Parallel()
	cut := 0
	server, client := pair(t, 50*time.Millisecond)
	server.(*stallConn).cut = func() { cut++ }
	for range 3 {
		if _, err := server.Write(make([]byte, big)); err == nil {
			t.Fatal("wrote to nobody")
		}
	}
	_ = client.Close()
	if cut != 1 {
		t.Errorf("counted %d times", cut)
	}
	server, client = pair(t, time.Minute)
	server.(*stallConn).cut = func() { cut++ }
	_ = client.Close()
	for err := error(nil); err == nil; {
		_, err = server.Write(make([]byte, big))
	}
	if cut != 1 {
		t.Error("who hung up is counted too")
	}
}

// A whole that takes many stall times is written, since each of them takes something.
func TestStallSparesASlowReader(t *testing.T) {
	t.Parallel()
	const stall = 300 * time.Millisecond
	server, client := pair(t, stall)
	want := bytes.Repeat([]byte("0123456789abcdef"), big/16)
	type result struct {
		n   int
		err error
	}
	wrote := make(chan result, 1)
	start := time.Now()
	go func() {
		n, err := server.Write(want)
		wrote <- result{n, err}
		_ = server.Close()
	}()
	var got bytes.Buffer
	for got.Len() < big {
		if _, err := io.CopyN(&got, client, big/32); err != nil {
			t.Fatalf("after %d bytes: %v", got.Len(), err)
		}
		time.Sleep(stall / 10)
	}
	if r := <-wrote; r.err != nil || r.n != big {
		t.Errorf("wrote %d of %d: %v", r.n, big, r.err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("the bytes came in another order")
	}
	if took := time.Since(start); took < 2*stall {
		t.Errorf("took %v: the test is too fast to say anything", took)
	}
}

func TestStallKeepsToDeadlinesOfOthers(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(net.Conn, time.Time) error{
		"SetDeadline": net.Conn.SetDeadline, "SetWriteDeadline": net.Conn.SetWriteDeadline,
	} {
		server, client := pair(t, time.Hour)
		if err := set(server, time.Now().Add(30*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Write(make([]byte, big)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		go func() { _, _ = io.Copy(io.Discard, client) }()
		if err := set(server, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Write(make([]byte, big)); err != nil {
			t.Errorf("%s: after it was taken back: %v", name, err)
		}
	}
}

func TestStallPassesOtherErrorsOn(t *testing.T) {
	t.Parallel()
	server, _ := pair(t, time.Hour)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestStallWriteAllocatesNothing(t *testing.T) {
	server, client := pair(t, time.Hour)
	go func() { _, _ = io.Copy(io.Discard, client) }()
	frame := []byte("data: {}\n\n")
	if n := testing.AllocsPerRun(100, func() { _, _ = server.Write(frame) }); n != 0 {
		t.Errorf("a write allocates %v times", n)
	}
}
