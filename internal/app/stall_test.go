package app

import (
	"bytes"
	"errors"
	"fmt"
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
	inTime(t, 300*time.Millisecond, func(stall time.Duration) error {
		server, client := pair(t, stall)
		want := bytes.Repeat([]byte("0123456789abcdef"), big/16)
		wrote := make(chan error, 1)
		start := time.Now()
		go func() {
			n, err := server.Write(want)
			if err == nil && n != big {
				err = fmt.Errorf("wrote %d of %d", n, big)
			}
			wrote <- err
			_ = server.Close()
		}()
		var got bytes.Buffer
		for got.Len() < big {
			if _, err := io.CopyN(&got, client, big/32); err != nil {
				return fmt.Errorf("after %d bytes: %w, %w", got.Len(), err, <-wrote)
			}
			time.Sleep(stall / 10)
		}
		if err := <-wrote; err != nil {
			return err
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Error("the bytes came in another order")
		}
		if took := time.Since(start); took < 2*stall {
			t.Errorf("took %v: the test is too fast to say anything", took)
		}
		return nil
	})
}

// inTime tries what must not last longer than a stall time, and where it did tries it with longer ones: a busy machine
// may take no notice of a reader for the shortest.
func inTime(t *testing.T, stall time.Duration, try func(stall time.Duration) error) {
	t.Helper()
	for ; ; stall *= 4 {
		err := try(stall)
		if err == nil {
			return
		}
		if stall > 4*time.Second {
			t.Fatal(err)
		}
		t.Logf("with %v: %v", stall, err)
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
