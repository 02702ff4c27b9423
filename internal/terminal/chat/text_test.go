package chat

import (
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"你好 👩‍👧 ❤️ e\u0301":       "你好 👩‍👧 ❤️ e\u0301",
		"a\r\nb\rc\u2028d\te":     "a\nb\nc\nd    e",
		"\x1b[2J\x1b]0;x\x07\x00": "␛[2J␛]0;x␇␀",
		"\u009b31m\x7f\xff":       "\ufffd31m␡\ufffd",
		"a\u202eb\u2066c\ufeffd":  "abcd",
	} {
		if got := clean(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	if got := cleanLine(" a\n\tb "); got != "a b" {
		t.Errorf("%q", got)
	}
}

// Whatever comes in, no control character but a line break goes out.
func FuzzClean(f *testing.F) {
	f.Add("a\x1b[31m\u202e\n")
	f.Fuzz(func(t *testing.T, in string) {
		for _, r := range clean(in) {
			if r != '\n' && (r < 0x20 || r >= 0x7f && r < 0xa0 || turns(r)) {
				t.Fatalf("%q gives %q", in, clean(in))
			}
		}
		for _, line := range (ruler{}).wrap(clean(in), 7) {
			if (ruler{}).width(line) > 7 {
				t.Fatalf("%q is wider than 7", line)
			}
		}
	})
}

func TestWrap(t *testing.T) {
	t.Parallel()
	r := ruler{ansi.GraphemeWidth}
	for _, tt := range []struct {
		text  string
		width int
		want  []string
	}{
		{"", 5, []string{""}},
		{"a\n\nb", 5, []string{"a", "", "b"}},
		{"hello world", 5, []string{"hello", "world"}},
		{"hello  world", 7, []string{"hello", "world"}},
		{"abcdefgh", 3, []string{"abc", "def", "gh"}},
		{"你好世界", 5, []string{"你好", "世界"}},
		{"你好，世界", 4, []string{"你", "好，", "世界"}},
		{"我说（好）吧", 6, []string{"我说", "（好）", "吧"}},
		{"see你好", 5, []string{"see你", "好"}},
		{"👩‍👧👩‍👧", 2, []string{"👩‍👧", "👩‍👧"}},
		{"你", 1, []string{"你"}}, // there is no way
	} {
		if got := r.wrap(tt.text, tt.width); !slices.Equal(got, tt.want) {
			t.Errorf("%q in %d: %q, want %q", tt.text, tt.width, got, tt.want)
		}
	}
}

func TestFitting(t *testing.T) {
	t.Parallel()
	var r ruler
	for _, tt := range []struct{ got, want string }{
		{r.fit("张三", 5), "张三 "},
		{r.fit("张三四", 5), "张三…"},
		{r.fitRight("张三", 5), " 张三"},
		{r.between("left", "right", 12), "left   right"},
		{r.between("long left", "right", 12), "long … right"},
		{r.between("", "right", 3), "ri…"},
		{r.cut("a", 0), ""},
		{r.centred("ab", 6), "  ab"},
	} {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func TestInput(t *testing.T) {
	t.Parallel()
	var in input
	press := func(keys ...string) {
		for _, k := range keys {
			if !in.press(k) {
				in.insert(k)
			}
		}
	}
	for _, tt := range []struct {
		keys []string
		want string // with | where the cursor is
	}{
		{[]string{"hello ", "wörld"}, "hello wörld|"},
		{[]string{"home", "right", "你"}, "h你|ello wörld"},
		{[]string{"backspace", "delete"}, "h|llo wörld"},
		{[]string{"alt+right", "ctrl+k"}, "hllo|"},
		{[]string{" 👩‍👧", "e\u0301", "left", "left"}, "hllo |👩‍👧e\u0301"},
		{[]string{"right", "backspace"}, "hllo |e\u0301"},
		{[]string{"end", "ctrl+w", "x\x1b[2Jy"}, "hllo x␛[2Jy|"},
		{[]string{"ctrl+u", "two", "alt+enter", "lines"}, "two\nlines|"},
	} {
		press(tt.keys...)
		if got := in.before() + "|" + strings.Join(in.glyphs[in.at:], ""); got != tt.want {
			t.Errorf("after %q: %q, want %q", tt.keys, got, tt.want)
		}
	}
	lines, x, y := in.lines(ruler{}, 4, 2)
	if !slices.Equal(lines, []string{"line", "s"}) || x != 1 || y != 1 {
		t.Errorf("%q %d %d", lines, x, y)
	}
	first := in.take()
	press("second")
	in.take()
	press("third", "up", "up")
	if in.text() != first {
		t.Errorf("%q", in.text())
	}
	if press("down", "down", "down"); in.text() != "third" {
		t.Errorf("%q", in.text())
	}
}
