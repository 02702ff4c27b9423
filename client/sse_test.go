package client

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/tmaxmax/go-sse"
)

func readAll(r io.Reader) (all []frame, err error) {
	for f := newFrames(r); ; {
		one, err := f.next()
		if err != nil {
			return all, err
		}
		all = append(all, one)
	}
}

func TestFrames(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"one", "id: 7\ndata: {}\n\n", "7|{}"},
		{"no space, other ends", "id:7\r\ndata:{}\r\n\r\ndata: a\r\rdata: b\n\n", "7|{} |a |b"},
		{"lines", "data: a\ndata:  b\ndata\n\n", "|a/ b/"},
		{"comment and unknown", ": hi\nevent: x\nfoo\ndata: a\n\n", "|a"},
		{"byte order mark", "\ufeffdata: a\n\n", "|a"},
		{"empty lines", "\n\n\ndata: a\n\n\n\n", "|a"},
		{"id with NUL", "id: a\x00b\ndata: a\n\n", "|a"},
		{"retry", "retry: 1500\n\ndata: a\nretry: x\n\n", "|<nil>1.5s |a"},
		{"unfinished", "data: a\n\nid: 8\ndata: b\n", "|a"},
		{"unfinished line", "data: a\n\ndata: b", "|a"},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		for name, r := range map[string]io.Reader{
			"at once": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in)),
		} {
			t.Run(tt.name+" "+name, func(t *testing.T) {
				t.Parallel()
				all, err := readAll(r)
				if got := short(all); got != tt.want || err != io.EOF {
					t.Errorf("got %q, %v; want %q", got, err, tt.want)
				}
			})
		}
	}
}

// A frame must be given when its last byte is there, not when the next one comes.
func TestFrameDoesNotWaitForTheNextByte(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n\n", "\r\r", "\r\n\r"} {
		waiting := errors.New("would wait")
		f := newFrames(io.MultiReader(strings.NewReader("data: a"+end), iotest.ErrReader(waiting)))
		if got, err := f.next(); err != nil || string(got.data) != "a" {
			t.Errorf("%q: %q, %v", end, got.data, err)
		}
		if _, err := f.next(); !errors.Is(err, waiting) {
			t.Errorf("%q: then %v", end, err)
		}
	}
}

func TestFramesAreBounded(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("x", 1<<20)
	for name, in := range map[string]string{
		"one line":   "data: " + strings.Repeat(line, 17),
		"many lines": strings.Repeat("data: "+line+"\n", 17),
	} {
		if _, err := readAll(strings.NewReader(in)); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzFrames compares with another reader of the format on all that is finished, and must never panic
// on what is not.
func FuzzFrames(f *testing.F) {
	for _, s := range []string{"id: 7\ndata: {}\n\n", "data: a\rdata: b\r\r", "\ufeff:c\nretry: 5\n\n", "id\ndata\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		whole, _ := readAll(bytes.NewReader(in))
		bytewise, _ := readAll(iotest.OneByteReader(bytes.NewReader(in)))
		if short(whole) != short(bytewise) {
			t.Fatalf("at once %q, byte by byte %q", short(whole), short(bytewise))
		}
		if bytes.IndexByte(in, 0) >= 0 || !bytes.HasSuffix(in, []byte("\n\n")) {
			return
		}
		var mine, theirs []string
		for _, one := range whole {
			if one.data != nil {
				mine = append(mine, string(one.data))
			}
		}
		for e, err := range sse.Read(bytes.NewReader(in), nil) {
			if err != nil {
				return
			}
			if e.Data != "" {
				theirs = append(theirs, e.Data)
			}
		}
		if a, b := nonEmpty(mine), strings.Join(theirs, "|"); a != b {
			t.Errorf("%q: got %q, the other reader %q", in, a, b)
		}
	})
}

func FuzzDecodeEvent(f *testing.F) {
	f.Add([]byte(`{"id":5,"type":"typing","at":"2025-03-01T12:00:00.000Z","room_id":1,"data":{}}`))
	f.Add([]byte(`{"id":-1,"type":"x"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := decodeEvent(raw)
		if err != nil && !errors.Is(err, errMalformed) {
			t.Errorf("%q: %v", raw, err)
		}
		if err == nil && (e.Type == "" || e.ID < 0) {
			t.Errorf("%q is no event: %+v", raw, e)
		}
	})
}

func nonEmpty(all []string) string {
	var kept []string
	for _, s := range all {
		if s != "" {
			kept = append(kept, s)
		}
	}
	return strings.Join(kept, "|")
}

func short(all []frame) string {
	var parts []string
	for _, f := range all {
		s := f.id + "|" + strings.ReplaceAll(string(f.data), "\n", "/")
		if f.data == nil {
			s += "<nil>"
		}
		if f.retry >= 0 {
			s += f.retry.Round(time.Millisecond).String()
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, " ")
}
