package models

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	// MaxMentions is how many places of a text are looked at for a mention; those beyond are text.
	MaxMentions = 50
	// EverybodyKey is what follows the `@` that mentions everybody in the room; no user can be called so.
	EverybodyKey = "room"
)

// Mention is a place of a text that may mention somebody: the keys of the names that may be meant, the longest first.
// Where names end is not to be seen in a script without spaces, so `@张三你好` has four.
type Mention []string

// MentionsIn gives the places of a text that may mention somebody, in their order, at most MaxMentions. An `@` in an
// e-mail address is none.
func MentionsIn(text string) []Mention {
	if !strings.Contains(text, "@") && !strings.Contains(text, "＠") {
		return nil
	}
	var found []Mention
	for i, r := range text {
		if r != '@' && r != '＠' || endsInWord(text[:i]) {
			continue
		}
		if keys := namesAt(text[i+utf8.RuneLen(r):]); len(keys) > 0 {
			found = append(found, keys)
		}
		if len(found) == MaxMentions {
			break
		}
	}
	return found
}

// endsInWord says whether an `@` that follows the text could stand in an e-mail address.
func endsInWord(before string) bool {
	for before != "" {
		r, size := utf8.DecodeLastRuneInString(before)
		if !unicode.IsMark(r) {
			return strings.ContainsRune("._%+-", r) || inWord(r)
		}
		before = before[:len(before)-size] // a mark belongs to what it stands on
	}
	return false
}

// namesAt gives the keys of all names that the text may begin with, the longest first. The key of a name is that of a
// shorter one and of what it has more, so that the work does not grow with the square of its length.
func namesAt(text string) Mention {
	var keys Mention
	key, done := "", 0 // the last one, and where it ends
	add := func(end int) {
		key += NameKey(text[done:end])
		done = end
		keys = append(keys, key)
	}
	word, letters, end := false, 0, len(text) // whether the last letter is one of a word; how many there are
	for i, r := range text {
		joins := joinsOn(r)
		if i > 0 && !joins && (!word || !inWord(r)) {
			add(i)
		}
		if !joins {
			word = inWord(r)
			letters++
		}
		if !inName(r) || letters > MaxName || i >= maxRawName {
			end = done // the text goes on behind the names
			break
		}
	}
	if end > done {
		add(end)
	}
	slices.Reverse(keys)
	return keys
}

// joinsOn says whether the rune is one character with what stands before it, so that no name ends there.
func joinsOn(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return false
	case unicode.IsMark(r):
		return true
	case r == '\u200c' || r == '\u200d': // they stand inside a word
		return true
	case r == 'ﾞ' || r == 'ﾟ': // the halfwidth forms of marks
		return true
	}
	var buf [utf8.UTFMax]byte
	return !norm.NFC.Properties(utf8.AppendRune(buf[:0], r)).BoundaryBefore()
}

// unspaced are the scripts that write words without spaces between them, or put endings on names.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Bopomofo, unicode.Hangul, unicode.Yi,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Javanese, unicode.Balinese,
	unicode.Tai_Le, unicode.New_Tai_Lue, unicode.Tai_Tham, unicode.Tai_Viet,
}

// inWord says whether the rune is a letter or digit of a script that has spaces between words.
func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
	}
	const long, halfLong = 'ー', 'ｰ' // Japanese, but of no script
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) && r != long && r != halfLong && !unicode.In(r, unspaced...)
}

// inName says whether a name may hold the rune, here and there one more: who is called so is looked up.
func inName(r rune) bool {
	switch {
	case '！' <= r && r <= '～':
		return inName(r - '！' + '!')
	case r < utf8.RuneSelf:
		return '!' <= r && r <= '~' && !strings.ContainsRune(forbiddenInNames, r)
	}
	if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune(oddInNames, r) {
		return true
	}
	// A few signs are another one's older code, such as the Greek question mark: in names they are that.
	composed, _ := utf8.DecodeRuneInString(norm.NFC.String(string(r)))
	return composed != r && inName(composed)
}

// oddInNames are what PRECIS allows besides letters, marks and digits.
const oddInNames = "·͵׳״۽۾་〇・･\u200c\u200d"
