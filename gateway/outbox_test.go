package gateway

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestOutboxKeepsOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		o := newOutbox(server)
		for _, p := range []string{"a", "b", "c"} {
			o.push([]byte(p))
		}
		go func() {
			o.close(time.Second)
			_ = server.Close()
		}()
		got, err := io.ReadAll(client)
		if string(got) != "abc" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		o.push([]byte("d")) // nobody is there
		if err := o.wait(); !errors.Is(err, errClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// push never waits; wait does, while much is waiting, and too much is the end.
func TestOutboxOfASlowClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		o := newOutbox(server)
		piece := []byte(strings.Repeat("x", outboxRoom))
		o.push(piece)
		synctest.Wait() // it is being written
		o.push(append(piece, 'x'))
		waited := make(chan error)
		go func() { waited <- o.wait() }()
		synctest.Wait()
		select {
		case err := <-waited:
			t.Fatalf("it did not wait: %v", err)
		default:
		}
		if _, err := io.ReadFull(client, make([]byte, len(piece))); err != nil {
			t.Fatal(err)
		}
		if err := <-waited; err != nil {
			t.Errorf("with room again: %v", err)
		}
		for range outboxFull / outboxRoom {
			o.push(piece)
		}
		o.push(piece)
		if err := o.wait(); !errors.Is(err, errSlow) {
			t.Errorf("the client is still served: %v", err)
		}
		if _, err := client.Write([]byte("x")); err == nil {
			t.Error("the connection is open")
		}
		o.close(time.Second)
	})
}

func TestOutboxClosesInTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer func() { _ = client.Close() }()
		o := newOutbox(server)
		o.push([]byte("nobody reads this"))
		began := time.Now()
		o.close(2 * time.Second)
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

func TestPace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(3, time.Second)
		began := time.Now()
		for i, want := range []time.Duration{0, 0, 0, time.Second, 2 * time.Second} {
			if err := p.wait(t.Context()); err != nil || time.Since(began) != want {
				t.Errorf("number %d after %s, %v", i, time.Since(began), err)
			}
		}
		time.Sleep(time.Hour)
		began = time.Now()
		for range 4 {
			_ = p.wait(t.Context())
		}
		if took := time.Since(began); took != time.Second {
			t.Errorf("after a rest four took %s", took)
		}
	})
}

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"你好 ok": "你好 ok", "a\nb\r\tc\x00\x1b[31m\u0085\u2028\u2029d": "a b  c  [31m   d", "": "",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q became %q", in, got)
		}
	}
}
