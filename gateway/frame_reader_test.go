package gateway

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// frameOf puts the length before the body.
func frameOf(body string) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(body)))) + body
}

// readFrames gives what a reader makes of the pieces, which come `every` apart, and how it ended.
func readFrames(t *testing.T, until time.Time, every time.Duration, pieces ...string) (packets []string, end error) {
	t.Helper()
	client, server := net.Pipe()
	var writing sync.WaitGroup
	defer writing.Wait()
	defer func() { _ = server.Close() }()
	writing.Go(func() {
		defer func() { _ = client.Close() }()
		for _, p := range pieces {
			if _, err := io.WriteString(client, p); err != nil {
				return
			}
			time.Sleep(every)
		}
	})
	r := newFrameReader(server, until)
	for {
		packet, err := r.next()
		if err != nil {
			return packets, err
		}
		packets = append(packets, string(packet))
	}
}

func TestFrameReader(t *testing.T) {
	t.Parallel()
	most := strings.Repeat("x", maxFrame)
	for _, tt := range []struct {
		name   string
		pieces []string
		want   []string
		end    error
	}{
		{"one", []string{frameOf("abc")}, []string{"abc"}, io.EOF},
		{"the length apart", []string{"\x00\x00\x00\x03", "abc"}, []string{"abc"}, io.EOF},
		{"glued", []string{frameOf("abc") + frameOf("") + frameOf("de")}, []string{"abc", "", "de"}, io.EOF},
		{"split anywhere", []string{"\x00\x00", "\x00\x03a", "b", "c\x00\x00", "\x00\x01", "d"}, []string{"abc", "d"}, io.EOF},
		{"the longest, twice", []string{frameOf(most) + frameOf(most)}, []string{most, most}, io.EOF},
		{"too long by one", []string{frameOf("a") + "\x00\x00\x40\x01"}, []string{"a"}, errLong},
		{"4 GB", []string{"\xff\xff\xff\xff"}, nil, errLong},
		{"half at the end", []string{frameOf("a") + frameOf("bc")[:5]}, []string{"a"}, io.EOF},
		{"nothing", nil, nil, io.EOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := readFrames(t, time.Time{}, time.Minute, tt.pieces...)
				if !slices.Equal(got, tt.want) || !errors.Is(err, tt.end) {
					t.Errorf("got %.100q, %v", got, err)
				}
			})
		})
	}
}

// Who does not get to it in time is told so; single bytes now and then do not help.
func TestFrameReaderIsLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		body := strings.Repeat("x", 1000)
		got, err := readFrames(t, began.Add(time.Minute), time.Second, append([]string{frameOf("a")}, strings.Split(frameOf(body), "")...)...)
		if !slices.Equal(got, []string{"a"}) || !errors.Is(err, errIdle) {
			t.Errorf("got %.100q, %v", got, err)
		}
		client, server := net.Pipe()
		defer func() { _, _ = client.Close(), server.Close() }()
		r := newFrameReader(server, time.Time{})
		time.AfterFunc(time.Hour, r.stop)
		if _, err := r.next(); !errors.Is(err, errStopped) {
			t.Errorf("stopped: %v", err)
		}
	})
}

// What is announced takes no room before it comes, and what has come takes none after.
func TestFrameReaderIsSmall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		r := newFrameReader(server, time.Time{})
		go func() {
			_, _ = io.WriteString(client, frameOf(strings.Repeat("x", maxFrame)))
			_, _ = io.WriteString(client, "\x00\x00\x40\x00x")
		}()
		if p, err := r.next(); len(p) != maxFrame || err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = r.next() }()
		synctest.Wait()
		if cap(r.base) != inboxBuffer {
			t.Errorf("it holds %d bytes", cap(r.base))
		}
		_, _ = client.Close(), server.Close()
	})
}

// However the bytes are cut, the packets are the same.
func FuzzFrameReader(f *testing.F) {
	f.Add(frameOf("abc")+frameOf("")+frameOf(strings.Repeat("x", maxFrame)), 3)
	f.Add(frameOf("a")+"\x00\x00\x40\x01x", 1000)
	f.Add("\xff\xff\xff\xff", 1)
	f.Fuzz(func(t *testing.T, text string, size int) {
		if size < 1 || len(text)/size > 1000 {
			t.Skip()
		}
		var pieces, want []string
		for p := range slices.Chunk([]byte(text), size) {
			pieces = append(pieces, string(p))
		}
		end := io.EOF
		for rest := text; len(rest) >= frameHead; {
			length := binary.BigEndian.Uint32([]byte(rest))
			if length > maxFrame {
				end = errLong
				break
			}
			if rest = rest[frameHead:]; len(rest) < int(length) {
				break
			}
			want = append(want, rest[:length])
			rest = rest[length:]
		}
		if got, err := readFrames(t, time.Time{}, 0, pieces...); !slices.Equal(got, want) || !errors.Is(err, end) {
			t.Errorf("got %.200q, %v, want %.200q, %v", got, err, want, end)
		}
	})
}
