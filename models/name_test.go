package models

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestUserName(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, name, key string }{
		{"ann", "ann", "ann"},
		{"Ann", "Ann", "ann"},
		{"ａｎｎ", "ann", "ann"},
		{"Straße", "Straße", "strasse"},
		{"STRASSE", "STRASSE", "strasse"},
		{"Ωmega", "Ωmega", "ωmega"},
		{"Cafe\u0301", "Café", "café"},
		{"小明", "小明", "小明"},
		{"ｶﾞﾗ", "ガラ", "ガラ"},
		{"דנה", "דנה", "דנה"},
		{"12", "12", "12"},
		{"1小明", "1小明", "1小明"},
		{"小明_", "小明_", "小明_"},
		{"ᎠᎡ", "ᎠᎡ", "ꭰꭱ"},
		{"ꭰꭱ", "ꭰꭱ", "ꭰꭱ"},
		{"a.b", "a.b", "a.b"},
		{"127.0.0.1", "127.0.0.1", "127.0.0.1"},
		{"user1:80", "user1:80", "user1:80"},
		{"<b>", "<b>", "<b>"},
		{strings.Repeat("é", MaxName), strings.Repeat("é", MaxName), strings.Repeat("é", MaxName)},
		{strings.Repeat("e\u0301", MaxName), strings.Repeat("é", MaxName), strings.Repeat("é", MaxName)},
	}
	for _, tt := range tests {
		name, key, err := UserName(tt.in)
		if err != nil || name != tt.name || key != tt.key {
			t.Errorf("UserName(%q) = %q, %q, %v; want %q, %q", tt.in, name, key, err, tt.name, tt.key)
		}
	}
}

func TestNameRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"", "must not be empty"},
		{"two words", "must not contain spaces"},
		{"tab\t", "must not contain spaces"},
		{"bell\a", "must not contain the character U+0007"},
		{"zero\u200bwidth", "must not contain the character U+200B"},
		{"nul\x00", "must not contain the character U+0000"},
		{"smile😀", `must not contain "😀" (U+1F600)`},
		{"\xff", "must be UTF-8"},
		{"a/b", `must not contain "/"`},
		{"a／b", `must not contain "/"`},
		{"a|b", `must not contain "|"`},
		{"#a", `must not contain "#"`},
		{"＠a", `must not contain "@"`},
		{"a,b", `must not contain ","`},
		{"a?", `must not contain "?"`},
		{"100%", `must not contain "%"`},
		{`a\b`, `must not contain "\\"`},
		{".", "must not be dots only"},
		{"．．", "must not be dots only"},
		{"127.0.0.1:8080", "must not be an IP address with a port"},
		{"[::1]:80", "must not be an IP address with a port"},
		{strings.Repeat("a", MaxName+1), "has 33 characters, at most 32 are allowed"},
		{strings.Repeat("a", maxRawName+1), "has more than 32 characters"},
		{"aדנ", "mixes writing from right to left with writing from left to right"},
		{"a・b", `must not contain "・" (U+30FB)`},
	}
	for _, tt := range tests {
		for kind, check := range map[string]func(string) (string, string, error){
			"user": UserName, "channel": ChannelName,
		} {
			_, _, err := check(tt.in)
			if got := nameRefusal(err); got != tt.want {
				t.Errorf("%s %q: got %q, want %q", kind, tt.in, got, tt.want)
			}
		}
	}
}

func TestReservedUserNames(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"room", "all", "web", "system", "lobby", "ALL", "Ｗｅｂ"} {
		if _, _, err := UserName(in); !strings.Contains(nameRefusal(err), "is reserved") {
			t.Errorf("user %q: %v, want reserved", in, err)
		}
		if _, _, err := ChannelName(in); err != nil {
			t.Errorf("channel %q: %v", in, err)
		}
	}
}

func TestChannelOfDigits(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"7", "0042", "４２", "۴۲", "४२"} {
		if _, _, err := ChannelName(in); nameRefusal(err) != "must not be digits only" {
			t.Errorf("channel %q: %v, want a refusal", in, err)
		}
	}
	if _, _, err := ChannelName("v2"); err != nil {
		t.Error(err)
	}
}

// Letters that differ in case only must share a key, whatever the alphabet.
func TestNameKeyOfEveryLetter(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.SimpleFold(r) == r && !unicode.IsUpper(r) && !unicode.IsLower(r) {
			continue
		}
		key := NameKey(string(r))
		if NameKey(key) != key {
			t.Errorf("%U has key %q, whose key is %q", r, key, NameKey(key))
		}
		if other := unicode.SimpleFold(r); NameKey(string(other)) != key {
			t.Errorf("%U and %U have keys %q and %q", r, other, key, NameKey(string(other)))
		}
	}
}

// nameRefusal gives what an error says about the field name; every refusal of a name must be
// such an error.
func nameRefusal(err error) string {
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeValidationFailed || len(e.Fields) != 1 || e.Fields[0].Field != "name" {
		return "not a validation error about name"
	}
	return e.Fields[0].Detail
}

// FuzzName holds what lookups rely on: an accepted name is accepted again unchanged, and
// its key is a fixed point that all spellings of the name share.
func FuzzName(f *testing.F) {
	for _, s := range []string{"ann", "Straße", "ａｎｎ", "ᾳ\u0345", "ǰ", "ΐ", "İ", "ſ", "ﬀ", "Ꭰꭰ", "127.0.0.1:80", "٤", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, key, err := ChannelName(s)
		if err != nil {
			if nameRefusal(err) == "not a validation error about name" {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if n := utf8.RuneCountInString(name); n < 1 || n > MaxName || !utf8.ValidString(name) {
			t.Fatalf("%q gives the name %q", s, name)
		}
		if strings.ContainsAny(name, forbiddenInNames) || strings.ContainsAny(key, forbiddenInNames) {
			t.Fatalf("%q gives %q with key %q, which have a meaning elsewhere", s, name, key)
		}
		again, keyAgain, err := ChannelName(name)
		if err != nil || again != name || keyAgain != key {
			t.Fatalf("%q gives %q, which gives %q, %v", s, name, again, err)
		}
		if NameKey(key) != key {
			t.Fatalf("%q has key %q, whose key is %q", s, key, NameKey(key))
		}
		for _, other := range []string{strings.ToLower(name), strings.ToUpper(name)} {
			if strings.EqualFold(other, name) && NameKey(other) != key {
				t.Fatalf("%q and %q have keys %q and %q", name, other, key, NameKey(other))
			}
		}
	})
}
