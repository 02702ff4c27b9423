package models

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestDisplayName(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"", ""},
		{"   ", ""},
		{"Ann of the Hill", "Ann of the Hill"},
		{"  Ann \u00a0\u3000 Hill ", "Ann Hill"},
		{"e\u0301", "é"},
		{"小明", "小明"},
		{"علي رضا", "علي رضا"},
		{"می\u200cخواهم", "می\u200cخواهم"}, // Persian needs the non-joiner
		{"עברית\u200f", "עברית\u200f"},
		{"👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"},
		{"<b>", "<b>"}, // pages escape, the server keeps
		{strings.Repeat("🐟", 64), strings.Repeat("🐟", 64)},
		{strings.Repeat("e\u0301", 64), strings.Repeat("é", 64)},
	}
	for _, tt := range tests {
		if got, err := DisplayName(tt.in); err != nil || got != tt.want {
			t.Errorf("%q is %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
	for _, bad := range []string{
		"a\nb", "a\tb", "a\x00", "a\x7f", "a\u0085b", "a\u2028b", "a\xff", "a\u202eb", "a\u2066b",
		"\u200b", "\u200d\u200d", "\u3164", "\u2800", "\u0301", "\ufe0f", strings.Repeat("a", 65), strings.Repeat("🐟", 65),
		strings.Repeat("a", 1_000_000),
	} {
		if got, err := DisplayName(bad); CodeOf(err) != CodeValidationFailed || !strings.HasPrefix(err.Error(), "validation_failed: display_name: ") {
			t.Errorf("%.20q is %.20q, %v", bad, got, err)
		}
	}
}

func TestStatusText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 200)
	if got, err := StatusText(long); err != nil || got != long {
		t.Errorf("200 characters: %v", err)
	}
	if _, err := StatusText(long + "é"); CodeOf(err) != CodeValidationFailed || !strings.Contains(err.Error(), "status_text") {
		t.Errorf("201 characters: %v", err)
	}
	if got, err := StatusText(""); err != nil || got != "" {
		t.Errorf("empty: %q, %v", got, err)
	}
}

// What is stored stays as it is when it comes in again.
func FuzzDisplayName(f *testing.F) {
	for _, s := range []string{"", "Ann", " a  b ", "e\u0301", "\u3164", "a\u0301\u0323", "\u1112\u1161\u11ab"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, err := DisplayName(s)
		if err != nil {
			return
		}
		if again, err := DisplayName(first); err != nil || again != first {
			t.Errorf("%q is %q, and that is %q, %v", s, first, again, err)
		}
		if n := utf8.RuneCountInString(first); n > MaxDisplayName || strings.ContainsAny(first, "\n\r\x00") {
			t.Errorf("%q is %q", s, first)
		}
	})
}
