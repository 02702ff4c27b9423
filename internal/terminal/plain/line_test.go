package plain

import "testing"

func TestLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                        "",
		"你好，世界　张三":                "你好，世界　张三",
		"é e\u0301 👩‍👧 ❤️":        "é e\u0301 👩‍👧 ❤️",
		"a\nb\r\nc\td":            "a b  c d",
		"\x1b[31mred\x1b]0;t\x07": " [31mred ]0;t ",
		"\u009b31m\x00\x7f":       " 31m  ",
		"a\u2028b\u2029c\u0085d":  "a b c d",
		"a\u202egnp.exe\u2066x":   "a gnp.exe x",
		"\ufeff\u200ea":           "  a",
		"a\xffb":                  "a\ufffdb",
	} {
		if got := Line(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
