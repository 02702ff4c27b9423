package models

import (
	"strconv"
	"testing"
)

func TestParseCursor(t *testing.T) {
	t.Parallel()
	good := map[string]int64{"0": 0, "1": 1, "57": 57, "9007199254740991": MaxID}
	for in, want := range good {
		if got, ok := ParseCursor(in); !ok || got != want {
			t.Errorf("%q: got %d, %v", in, got, ok)
		}
	}
	bad := []string{
		"", " ", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "1_000", "٤", "abc", "9007199254740992",
		"9223372036854775808", "99999999999999999999999999", "1\x00", "null",
	}
	for _, in := range bad {
		if got, ok := ParseCursor(in); ok {
			t.Errorf("%q: got %d, want a refusal", in, got)
		}
	}
}

func TestParseID(t *testing.T) {
	t.Parallel()
	if id, ok := ParseID("0"); ok {
		t.Errorf("0 is the id %d", id)
	}
	if id, ok := ParseID("7"); !ok || id != 7 {
		t.Errorf("7 is %d, %v", id, ok)
	}
}

// FuzzCursor compares with what strconv makes of the same digits.
func FuzzCursor(f *testing.F) {
	for _, s := range []string{"0", "7", "-1", "+1", "9007199254740992", "007", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := ParseCursor(s)
		want, err := strconv.ParseUint(s, 10, 63)
		plain := err == nil && want <= MaxID && s[0] != '+'
		if ok != plain || (ok && got != int64(want)) {
			t.Fatalf("%q: got %d, %v", s, got, ok)
		}
	})
}
