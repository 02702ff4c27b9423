package gateway

import (
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

// readLines gives what a reader makes of the packets, which come `every` apart, and how it ended.
func readLines(t *testing.T, idle, every time.Duration, packets ...string) (lines []string, end error) {
	t.Helper()
	client, server := net.Pipe()
	var writing sync.WaitGroup
	defer writing.Wait()
	defer func() { _ = server.Close() }()
	writing.Go(func() {
		defer func() { _ = client.Close() }()
		for _, p := range packets {
			if _, err := io.WriteString(client, p); err != nil {
				return
			}
			time.Sleep(every)
		}
	})
	r := newLineReader(server, idle)
	for {
		line, err := r.next()
		switch {
		case errors.Is(err, errLong):
			lines = append(lines, "(long)")
		case err != nil:
			return lines, err
		default:
			lines = append(lines, string(line))
		}
	}
}

func TestLineReader(t *testing.T) {
	t.Parallel()
	most := strings.Repeat("x", maxLine)
	for _, tt := range []struct {
		name    string
		every   time.Duration
		packets []string
		want    []string
	}{
		{"lines", 0, []string{"a\nb\r\n\n\r\nc\rd\n"}, []string{"a", "b", "c\rd"}},
		{"glued and split", time.Second, []string{"a", "b", "\nc\nd", "e\n"}, []string{"a", "b", "c", "de"}},
		{"a newline came once", time.Second, []string{"\na", "b", "c\n", "torn"}, []string{"abc"}},
		{"none ever came", time.Second, []string{"a", "b c", "d"}, []string{"a", "b c", "d"}},
		{"pieces of one", 150 * time.Millisecond, []string{"a", "b", "c"}, []string{"abc"}},
		{"characters in pieces", time.Second, []string{"a\xe4", "\xbd", "\xa0b"}, []string{"a", "你b"}},
		{"no character", time.Second, []string{"\xff", "\xbd\xbd\xbd\xbd\xbd"}, []string{"\xff", "\xbd\xbd\xbd\xbd\xbd"}},
		{"half a character at the end", 0, []string{"a\xe4\xbd"}, []string{"a\xe4\xbd"}},
		{"the longest", 0, []string{most + "\n" + most + "\r\n"}, []string{most, most}},
		{"too long by one", 0, []string{most + "x\na\n"}, []string{"(long)", "a"}},
		{"much too long", 0, []string{most + most, most + "\na\n"}, []string{"(long)", "a"}},
		{"endless", 100 * time.Millisecond, []string{most, most, most, most}, []string{"(long)"}},
		{"endless, then quiet", time.Second, []string{most + most, "a"}, []string{"(long)", "a"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got, err := readLines(t, 0, tt.every, tt.packets...)
				if !slices.Equal(got, tt.want) || !errors.Is(err, io.EOF) {
					t.Errorf("got %.100q, %v", got, err)
				}
			})
		})
	}
}

func TestLineReaderIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		lines, err := readLines(t, time.Minute, 59*time.Second, "a\n", "b\n", "\n", "\n")
		if !slices.Equal(lines, []string{"a", "b"}) || !errors.Is(err, io.EOF) {
			t.Errorf("got %q, %v", lines, err)
		}
		if took := time.Since(began); took != 4*59*time.Second {
			t.Errorf("it took %s", took)
		}
		lines, err = readLines(t, time.Minute, 61*time.Second, "a\n", "b\n")
		if !slices.Equal(lines, []string{"a"}) || !errors.Is(err, errIdle) {
			t.Errorf("got %q, %v", lines, err)
		}
	})
}

func TestLineReaderStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, server := net.Pipe()
		defer func() { _, _ = client.Close(), server.Close() }()
		r := newLineReader(server, 0)
		go func() {
			time.Sleep(time.Second)
			r.stop()
		}()
		for range 2 {
			if line, err := r.next(); !errors.Is(err, errStopped) {
				t.Errorf("got %q, %v", line, err)
			}
		}
	})
}

// However the bytes are cut into packets, the lines are the same.
func FuzzLineReader(f *testing.F) {
	f.Add("\na\nb\r\n你好\n", 3)
	f.Add("\n"+strings.Repeat("x", maxLine+5)+"\nb\n", 1000)
	f.Fuzz(func(t *testing.T, text string, size int) {
		text = "\n" + text // or the end of the connection would be one of a line
		if size < 1 || len(text)/size > 1000 {
			t.Skip()
		}
		var packets, want []string
		for p := range slices.Chunk([]byte(text), size) {
			packets = append(packets, string(p))
		}
		lines := strings.Split(text, "\n")
		for _, line := range lines[:len(lines)-1] {
			switch line = strings.TrimSuffix(line, "\r"); {
			case len(line) > maxLine:
				want = append(want, "(long)")
			case line != "":
				want = append(want, line)
			}
		}
		if len(lines[len(lines)-1]) > maxLine {
			want = append(want, "(long)")
		}
		if got, err := readLines(t, 0, 0, packets...); !slices.Equal(got, want) || !errors.Is(err, io.EOF) {
			t.Errorf("got %.200q, %v, want %.200q", got, err, want)
		}
	})
}
