package models

import (
	"strings"
	"testing"
	"unicode/utf8"

	"go.mau.fi/util/emojirunes"
)

// One of each sort of emoji that UTS #51 knows, in its fully-qualified form.
var emoji = map[string]string{
	"single":                      "👍",
	"text without U+FE0F":         "❤\ufe0f",
	"copyright":                   "©\ufe0f",
	"skin tone":                   "👍🏽",
	"skin tone of what was text":  "☝🏿",
	"skin tone alone":             "🏽",
	"keycap of a digit":           "7\ufe0f\u20e3",
	"keycap of #":                 "#\ufe0f\u20e3",
	"keycap of *":                 "*\ufe0f\u20e3",
	"flag":                        "🇺🇦",
	"flag of a part":              "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
	"family":                      "👨\u200d👩\u200d👧\u200d👦",
	"family of four tones":        "👨🏿\u200d👩🏻\u200d👧🏽\u200d👦🏼",
	"couple with tones":           "👩🏽\u200d❤\ufe0f\u200d💋\u200d👨🏻",
	"joined with what was text":   "🏳\ufe0f\u200d🌈",
	"joined with a sign":          "🤷🏾\u200d♀\ufe0f",
	"pirates":                     "🏴\u200d☠\ufe0f",
	"joined with a color":         "🐈\u200d⬛",
	"eye in a bubble":             "👁\ufe0f\u200d🗨\ufe0f",
	"new in Unicode 16":           "🫩",
	"joined, new in Unicode 15.1": "🙂\u200d↔\ufe0f",
}

func TestParseEmoji(t *testing.T) {
	t.Parallel()
	for what, want := range emoji {
		// With each U+FE0F there or not it is the same emoji.
		for i := range 1 << strings.Count(want, "\ufe0f") {
			parts := strings.Split(want, "\ufe0f")
			written := parts[0]
			for n, part := range parts[1:] {
				if i>>n&1 == 1 {
					written += "\ufe0f"
				}
				written += part
			}
			if got, err := ParseEmoji(written); err != nil || got != want {
				t.Errorf("%s, %+q: %+q, %v, want %+q", what, written, got, err, want)
			}
		}
	}
	// One that is an emoji anyhow may be said to be one.
	for written, want := range map[string]string{"👍\ufe0f": "👍", "🐈\ufe0f\u200d⬛\ufe0f": "🐈\u200d⬛", "☝\ufe0f🏿": "☝🏿"} {
		if got, err := ParseEmoji(written); err != nil || got != want {
			t.Errorf("%+q: %+q, %v, want %+q", written, got, err, want)
		}
	}
}

func TestNotAnEmoji(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", " ", "a", "👍a", "a👍", " 👍", "👍 ", "👍👍", "👍\n", "1", "#", "*", "12", "1\ufe0f", "#\ufe0f", "a\u20e3", "12\ufe0f\u20e3",
		"é", "中", "ก", "٤", ":+1:", "<3", "♥︎", "❤\ufe0e", "👍\ufe0e", "❤\ufe0f\ufe0f", "\ufe0f", "\ufe0f❤", "\u200d", "\u20e3", "👍\u200d", "\u200d👍",
		"👨\u200d\u200d👩", "👨\u200da", "👨 \u200d 👩", "👍🏽🏽", "👍🏽\ufe0f", "👍\u0301", "🇺", "🇺🇦🇺", "🇺🇦🇺🇦", "🇺a", "🇺\u200d🇦", "👍🇺🇦",
		"\U000e0067", "\U000e007f", "\U0001f3f4\U000e007f", "\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f3f4\U000e0067\U000e0062\U000e0073",
		"👍\U000e0067\U000e0062\U000e0073\U000e007f", "\U0001f3f4\U000e0048\U000e0069\U000e0021\U000e007f",
		"\U0001f3f4" + strings.Repeat("\U000e0067", 7) + "\U000e007f", "\U000e0031", "\U00020000", "\U0001f3f4\U000e0067",
		"\xff", "👍\xff", "\x00", "👍\x00", "\u200b", "\u202e👍", "\ufffd", strings.Repeat("👍\u200d", 9) + "👍", strings.Repeat("👍", 2000),
	} {
		if got, err := ParseEmoji(s); err == nil {
			t.Errorf("%+q is taken for %+q", s, got)
		} else if CodeOf(err) != CodeValidationFailed {
			t.Errorf("%+q: %v", s, err)
		}
	}
}

// Whatever the library takes for an emoji is one, in one form.
func TestEveryEmojiHasOneForm(t *testing.T) {
	t.Parallel()
	n := 0
	for _, r := range emojirunes.EmojiRunes {
		if !isPictograph(r) {
			continue
		}
		n++
		for _, tone := range []string{"", "🏻", "🏿", "\u200d🔥", "🏽\u200d❤\u200d👍🏽"} {
			bare, err := ParseEmoji(string(r) + tone)
			if err != nil {
				t.Errorf("%+q with %+q: %v", r, tone, err)
				continue
			}
			styled, err := ParseEmoji(string(r) + "\ufe0f" + tone)
			again, err2 := ParseEmoji(bare)
			if err != nil || err2 != nil || styled != bare || again != bare {
				t.Errorf("%+q with %+q: bare %+q, styled %+q, again %+q; %v, %v", r, tone, bare, styled, again, err, err2)
			}
		}
	}
	if n < 1300 {
		t.Errorf("the library knows %d emoji", n)
	}
}

func FuzzParseEmoji(f *testing.F) {
	for _, s := range emoji {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		one, err := ParseEmoji(s)
		if err != nil {
			return
		}
		if again, err := ParseEmoji(one); err != nil || again != one || !utf8.ValidString(one) {
			t.Errorf("%+q is %+q, which is %+q, %v", s, one, again, err)
		}
	})
}
