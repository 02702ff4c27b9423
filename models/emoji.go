package models

import (
	"slices"
	"strings"

	"go.mau.fi/util/emojirunes"
	"go.mau.fi/util/variationselector"
)

// maxEmoji is the longest emoji in bytes. The longest that Unicode recommends has 35, a family of four with a skin
// tone each 41.
const maxEmoji = 64

// The code points that emoji are put together with, as UTS #51 calls them.
const (
	joiner        = '\u200d' // between the emoji of a sequence that is shown as one
	emojiStyle    = '\ufe0f' // the one before is shown as emoji, not as text
	keycap        = '\u20e3' // encloses a digit, # or *
	blackFlag     = '\U0001f3f4'
	tagEnd        = '\U000e007f'
	firstTone     = '\U0001f3fb'
	lastTone      = '\U0001f3ff'
	firstRegional = '\U0001f1e6' // a flag is two of these letters
	lastRegional  = '\U0001f1ff'
)

// ParseEmoji gives the one form of an emoji by which it is stored and told. Some can be written with U+FE0F or
// without: those that are text without it have it in this form, all others do not, which is what Unicode calls
// fully qualified. What is not exactly one emoji is refused: a single one, a keycap, a flag, one with a skin tone, or
// several that are joined into one.
func ParseEmoji(s string) (string, error) {
	if len(s) > maxEmoji {
		return "", Invalid("emoji", "has %d bytes, no emoji has more than %d", len(s), maxEmoji)
	}
	if !isEmoji([]rune(s)) {
		return "", Invalid("emoji", "must be exactly one emoji")
	}
	return variationselector.FullyQualify(s), nil
}

// isEmoji says whether all of s is one emoji, by the grammar of UTS #51. It does not ask whether anybody has drawn
// the sequence: families of all shapes are well-formed, and next year's flags too.
func isEmoji(s []rune) bool {
	if rest, ok := flag(s); ok {
		return len(rest) == 0
	}
	if rest, ok := keycapOf(s); ok {
		return len(rest) == 0
	}
	for {
		rest, ok := element(s)
		if !ok || len(rest) == 0 {
			return ok
		}
		if rest[0] != joiner {
			return false
		}
		s = rest[1:]
	}
}

// flag takes the flag of a region, which is two letters, or of a part of one, which is a black flag with a word of tags.
func flag(s []rune) (rest []rune, ok bool) {
	if len(s) >= 2 && isRegional(s[0]) && isRegional(s[1]) {
		return s[2:], true
	}
	if len(s) == 0 || s[0] != blackFlag {
		return s, false
	}
	end := slices.Index(s, tagEnd)
	if end < 0 || !isSubdivision(s[1:end]) {
		return s, false
	}
	return s[end+1:], true
}

// isSubdivision says whether tags spell the code of a part of a region, such as gbsct: two letters and up to four
// letters or digits.
func isSubdivision(tags []rune) bool {
	if len(tags) < 3 || len(tags) > 6 {
		return false
	}
	for i, r := range tags {
		c := r - 0xe0000
		if !('a' <= c && c <= 'z' || i >= 2 && '0' <= c && c <= '9') {
			return false
		}
	}
	return true
}

func keycapOf(s []rune) (rest []rune, ok bool) {
	if len(s) == 0 || !strings.ContainsRune("0123456789#*", s[0]) {
		return s, false
	}
	s = styled(s[1:])
	if len(s) == 0 || s[0] != keycap {
		return s, false
	}
	return s[1:], true
}

// element takes one emoji with its style and skin tone.
func element(s []rune) (rest []rune, ok bool) {
	if len(s) == 0 || !isPictograph(s[0]) {
		return s, false
	}
	s = styled(s[1:])
	if len(s) > 0 && firstTone <= s[0] && s[0] <= lastTone {
		s = s[1:]
	}
	return s, true
}

func styled(s []rune) []rune {
	if len(s) > 0 && s[0] == emojiStyle {
		return s[1:]
	}
	return s
}

// isPictograph says whether r alone is an emoji. The library's list leaves © and ® out, since it is made to find emoji
// in prose, and has what emoji are put together with.
func isPictograph(r rune) bool {
	switch r {
	case '©', '®':
		return true
	case joiner, emojiStyle, keycap:
		return false
	}
	return r < 0x20000 && !isRegional(r) && emojirunes.Is(r)
}

func isRegional(r rune) bool { return firstRegional <= r && r <= lastRegional }
