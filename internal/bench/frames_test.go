package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestMark(t *testing.T) {
	t.Parallel()
	text := newText(200)
	for _, n := range []uint32{0, 1, 0xdeadbeef, 1<<32 - 1} {
		putNumber(text, n)
		if got, found := findNumber(fmt.Appendf(nil, `{"text":"%s"}`, text)); got != n || !found || len(text) != 200 {
			t.Errorf("%x comes back as %x, %v", n, got, found)
		}
	}
	for _, line := range []string{"", "~bench:", "~bench:0000000", "~bench:0000000g~", "~bench:00000001x", strings.TrimPrefix(string(text), "~")} {
		if _, found := findNumber([]byte(line)); found {
			t.Errorf("a mark in %q", line)
		}
	}
	if short := newText(1); len(short) != markSize {
		t.Errorf("the shortest text has %d bytes", len(short))
	}
}

// answerOf is a stream's answer with these ids, in chunks of random lengths or without.
func answerOf(ids []int, chunked bool, random *rand.Rand) (answer string) {
	body := ": hi\nretry: 900\n\n"
	for _, id := range ids {
		text := newText(60)
		putNumber(text, uint32(id))
		body += fmt.Sprintf("id: %d\ndata: {\"text\":\"%s\"}\n\n", id, text)
	}
	if !chunked {
		return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body
	}
	answer = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\ntransfer-encoding: Chunked\r\n\r\n"
	for len(body) > 0 {
		n := min(1+random.IntN(40), len(body))
		answer += fmt.Sprintf("%X\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	return answer + "0\r\n\r\n"
}

// However an answer is cut into reads, all of it is found once.
func TestFrames(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 400 {
		chunked := round%2 == 0
		want := []int{3, 5, 8, 70_000}
		answer := answerOf(want, chunked, random)
		var got []int
		f := frames{onData: func(line []byte) {
			n, _ := findNumber(line)
			got = append(got, int(n))
		}}
		for rest := answer; len(rest) > 0; {
			n := min(1+random.IntN(1+random.IntN(300)), len(rest))
			if err := f.feed([]byte(rest[:n])); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if !slices.Equal(got, want) || string(f.last) != "70000" || !f.opened {
			t.Fatalf("chunked %v: %v up to %s, want %v", chunked, got, f.last, want)
		}
	}
}

// A message that broke off does not count: the stream goes on behind the one before it.
func TestFramesGoOn(t *testing.T) {
	t.Parallel()
	var lines int
	f := frames{onData: func([]byte) { lines++ }}
	if err := f.feed([]byte("HTTP/1.1 200 OK\r\n\r\nid: 1\ndata: x\n\nid: 2\ndata: hal")); err != nil {
		t.Fatal(err)
	}
	f.again()
	if string(f.last) != "1" || f.opened {
		t.Errorf("it goes on behind %s", f.last)
	}
	if err := f.feed([]byte("HTTP/1.1 200 OK\r\n\r\nid: 2\ndata: half\n\n")); err != nil || lines != 2 || string(f.last) != "2" {
		t.Errorf("%d lines up to %s, %v", lines, f.last, err)
	}
}

func TestFramesRefuse(t *testing.T) {
	t.Parallel()
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, answer := range map[string]string{
		"a refusal":            "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\nno",
		"no HTTP":              "SSH-2.0-OpenSSH\r\n\r\n",
		"a head without end":   ok + strings.Repeat("X: y\r\n", 5000),
		"a chunk of no length": ok + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		"a line without end":   ok + "\r\n" + strings.Repeat("x", maxLine+1),
		"a length of words":    ok + "Content-Length: few\r\n\r\n",
	} {
		f := frames{onData: func([]byte) {}}
		if err := f.feed([]byte(answer)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func FuzzFrames(f *testing.F) {
	random := rand.New(rand.NewPCG(5, 6))
	f.Add([]byte(answerOf([]int{1, 2}, true, random)), 7)
	f.Add([]byte(answerOf([]int{1, 2}, false, random)), 100)
	f.Fuzz(func(t *testing.T, answer []byte, cut int) {
		whole, pieces := frames{}, frames{}
		var a, b []string
		whole.onData = func(line []byte) { a = append(a, string(line)) }
		pieces.onData = func(line []byte) { b = append(b, string(line)) }
		first := whole.feed(answer)
		at := min(max(cut, 0), len(answer))
		second := pieces.feed(answer[:at])
		if second == nil {
			second = pieces.feed(answer[at:])
		}
		if first == nil && second == nil && (!slices.Equal(a, b) || string(whole.last) != string(pieces.last)) {
			t.Errorf("in one: %q; cut at %d: %q", a, at, b)
		}
	})
}
